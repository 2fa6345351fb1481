/*
 * push.c - the queue: in memory while the server takes things, on disk while it
 * does not.  See push.h.
 */
#include "push/push.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "codec/base64.h"
#include "push/exchange.h"
#include "push/spool.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_SPOOL_BYTES ((size_t)64 << 20)
#define TRY_NS (10 * EP_NS_PER_S)     /* one upload takes at most this long */
#define FIRST_WAIT_NS (1 * EP_NS_PER_S) /* back-off: 1 s, doubled up to a minute */
#define MAX_WAIT_NS (60 * EP_NS_PER_S)
#define MAX_RETRY_AFTER_S 600

enum { MAX_ERROR_BODY = 8192 };

/* An item in memory; name and bytes follow it. */
struct waiting {
	struct waiting *next;
	struct ep_push_item item;
};

struct ep_push {
	struct ep_url url;
	struct ep_https *tls; /* NULL: http */
	char *headers;	/* token and tenant, as header lines */
	char *spy_name; /* percent-encoded */
	size_t max_bytes;
	bool has_spool;
	struct ep_spool spool;
	struct waiting *first, **last; /* oldest first; younger than the spool's */
	uint64_t n_memory, memory_bytes;
	int (*idle)(void *arg);
	void *idle_arg;
	unsigned failures; /* in a row */
	uint64_t next_try_ns, jitter;
	struct ep_push_stats stats;
};

static void add_encoded_n(struct ep_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (isalnum(c) || strchr("-_.~", c))
			ep_buf_add_char(b, (char)c);
		else
			ep_buf_printf(b, "%%%02X", c);
	}
}

static void add_encoded(struct ep_buf *b, const char *s)
{
	add_encoded_n(b, s, strlen(s));
}

static char *to_string(struct ep_buf *b)
{
	return ep_buf_failed(b) ? NULL : ep_strdup(ep_buf_cstr(b));
}

/* A header's value ends a line, so control characters have no place in it. */
static bool is_header_value(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

/* A Bearer token has no colon (RFC 6750), a user and a password have one between them. */
static void add_authorization(struct ep_buf *b, const char *secret)
{
	bool basic = strchr(secret, ':') != NULL;
	ep_buf_add_str(b, basic ? "Authorization: Basic " : "Authorization: Bearer ");
	if (basic)
		ep_base64_encode(secret, strlen(secret), b);
	else
		ep_buf_add_str(b, secret);
	ep_buf_add_str(b, "\r\n");
}

static int set_strings(struct ep_push *p, const struct ep_push_config *c, struct ep_err *err)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 16);
	if ((c->token && !is_header_value(c->token)) ||
	    (c->tenant && !is_header_value(c->tenant)))
		return ep_fail(err, -EINVAL, 0, "a control character in the token or tenant");
	const char *secret = c->token ? c->token : p->url.user;
	if (*secret)
		add_authorization(&b, secret);
	if (c->tenant)
		ep_buf_printf(&b, "X-Scope-OrgID: %s\r\n", c->tenant);
	p->headers = to_string(&b);
	ep_buf_clear(&b);
	add_encoded(&b, c->spy_name ? c->spy_name : "everprof");
	p->spy_name = to_string(&b);
	return p->headers && p->spy_name ? 0 : -ENOMEM;
}

/* Profiles for one server and tenant never go to another: a folder each. */
static int set_spool(struct ep_push *p, const struct ep_push_config *c)
{
	char dir[PATH_MAX];
	ep_auto_buf server;
	ep_buf_init(&server, 1 << 16);
	/* As it was written, but a new password is no new server. */
	const char *behind = strstr(c->server, "://") + strlen("://");
	const char *at = memrchr(behind, '@', strcspn(behind, "/"));
	ep_buf_add(&server, c->server, (size_t)(behind - c->server));
	ep_buf_add_str(&server, at ? at + 1 : behind);
	if (ep_buf_failed(&server))
		return ep_buf_failed(&server);
	uint64_t h = ep_hash64(server.data, server.len);
	if (c->tenant)
		h = ep_hash_mix(h, ep_hash64(c->tenant, strlen(c->tenant)));
	snprintf(dir, sizeof(dir), "%s/%016" PRIx64, c->spool_dir, h);
	EP_TRY(ep_spool_init(&p->spool, dir, p->max_bytes));
	p->has_spool = true;
	ep_spool_look(&p->spool);
	return 0;
}

int ep_push_new(const struct ep_push_config *config, struct ep_push **ret_p,
		struct ep_err *err)
{
	ep_auto(ep_push) p = ep_zalloc(sizeof(*p));
	if (!p)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	p->last = &p->first;
	p->max_bytes = config->max_spool_bytes ? config->max_spool_bytes : DEFAULT_SPOOL_BYTES;
	p->jitter = ep_hash_mix(ep_clock_mono_ns(), (uintptr_t)p);
	p->idle = config->idle;
	p->idle_arg = config->idle_arg;
	EP_TRY(ep_url_parse(config->server, &p->url, err));
	if (p->url.tls)
		EP_TRY(ep_https_new(config->ca_file, &p->tls));
	EP_TRY(set_strings(p, config, err));
	if (config->spool_dir)
		EP_TRY(set_spool(p, config));
	*ret_p = ep_take(&p);
	return 0;
}

