/*
 * send.c - see send.h.
 */
#include "agent/send.h"

#include "base/clock.h"
#include "base/log.h"
#include "elf/elf.h"
#include "symbol/symbol.h"

#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_PARCELS = 20000,
	MAX_OFFERS = 4096, /* each holds a file open */
	ASK_AT_ONCE = 64,
	NICE = 10, /* making tables never competes with the host's work */
};

#define MAX_PARCEL_BYTES ((size_t)64 << 20)
#define MAX_TABLE_BYTES ((size_t)256 << 20)
#define DRAIN_NS (2 * EP_NS_PER_S)
#define REQUEST_NS (10 * EP_NS_PER_S)
#define TABLE_NS (60 * EP_NS_PER_S)
#define ASK_AGAIN_NS (30 * EP_NS_PER_S)

struct parcel {
	struct parcel *next;
	uint64_t from_ns, until_ns;
	unsigned hz;
	struct ep_buf bytes;
	char name[];
};

struct offer {
	char build_id[EP_ELF_HEX_MAX];
	int fd;
};

struct ep_send {
	struct ep_push *push; /* of the thread alone */
	bool no_upload;
	ep_send_say_fn *say;
	void *arg;
	pthread_t thread;

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t wake;
	struct parcel *first, **last;
	size_t n_parcels, n_bytes;
	uint64_t n_dropped;
	struct offer *offers;
	size_t n_offers;
	bool stop;
	uint64_t stop_by_ns;

	/* Of the thread. */
	bool is_away, said_rejected;
	uint64_t ask_at_ns;
	uint64_t n_tables;
};

static void say(struct ep_send *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct ep_send *s, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	s->say(s->arg, text);
}

static void free_parcel(struct parcel *p)
{
	ep_buf_fini(&p->bytes);
	ep_free(p);
}

/* -- profiles ------------------------------------------------------------------ */

static struct parcel *take_parcels(struct ep_send *s)
{
	pthread_mutex_lock(&s->lock);
	struct parcel *p = s->first;
	s->first = NULL;
	s->last = &s->first;
	s->n_parcels = s->n_bytes = 0;
	pthread_mutex_unlock(&s->lock);
	return p;
}

static void queue_parcels(struct ep_send *s)
{
	for (struct parcel *p = take_parcels(s), *next; p; p = next) {
		struct ep_push_item item = {
			.name = p->name,
			.from_ns = p->from_ns,
			.until_ns = p->until_ns,
			.sample_rate_hz = p->hz,
			.pprof_gz = p->bytes.data,
			.n_bytes = p->bytes.len,
		};
		int rc = ep_push_add(s->push, &item);
		if (rc < 0)
			ep_log_debug("a profile of %s is dropped: %s", p->name,
				     strerror(-rc));
		next = p->next;
		free_parcel(p);
	}
}

static void tell_state(struct ep_send *s, bool away)
{
	struct ep_push_stats st;
	ep_push_stats(s->push, &st);
	if (away != s->is_away) {
		s->is_away = away;
		if (away)
			say(s, "profiles can't be sent and wait: %s",
			    st.last_error);
		else
			say(s, "profiles are sent again");
	}
	if (st.rejected && !s->said_rejected) {
		s->said_rejected = true;
		say(s, "the server refuses a profile: %s", st.last_error);
	}
}

static void drain(struct ep_send *s, uint64_t deadline_ns)
{
	if (ep_push_next_try_ns(s->push) > ep_clock_mono_ns())
		return;
	int waiting = ep_push_drain(s->push, deadline_ns);
	tell_state(s, waiting > 0 && ep_clock_mono_ns() < deadline_ns);
}

/* -- symbols ------------------------------------------------------------------- */

