/* outbox.c - see outbox.h. */
#include "inproc/outbox.h"

#include "base/clock.h"
#include "inproc/fd.h"
#include "inproc/start.h"
#include "push/https.h"
#include "push/push.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUSH_NS (3 * EP_NS_PER_S)
#define LAST_PUSH_NS (2 * EP_NS_PER_S)
#define MAX_FILE_BYTES ((size_t)256 << 20)

static struct ep_config config;
static struct ep_push *push;

bool ep_batch_init(struct ep_batch *b, const struct ep_write_shape *shape,
		   struct ep_tally *tally)
{
	uint32_t n = ep_code_n_mappings();
	struct ep_code_mapping *m = ep_alloc((n + 1) * sizeof(*m));
	if (!m)
		return false;
	for (uint32_t i = 0; i < n; i++)
		m[i] = *ep_code_mapping(i);
	*b = (struct ep_batch){.shape = shape, .tally = tally, .mappings = m, .n_mappings = n};
	b->until_ns = ep_clock_wall_ns();
	if (ep_code_main())
		strcpy(b->build_id, ep_code_main()->build_id);
	return true;
}

void ep_batch_fini(struct ep_batch *b)
{
	ep_tally_free(b->tally);
	ep_free((void *)b->mappings);
	ep_free(b->names);
}

void ep_batch_subtract(struct ep_batch *b, const struct ep_batch *earlier)
{
	ep_tally_subtract(b->tally, earlier->tally);
	b->from_ns = earlier->until_ns;
	b->ledger.asked -= earlier->ledger.asked;
	b->ledger.taken -= earlier->ledger.taken;
	b->ledger.lost -= earlier->ledger.lost;
	b->ledger.truncated -= earlier->ledger.truncated;
}

int ep_batch_write(const struct ep_batch *b, bool named, struct ep_buf *out)
{
	struct ep_write w = {
		.shape = b->shape,
		.tally = b->tally,
		.mappings = b->mappings,
		.n_mappings = b->n_mappings,
		.period = b->period,
		.from_ns = b->from_ns,
		.until_ns = b->until_ns,
		.covered_ns = b->covered_ns,
		.ledger = b->ledger,
		.names = b->names,
		.n_names = b->n_names,
		.named = named,
	};
	return ep_write(&w, out, NULL);
}

/* ---- to the server ---------------------------------------------------------------------- */

int ep_outbox_open(const struct ep_config *c, int (*tick)(void *))
{
	struct ep_err err = {0};
	config = *c;
	struct ep_push_config pc = {
		.sz = sizeof(pc),
		.server = config.server,
		.token = *config.token ? config.token : NULL,
		.tenant = *config.tenant ? config.tenant : NULL,
		.spool_dir = *config.spool_dir ? config.spool_dir : NULL,
		.spy_name = "everprof-lib",
		.idle = tick,
		.ca_file = *config.server_ca ? config.server_ca : NULL,
		.max_spool_bytes = config.spool_bytes,
	};
	if (!*config.server)
		return 0;
	int rc = ep_push_new(&pc, &push, &err);
	if (rc < 0)
		ep_config_say("EVERPROF_SERVER: %s", err.text);
	return rc;
}

/* SERVICE{version=…,host=…,profiler=library,k=v} */
static void series_name(const struct ep_batch *b, char *to, size_t size)
{
	char host[65] = "";
	if (gethostname(host, sizeof(host) - 1) < 0)
		strcpy(host, "unknown");
	ep_config_clean_value(host);
	snprintf(to, size, "%s{%sversion=%s,host=%s,profiler=library%s%s}", config.name,
		 strcmp(b->shape->name, "block") ? "" : EP_PUSH_BLOCK,
		 *config.version ? config.version : b->build_id, host,
		 *config.labels ? "," : "", config.labels);
}

