/*
 * otelctx.c - see otelctx.h.
 *
 * Source: OTEP 4719 (the mapping), OTEP 4947 (its threadlocal attributes),
 * opentelemetry.proto.resource.v1.Resource.
 */
#include "inproc/otelctx.h"

#include "base/buf.h"
#include "base/clock.h"
#include "codec/protobuf.h"
#include "inproc/config.h"
#include "inproc/fd.h"
#include "inproc/labels.h"
#include "inproc/sig/state.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define NAME "OTEL_CTX"
#define SCHEMA "tlsdesc_v1_dev"

enum {
	VERSION = 2,
	MAP_BYTES = 65536, /* pages that are not needed are never touched */
	MAX_PAYLOAD = 60000,
	/* opentelemetry.proto.common.v1 */
	ATTRIBUTES = 1, /* of Resource */
	KEY = 1,	/* of KeyValue */
	VALUE = 2,
	STRING_VALUE = 1, /* of AnyValue */
	ARRAY_VALUE = 5,
	VALUES = 1, /* of ArrayValue */
};

struct context {
	char signature[8];
	uint32_t version, n_payload;
	_Atomic uint64_t published_at_ns;
	const void *payload;
};

static struct context *context; /* NULL: nothing is published */
static struct ep_buf payload;
static const char *service, *version;
static uint32_t n_keys; /* published */
static bool refused;

/* ---- what is said ------------------------------------------------------------------------ */

static void add_string_value(struct ep_buf *to, uint32_t field, const char *s)
{
	ep_auto_buf value;
	ep_buf_init(&value, MAX_PAYLOAD);
	ep_pb_add_str(&value, STRING_VALUE, s);
	ep_pb_add_bytes(to, field, value.data, value.len);
}

static void add_attribute(const char *key, const struct ep_buf *any_value)
{
	ep_auto_buf pair;
	ep_buf_init(&pair, MAX_PAYLOAD);
	ep_pb_add_str(&pair, KEY, key);
	ep_pb_add_bytes(&pair, VALUE, any_value->data, any_value->len);
	ep_pb_add_bytes(&payload, ATTRIBUTES, pair.data, pair.len);
}

static void add_string(const char *key, const char *s)
{
	ep_auto_buf value;
	ep_buf_init(&value, MAX_PAYLOAD);
	ep_pb_add_str(&value, STRING_VALUE, s);
	if (*s)
		add_attribute(key, &value);
}

static void add_keys(void)
{
	ep_auto_buf array, value;
	ep_buf_init(&array, MAX_PAYLOAD);
	ep_buf_init(&value, MAX_PAYLOAD);
	n_keys = ep_labels_n_keys();
	for (uint32_t i = 0; i < n_keys && i < EP_LABELS_RECORD_KEYS; i++)
		add_string_value(&array, VALUES, ep_labels_key(i));
	ep_pb_add_bytes(&value, ARRAY_VALUE, array.data, array.len);
	add_attribute("threadlocal.attribute_key_map", &value);
}

static bool build(void)
{
	ep_buf_clear(&payload);
	add_string("service.name", service);
	add_string("service.version", version);
	add_string("threadlocal.schema_version", SCHEMA);
	add_keys();
	return !ep_buf_failed(&payload);
}

/* ---- the mapping --------------------------------------------------------------------------- */

/* Linux 5.17; a memfd has its name already. */
static void name_it(void)
{
	(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, context, MAP_BYTES, NAME);
}

static struct context *map(void)
{
	int fd = memfd_create(NAME, MFD_CLOEXEC);
	bool has_file = fd >= 0 && ftruncate(fd, MAP_BYTES) == 0;
	void *p = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | (has_file ? 0 : MAP_ANONYMOUS), has_file ? fd : -1, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, MAP_BYTES, MADV_DONTFORK); /* else a child's is outdated for a moment */
	return p;
}

/* A reader that comes in between finds 0, or another time than before. */
static void publish(void)
{
	uint64_t before = atomic_load(&context->published_at_ns), now = ep_clock_wall_ns();
	atomic_store(&context->published_at_ns, 0);
	atomic_thread_fence(memory_order_seq_cst);
	if (build()) {
		memcpy(context + 1, payload.data, payload.len);
		context->n_payload = (uint32_t)payload.len;
		context->payload = context + 1;
	}
	context->version = VERSION;
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(context->signature, NAME, sizeof(context->signature));
	atomic_thread_fence(memory_order_seq_cst);
	atomic_store(&context->published_at_ns, now > before ? now : before + 1);
	name_it();
}

/* ---- others --------------------------------------------------------------------------------- */

/* Has somebody else in this process published one? */
static bool is_mapped(void)
{
	char text[4096 + sizeof(NAME)];
	size_t kept = 0;
	bool found = false;
	int fd = ep_fd_open("/proc/self/maps", O_RDONLY);
	for (ssize_t n; !found && fd >= 0 && (n = read(fd, text + kept, 4096)) > 0;) {
		size_t all = kept + (size_t)n;
		found = memmem(text, all, NAME, strlen(NAME)) != NULL;
		kept = all < sizeof(NAME) - 1 ? all : sizeof(NAME) - 1;
		memmove(text, text + all - kept, kept);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

void ep_otelctx_start(const char *name, const char *program_version)
{
	if (refused)
		return;
	service = name;
	version = program_version;
	if (!context && (is_mapped() || ep_otelctx_variable() != (const void *)&ep_sig_labels)) {
		refused = true;
		ep_config_say("this program has an OpenTelemetry context of its own: labels are not "
			      "published for other profilers");
		return;
	}
	if (!context) {
		ep_buf_init(&payload, MAX_PAYLOAD);
		context = map();
	}
	if (context) /* else memory is short: nobody reads labels from outside */
		publish();
}

void ep_otelctx_tick(void)
{
	if (context && ep_labels_n_keys() != n_keys)
		publish();
}

void ep_otelctx_child(void)
{
	context = NULL;
	refused = false;
}