static void drop_first(struct ep_push *p)
{
	struct waiting *w = p->first;
	p->first = w->next;
	if (!p->first)
		p->last = &p->first;
	p->n_memory--;
	p->memory_bytes -= w->item.n_bytes;
	ep_free(w);
}

/* What is in memory goes to disk; without a disk, or when it refuses, it stays. */
static void spill(struct ep_push *p)
{
	while (p->has_spool && p->first) {
		int rc = ep_spool_put(&p->spool, &p->first->item);
		if (rc == -E2BIG)
			p->stats.dropped++;
		else if (rc < 0) {
			snprintf(p->stats.last_error, sizeof(p->stats.last_error),
				 "spool %.100s: %s", p->spool.dir, strerror(-rc));
			return;
		}
		drop_first(p);
	}
}

void ep_push_free(struct ep_push *p)
{
	if (!p)
		return;
	spill(p);
	while (p->first)
		drop_first(p);
	ep_spool_fini(&p->spool);
	ep_https_free(p->tls);
	ep_free(p->headers);
	ep_free(p->spy_name);
	ep_free(p);
}

int ep_push_add(struct ep_push *p, const struct ep_push_item *item)
{
	size_t n_name = strlen(item->name) + 1;
	struct waiting *w = ep_alloc(sizeof(*w) + n_name + item->n_bytes);
	if (!w) {
		p->stats.dropped++;
		return -ENOMEM;
	}
	char *name = (char *)(w + 1);
	memcpy(name, item->name, n_name);
	memcpy(name + n_name, item->pprof_gz, item->n_bytes);
	*w = (struct waiting){.item = *item};
	w->item.name = name;
	w->item.pprof_gz = name + n_name;
	*p->last = w;
	p->last = &w->next;
	p->n_memory++;
	p->memory_bytes += item->n_bytes;
	if (p->failures)
		spill(p);
	while (p->first && p->memory_bytes > p->max_bytes) {
		drop_first(p);
		p->stats.dropped++;
	}
	return 0;
}

/* ---- sending ----------------------------------------------------------------- */

static void ingest_path(const struct ep_push *p, const struct ep_push_item *i,
			struct ep_buf *b)
{
	const char *block = strstr(i->name, EP_PUSH_BLOCK);
	ep_buf_add_str(b, "/ingest?name=");
	if (block)
		add_encoded_n(b, i->name, (size_t)(block - i->name));
	add_encoded(b, block ? block + strlen(EP_PUSH_BLOCK) : i->name);
	ep_buf_printf(b, "&from=%" PRIu64 "&until=%" PRIu64, i->from_ns, i->until_ns);
	if (i->sample_rate_hz)
		ep_buf_printf(b, "&sampleRate=%u", i->sample_rate_hz);
	ep_buf_printf(b, "&spyName=%s%s&units=samples&aggregationType=sum", p->spy_name,
		      block ? "" : "&format=pprof"); /* which would be: no form */
}

/* The sentence of an error body: {"message":"…"}, else its first line. */
static void remember_answer(struct ep_push *p, int status, struct ep_buf *body)
{
	const char *text = ep_buf_cstr(body);
	const char *m = strstr(text, "\"message\":\"");
	const char *from = m ? m + strlen("\"message\":\"") : text;
	size_t n = strcspn(from, m ? "\"\r\n" : "\r\n");
	snprintf(p->stats.last_error, sizeof(p->stats.last_error), "HTTP %d: %.*s", status,
		 (int)(n > 120 ? 120 : n), from);
}

static bool is_final_refusal(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 &&
	       status != 429;
}

static void plan_next_try(struct ep_push *p, unsigned retry_after_s)
{
	unsigned shift = p->failures < 7 ? p->failures : 7;
	uint64_t wait = FIRST_WAIT_NS << shift >> 1; /* the first failure waits FIRST_WAIT_NS */
	if (wait > MAX_WAIT_NS)
		wait = MAX_WAIT_NS;
	p->jitter = ep_hash_mix(p->jitter, ep_clock_mono_ns());
	wait = wait / 2 + p->jitter % wait; /* 0.5 to 1.5 of it: no herd after an outage */
	uint64_t asked = retry_after_s < MAX_RETRY_AFTER_S ? retry_after_s : MAX_RETRY_AFTER_S;
	if (wait < asked * EP_NS_PER_S)
		wait = asked * EP_NS_PER_S;
	p->next_try_ns = ep_clock_mono_ns() + wait;
}

#define BOUNDARY "everprof-7d1f0c4b9a2e"
#define PART(name, more) "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n\r\n"