static void put_table(struct ep_send *s, const struct offer *o)
{
	char path[128];
	struct ep_err err = {0};
	ep_auto_buf table;
	ep_buf_init(&table, MAX_TABLE_BYTES);
	int rc = ep_symtab_build(o->fd, &table, &err);
	if (rc < 0) {
		ep_log_debug("no symbols of %s: %s", o->build_id, err.text);
		return;
	}
	snprintf(path, sizeof(path), "/api/v1/symbols/%.*s", EP_ELF_HEX_MAX - 1,
		 o->build_id);
	rc = ep_push_request(s->push, "PUT", path, "application/octet-stream",
			     table.data, table.len, TABLE_NS, NULL, &err);
	if (rc != 200)
		ep_log_debug("symbols of %s are not taken: %d %s", o->build_id,
			     rc, err.text);
	else
		s->n_tables++;
}

/* Which of these does the server miss?  -1 when it can't be asked now. */
static int ask_missing(struct ep_send *s, const struct offer *offers, size_t n,
		       struct ep_buf *ret_body)
{
	struct ep_err err = {0};
	ep_auto_buf body;
	ep_buf_init(&body, 65536);
	ep_buf_add_str(&body, "{\"build_ids\":[");
	for (size_t i = 0; i < n; i++)
		ep_buf_printf(&body, "%s\"%s\"", i ? "," : "", offers[i].build_id);
	ep_buf_add_str(&body, "]}");
	int rc = ep_push_request(s->push, "POST", "/api/v1/symbols/missing",
				 "application/json", body.data, body.len, REQUEST_NS,
				 ret_body, &err);
	if (rc == 404)
		return 404; /* a server that takes profiles only */
	return rc == 200 ? 0 : -1;
}

static size_t take_offers(struct ep_send *s, struct offer *ret, size_t max)
{
	pthread_mutex_lock(&s->lock);
	size_t n = s->n_offers < max ? s->n_offers : max;
	memcpy(ret, s->offers, n * sizeof(ret[0]));
	s->n_offers -= n;
	memmove(s->offers, s->offers + n, s->n_offers * sizeof(ret[0]));
	pthread_mutex_unlock(&s->lock);
	return n;
}

static bool is_stopping(struct ep_send *s)
{
	pthread_mutex_lock(&s->lock);
	bool stop = s->stop && ep_clock_mono_ns() >= s->stop_by_ns;
	pthread_mutex_unlock(&s->lock);
	return stop;
}

static void give_back(struct ep_send *s, const struct offer *offers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ep_send_offer(s, offers[i].build_id, NULL, offers[i].fd);
	s->ask_at_ns = ep_clock_mono_ns() + ASK_AGAIN_NS;
}

static void answer_offers(struct ep_send *s)
{
	struct offer some[ASK_AT_ONCE];
	if (s->is_away || ep_clock_mono_ns() < s->ask_at_ns)
		return;
	size_t n = take_offers(s, some, ASK_AT_ONCE);
	if (!n)
		return;
	ep_auto_buf missing;
	ep_buf_init(&missing, 65536);
	int rc = ask_missing(s, some, n, &missing);
	if (rc < 0) {
		give_back(s, some, n);
		return;
	}
	s->no_upload = rc == 404;
	const char *text = ep_buf_cstr(&missing);
	for (size_t i = 0; i < n; i++) {
		char quoted[EP_ELF_HEX_MAX + 3];
		snprintf(quoted, sizeof(quoted), "\"%.*s\"", EP_ELF_HEX_MAX - 1,
			 some[i].build_id);
		if (rc == 0 && strstr(text, quoted) && !is_stopping(s)) {
			put_table(s, &some[i]);
			/* Profiles come first. */
			queue_parcels(s);
			drain(s, ep_clock_mono_ns() + DRAIN_NS);
		}
		close(some[i].fd);
	}
	/* Making tables takes tens of megabytes for a moment; they go back at once. */
	(void)malloc_trim(0);
}

/* -- the thread ---------------------------------------------------------------- */

static struct timespec moment(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / EP_NS_PER_S),
				 .tv_nsec = (long)(ns % EP_NS_PER_S)};
}