void ep_outbox_push(const struct ep_batch *b)
{
	char name[2048];
	if (!push)
		return;
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_FILE_BYTES);
	if (ep_batch_write(b, config.names, &bytes) < 0)
		return;
	series_name(b, name, sizeof(name));
	struct ep_push_item item = {.name = name,
				    .from_ns = b->from_ns,
				    .until_ns = b->until_ns,
				    .sample_rate_hz = config.hz,
				    .pprof_gz = bytes.data,
				    .n_bytes = bytes.len};
	(void)ep_push_add(push, &item); /* no room: counted there */
}

/* Why profiles wait: once for each reason, until they are taken again. */
static void say_why_it_waits(const struct ep_push_stats *st)
{
	static char told[sizeof(st->last_error)];
	static uint64_t sent, tries;
	if (st->sent != sent)
		*told = '\0';
	if (st->failed_tries != tries && strcmp(told, st->last_error) != 0) {
		strcpy(told, st->last_error);
		ep_config_say("profiles wait, as the server could not be given them: %s", told);
	}
	sent = st->sent;
	tries = st->failed_tries;
}

static void say_push_failures(void)
{
	static uint64_t told;
	struct ep_push_stats st;
	ep_push_stats(push, &st);
	say_why_it_waits(&st);
	if (st.rejected + st.dropped == told)
		return;
	told = st.rejected + st.dropped;
	ep_config_say("%llu profiles refused, %llu dropped; last: %s",
		      (unsigned long long)st.rejected, (unsigned long long)st.dropped,
		      st.last_error);
}

/*
 * OpenSSL may be ended by a function of the program's exit, and nobody may be in it then:
 * ours is called before, as it came later, and this was the profile.  (If we were the
 * first to use OpenSSL, nothing ends it.)
 */
static void end_before_openssl(void)
{
	static bool asked;
	if (asked || !ep_https_is_loaded())
		return;
	asked = true;
	(void)atexit(ep_start_finish); /* no room: the end is the destructor's */
}

void ep_outbox_send_if_due(void)
{
	if (!push || ep_push_next_try_ns(push) > ep_clock_mono_ns())
		return;
	(void)ep_push_drain(push, ep_clock_mono_ns() + PUSH_NS);
	end_before_openssl();
	say_push_failures();
}

void ep_outbox_close(void)
{
	if (!push)
		return;
	(void)ep_push_drain(push, ep_clock_mono_ns() + LAST_PUSH_NS);
	say_push_failures();
	ep_push_free(push); /* what is left goes to the spool */
	push = NULL;
}

void ep_outbox_child(void)
{
	push = NULL; /* it may be cut in the middle: left, not freed */
}

/* ---- to a file ---------------------------------------------------------------------------- */

static int why(void)
{
	return errno ? -errno : -EIO;
}

static int write_bytes(const char *path, const struct ep_buf *b)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof(temp), "%s.tmp%d", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temp))
		return -EINVAL;
	int fd = ep_fd_open(temp, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return why();
	size_t at = 0;
	while (at < b->len) {
		errno = ENOSPC; /* when it writes nothing */
		ssize_t k = write(fd, b->data + at, b->len - at);
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	int rc = at < b->len ? why() : 0;
	if (close(fd) < 0 || (rc == 0 && rename(temp, path) < 0))
		rc = why();
	if (rc < 0)
		(void)unlink(temp); /* half a file is no use */
	return rc;
}

int ep_outbox_write_file(const struct ep_batch *b)
{
	static _Atomic bool said;
	char path[PATH_MAX];
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_FILE_BYTES);
	int rc = ep_batch_write(b, true, &bytes);
	if (rc == 0)
		rc = ep_config_out_path(&config, b->shape->name, path);
	if (rc == 0)
		rc = write_bytes(path, &bytes);
	if (rc < 0 && !atomic_exchange(&said, true)) /* not for each type */
		ep_config_say("EVERPROF_OUT %s could not be written: %s", config.out,
			      strerror(-rc));
	return rc < 0 ? -EIO : 0;
}
