/*
 * metric.c - the metric name of a pprof profile: process_cpu, memory, mutex, …
 *
 * The names that Pyroscope gives, so that its clients' queries find their data;
 * our own types (off_cpu, threads) keep theirs.
 */
#include "ingest/accept.h"

#include "codec/json.h"

#include <stdio.h>
#include <string.h>

/* What a sample type is called when no sample_type_config says so. */
static struct ep_slice default_display(struct ep_slice type)
{
	static const char *const names[][2] = {
		{"samples", "cpu"},
		{"goroutine", "goroutines"},
		{"contentions", "mutex_count"},
		{"delay", "mutex_duration"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ep_slice_is(type, names[i][0]))
			return ep_slice_of(names[i][1]);
	return type;
}

static struct ep_slice display(struct ep_slice type, const struct ep_json *types)
{
	char key[256];
	struct ep_slice name;
	if (!types || type.n >= sizeof(key))
		return default_display(type);
	memcpy(key, type.p, type.n);
	key[type.n] = '\0';
	if (ep_json_str(ep_json_get(ep_json_get(types, key), "display-name"), &name) && name.n)
		return name;
	return default_display(type);
}

static bool begins(struct ep_slice s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && !memcmp(s.p, prefix, n);
}

/* NULL: none of the known kinds. */
static const char *kind_of(struct ep_slice name)
{
	if (ep_slice_is(name, "off_cpu"))
		return "off_cpu";
	if (memmem(name.p, name.n, "cpu", 3))
		return "process_cpu";
	if (begins(name, "alloc_") || begins(name, "inuse_") || ep_slice_is(name, "space") ||
	    ep_slice_is(name, "objects"))
		return "memory";
	if (begins(name, "mutex_"))
		return "mutex";
	if (begins(name, "block_"))
		return "block";
	return ep_slice_is(name, "goroutines") ? "goroutines" : NULL;
}

const char *ep_metric_name(const struct ep_profile *p, const struct ep_json *types,
			   char *ret_buf, size_t n_buf)
{
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		if (ep_slice_is(ep_profile_str(p, p->sample_types[i].type), "wall"))
			return "wall";
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		struct ep_slice type = ep_profile_str(p, p->sample_types[i].type);
		const char *kind = kind_of(display(type, types));
		if (kind)
			return kind;
	}
	struct ep_slice first = {0};
	if (p->n_sample_types)
		first = display(ep_profile_str(p, p->sample_types[0].type), types);
	(void)snprintf(ret_buf, n_buf, "%.*s", EP_SLICE_ARG(first)); /* checked before */
	return ret_buf;
}