/* Sleeps until there is work or a try is due.  False: it is time to end. */
static bool wait_for_work(struct ep_send *s)
{
	uint64_t due = ep_push_next_try_ns(s->push), now = ep_clock_mono_ns();
	pthread_mutex_lock(&s->lock);
	bool offers_wait = s->n_offers && !s->is_away;
	uint64_t ask = s->ask_at_ns > now ? s->ask_at_ns : now;
	if (offers_wait && ask < due)
		due = ask;
	if (due > now + 3600 * EP_NS_PER_S)
		due = now + 3600 * EP_NS_PER_S;
	struct timespec until = moment(due);
	int rc = 0;
	while (!s->stop && !s->first && rc == 0 && ep_clock_mono_ns() < due)
		rc = pthread_cond_timedwait(&s->wake, &s->lock, &until);
	bool go_on = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct ep_send *s = arg;
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid),
			  NICE); /* a courtesy */
	while (wait_for_work(s)) {
		queue_parcels(s);
		drain(s, ep_clock_mono_ns() + DRAIN_NS);
		if (!s->no_upload)
			answer_offers(s);
	}
	queue_parcels(s);
	(void)ep_push_drain(s->push, s->stop_by_ns); /* what remains is spooled */
	return NULL;
}

/* -- from outside -------------------------------------------------------------- */

static int start(struct ep_send *s, struct ep_err *err)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	s->last = &s->first;
	s->offers = ep_alloc(MAX_OFFERS * sizeof(s->offers[0]));
	if (!s->offers || pthread_create(&s->thread, NULL, run, s) != 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the sending thread");
	return 0;
}

static void free_send(struct ep_send *s)
{
	for (struct parcel *p = s->first, *next; p; p = next) {
		next = p->next;
		free_parcel(p);
	}
	for (size_t i = 0; i < s->n_offers; i++)
		close(s->offers[i].fd);
	ep_push_free(s->push);
	ep_free(s->offers);
	ep_free(s);
}

int ep_send_new(const struct ep_push_config *config, bool no_upload,
		ep_send_say_fn *say_fn, void *arg, struct ep_send **ret_s,
		struct ep_err *err)
{
	struct ep_send *s = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "no memory for the sending thread");
	s->no_upload = no_upload;
	s->say = say_fn;
	s->arg = arg;
	int rc = ep_push_new(config, &s->push, err);
	if (rc >= 0)
		rc = start(s, err);
	if (rc < 0) {
		free_send(s);
		return rc;
	}
	*ret_s = s;
	return 0;
}

void ep_send_stop(struct ep_send *s, uint64_t at_most_ns)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	s->stop_by_ns = ep_clock_mono_ns() + at_most_ns;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free_send(s);
}

int ep_send_profile(struct ep_send *s, const char *name, uint64_t from_ns,
		    uint64_t until_ns, unsigned hz, struct ep_buf *bytes)
{
	size_t n = strlen(name) + 1;
	struct parcel *p = ep_alloc(sizeof(*p) + n);
	if (!p)
		return -ENOMEM;
	*p = (struct parcel){.from_ns = from_ns, .until_ns = until_ns, .hz = hz};
	memcpy(p->name, name, n);
	pthread_mutex_lock(&s->lock);
	bool room = s->n_parcels < MAX_PARCELS &&
		    s->n_bytes + bytes->len <= MAX_PARCEL_BYTES;
	if (room) {
		p->bytes = *bytes;
		ep_buf_init(bytes, bytes->max);
		*s->last = p;
		s->last = &p->next;
		s->n_parcels++;
		s->n_bytes += p->bytes.len;
		pthread_cond_signal(&s->wake);
	} else {
		s->n_dropped++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!room)
		ep_free(p);
	return room ? 0 : -E2BIG;
}

void ep_send_offer(void *send, const char *build_id, const char *path, int fd)
{
	struct ep_send *s = send;
	(void)path; /* the build ID says it all */
	pthread_mutex_lock(&s->lock);
	bool room = !s->no_upload && !s->stop && s->n_offers < MAX_OFFERS;
	if (room) {
		struct offer *o = &s->offers[s->n_offers++];
		snprintf(o->build_id, sizeof(o->build_id), "%.*s",
			 (int)sizeof(o->build_id) - 1, build_id);
		o->fd = fd;
	}
	pthread_mutex_unlock(&s->lock);
	if (!room)
		close(fd);
}