/* Without a word the types of a block profile would be read as those of mutex. */
static void form_of_block(const struct ep_push_item *i, struct ep_buf *b)
{
	ep_buf_add_str(b, PART("sample_type_config", "; filename=\"sample_type_config.json\"")
		       "{\"contentions\":{\"units\":\"lock_samples\",\"display-name\":\"block_count\"},"
		       "\"delay\":{\"units\":\"lock_nanoseconds\",\"display-name\":\"block_duration\"}}\r\n"
		       PART("profile", "; filename=\"profile.pprof\""));
	ep_buf_add(b, i->pprof_gz, i->n_bytes);
	ep_buf_add_str(b, "\r\n--" BOUNDARY "--\r\n");
}

/* 1: done with this item, taken or refused for good; 0: try it again later. */
static int send_item(struct ep_push *p, const struct ep_push_item *i, uint64_t deadline_ns)
{
	ep_auto_buf path, body, form;
	ep_buf_init(&path, 1 << 20);
	ep_buf_init(&form, i->n_bytes + 4096);
	bool is_block = strstr(i->name, EP_PUSH_BLOCK) != NULL;
	if (is_block)
		form_of_block(i, &form);
	if (ep_buf_failed(&form))
		return 0; /* memory is short now */
	ep_buf_init(&body, MAX_ERROR_BODY);
	ingest_path(p, i, &path);
	uint64_t end = ep_clock_mono_ns() + TRY_NS;
	struct ep_exchange x = {
		.url = &p->url,
		.tls = p->tls,
		.method = "POST",
		.path = ep_buf_cstr(&path),
		.content_type = is_block ? "multipart/form-data; boundary=" BOUNDARY
					 : "application/octet-stream",
		.headers = p->headers,
		.body = is_block ? form.data : i->pprof_gz,
		.n_body = is_block ? form.len : i->n_bytes,
		.deadline_ns = end < deadline_ns ? end : deadline_ns,
		.idle = p->idle,
		.idle_arg = p->idle_arg,
	};
	struct ep_answer a = {0};
	struct ep_err err = {0};
	int rc = ep_exchange_run(&x, &a, &body, &err);
	if (rc < 0)
		snprintf(p->stats.last_error, sizeof(p->stats.last_error), "%.150s", err.text);
	else if (a.status >= 200 && a.status < 300) {
		p->failures = 0;
		p->next_try_ns = 0;
		p->stats.sent++;
		return 1;
	} else
		remember_answer(p, a.status, &body);
	if (rc == 0 && is_final_refusal(a.status)) {
		p->stats.rejected++;
		return 1;
	}
	p->failures++;
	p->stats.failed_tries++;
	plan_next_try(p, a.retry_after_s);
	return 0;
}

/* false when a try failed or time is up. */
static bool drain_spool(struct ep_push *p, uint64_t deadline_ns)
{
	char after[64] = "";
	struct ep_spool_item i;
	while (p->has_spool && p->spool.n_files &&
	       ep_spool_take(&p->spool, after, &i) == 0) {
		memcpy(after, i.file, sizeof(after));
		bool done = ep_clock_mono_ns() < deadline_ns &&
			    send_item(p, &i.item, deadline_ns);
		if (!done) {
			ep_spool_put_back(&p->spool, &i);
			return false;
		}
		ep_spool_remove(&p->spool, &i);
	}
	if (p->has_spool && p->spool.n_files)
		ep_spool_look(&p->spool); /* others may have sent some of it */
	return true;
}

static bool drain_memory(struct ep_push *p, uint64_t deadline_ns)
{
	while (p->first) {
		if (ep_clock_mono_ns() >= deadline_ns ||
		    !send_item(p, &p->first->item, deadline_ns))
			return false;
		drop_first(p);
	}
	return true;
}

int ep_push_drain(struct ep_push *p, uint64_t deadline_ns)
{
	if (!drain_spool(p, deadline_ns) || !drain_memory(p, deadline_ns))
		spill(p);
	return (int)(p->n_memory + p->spool.n_files);
}

uint64_t ep_push_next_try_ns(const struct ep_push *p)
{
	return p->n_memory || p->spool.n_files ? p->next_try_ns : UINT64_MAX;
}

void ep_push_stats(const struct ep_push *p, struct ep_push_stats *ret_stats)
{
	*ret_stats = p->stats;
	ret_stats->dropped += p->spool.n_dropped;
	ret_stats->waiting = p->n_memory + p->spool.n_files;
	ret_stats->bytes_waiting = p->memory_bytes + p->spool.n_bytes;
}

int ep_push_request(struct ep_push *p, const char *method, const char *path,
		    const char *content_type, const void *body, size_t n_body,
		    uint64_t timeout_ns, struct ep_buf *ret_body, struct ep_err *err)
{
	ep_auto_buf none;
	ep_buf_init(&none, (size_t)16 << 20);
	struct ep_exchange x = {
		.url = &p->url,
		.tls = p->tls,
		.method = method,
		.path = path,
		.content_type = content_type,
		.headers = p->headers,
		.body = body,
		.n_body = n_body,
		.deadline_ns = ep_clock_mono_ns() + timeout_ns,
		.idle = p->idle,
		.idle_arg = p->idle_arg,
	};
	struct ep_answer a;
	EP_TRY(ep_exchange_run(&x, &a, ret_body ? ret_body : &none, err));
	return a.status;
}
