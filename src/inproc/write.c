/* write.c - see write.h. */
#include "inproc/write.h"

#include "inproc/fd.h"
#include "inproc/labels.h"
#include "inproc/namer.h"
#include "profile/build.h"
#include "profile/encode.h"
#include "symbol/nameless.h"

#include <stdio.h>
#include <string.h>

#define MAX_PROFILE_BYTES ((size_t)256 << 20)

const struct ep_write_shape ep_write_cpu_shape = {
	.name = "cpu",
	.values = {{"samples", "count"}, {"cpu", "nanoseconds"}},
	.period = {"cpu", "nanoseconds"},
	.default_type = "cpu",
};

const struct ep_write_shape ep_write_heap_shape = {
	.name = "heap",
	.values = {{"alloc_objects", "count"},
		   {"alloc_space", "bytes"},
		   {"inuse_objects", "count"},
		   {"inuse_space", "bytes"}},
	.period = {"space", "bytes"},
	.default_type = "inuse_space",
};

const struct ep_write_name *ep_write_find_name(const struct ep_write_name *names, uint32_t n,
					       uint32_t tid)
{
	for (uint32_t i = 0; i < n; i++)
		if (names[i].tid == tid)
			return &names[i];
	return NULL;
}

struct writer {
	const struct ep_write *w;
	struct ep_build *b;
	struct ep_namer *names; /* NULL: addresses only */
	uint32_t *mappings;  /* of the profile, by id; EP_NONE: not added yet */
	uint32_t *locations; /* of the profile, by frame of the tally */
	struct {
		uint32_t tid;
		ep_str comm; /* 0: it has none */
	} threads[64]; /* the last ones asked for */
};

/* Strings of the program may be no UTF-8, and pprof's must be. */
static ep_str text(struct ep_build *b, struct ep_slice s)
{
	char clean[EP_LABELS_MAX_VALUE_BYTES + 1];
	size_t n = s.n < sizeof(clean) ? s.n : sizeof(clean);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t k = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
		bool ok = c < 0x80 || (c >= 0xc2 && c <= 0xf4 && i + k <= n);
		for (size_t j = 1; ok && j < k; j++)
			ok = ((unsigned char)s.p[i + j] & 0xc0) == 0x80;
		if (ok) {
			memcpy(clean + i, s.p + i, k);
			i += k;
		} else {
			clean[i++] = '?';
		}
	}
	return ep_build_string(b, (struct ep_slice){clean, n});
}

static uint32_t mapping(struct writer *x, uint32_t id)
{
	if (id >= x->w->n_mappings)
		return EP_NONE;
	if (x->mappings[id] != EP_NONE)
		return x->mappings[id];
	const struct ep_code_mapping *m = &x->w->mappings[id];
	struct ep_mapping out = {
		.start = m->start,
		.limit = m->limit,
		.file_offset = m->file_offset,
		.filename = ep_build_cstr(x->b, m->path),
		.build_id = ep_build_cstr(x->b, m->build_id),
		.has_functions = x->w->named,
	};
	return x->mappings[id] = ep_build_mapping(x->b, &out);
}

/* A frame that is a label set, so that tools without labels show it too. */
static uint32_t labels_location(struct writer *x, const struct ep_tally_frame *f)
{
	char all[EP_LABELS_MAX_VALUE_BYTES];
	ep_labels_format((const struct everprof_labels *)(uintptr_t)f->address, all, sizeof(all));
	ep_str name = text(x->b, ep_slice_of(all));
	struct ep_function fn = {.name = name, .system_name = name};
	struct ep_line line = {.function = ep_build_function(x->b, &fn)};
	return ep_build_location(x->b, 0, EP_NONE, &line, 1);
}

static uint32_t location(struct writer *x, const struct ep_tally_frame *f)
{
	uint32_t m = mapping(x, f->mapping);
	struct ep_symbol sym;
	struct ep_line line = {0};
	if (f->mapping == EP_CODE_LABELS)
		return labels_location(x, f);
	if (!x->names || ep_namer_find(x->names, f->mapping, f->address, &sym) < 0)
		return ep_build_location(x->b, f->address, m, NULL, 0);
	char text[EP_NAMELESS_MAX];
	if (!sym.name.n)
		sym.name = ep_nameless_format(
			ep_slice_of(x->w->mappings[f->mapping].path), sym.file_offset, text);
	struct ep_function fn = {.name = ep_build_string(x->b, sym.name),
				 .system_name = ep_build_string(x->b, sym.system_name)};
	line.function = ep_build_function(x->b, &fn);
	return ep_build_location(x->b, f->address, m, &line, 1);
}

static void add_locations(struct writer *x)
{
	const struct ep_tally *f = x->w->tally;
	for (uint32_t i = 0; i < f->n_frames; i++)
		x->locations[i] = location(x, &f->frames[i]);
}

static uint32_t add_number(struct writer *x, struct ep_label *to, const char *key, uint32_t v)
{
	char s[16];
	snprintf(s, sizeof(s), "%u", v);
	*to = (struct ep_label){.key = ep_build_cstr(x->b, key), .str = ep_build_cstr(x->b, s)};
	return 1;
}

/* The thread's name, if it was written down, or while it lives. */
static ep_str read_comm(struct writer *x, uint32_t tid)
{
	const struct ep_write_name *known = ep_write_find_name(x->w->names, x->w->n_names, tid);
	if (known)
		return *known->name ? text(x->b, ep_slice_of(known->name)) : 0;
	char path[64], name[32];
	snprintf(path, sizeof(path), "/proc/self/task/%u/comm", tid);
	int fd = ep_fd_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name));
	if (fd >= 0)
		close(fd);
	return n < 2 ? 0 : text(x->b, (struct ep_slice){name, (size_t)n - 1});
}

static uint32_t add_comm(struct writer *x, struct ep_label *to, uint32_t tid)
{
	uint32_t at = tid % 64;
	if (x->threads[at].tid != tid) {
		x->threads[at].tid = tid;
		x->threads[at].comm = read_comm(x, tid);
	}
	if (!x->threads[at].comm)
		return 0;
	*to = (struct ep_label){.key = ep_build_cstr(x->b, "comm"),
				.str = x->threads[at].comm};
	return 1;
}

static uint32_t add_word(struct writer *x, struct ep_label *to, const char *key, const char *v)
{
	if (!v)
		return 0;
	*to = (struct ep_label){.key = ep_build_cstr(x->b, key), .str = ep_build_cstr(x->b, v)};
	return 1;
}

static bool is_zero(const struct ep_write_shape *shape, const struct ep_tally_row *r)
{
	for (int i = 0; i < EP_TALLY_VALUES && shape->values[i].type; i++)
		if (r->values[i])
			return false;
	return true;
}

static void add_row(struct writer *x, const struct ep_tally_row *r)
{
	if (is_zero(x->w->shape, r)) /* of a difference */
		return;
	const struct ep_tally *f = x->w->tally;
	const struct ep_tally_stack *s = &f->stacks[r->stack];
	uint32_t stack[EP_TALLY_MAX_FRAMES], n = 0;
	struct ep_label labels[EP_LABELS_MAX_PAIRS + 7];
	for (uint32_t i = 0; i < s->n; i++)
		stack[i] = x->locations[f->stack_frames[s->first + i]];
	for (uint32_t i = 0; r->labels && i < r->labels->n; i++) {
		const struct ep_labels_pair *p = &r->labels->pairs[i];
		labels[n].key = text(x->b, p->key);
		labels[n].str = text(x->b, p->value);
		labels[n].num = 0;
		labels[n++].num_unit = 0;
	}
	n += add_number(x, &labels[n], "pid", (uint32_t)getpid());
	if (r->tid) {
		n += add_number(x, &labels[n], "tid", r->tid);
		n += add_comm(x, &labels[n], r->tid);
	}
	n += add_word(x, &labels[n], "age", r->age);
	if (r->more) {
		n += add_word(x, &labels[n], "state", r->more->state);
		n += add_word(x, &labels[n], "wait", r->more->wait);
		n += add_word(x, &labels[n], "stack", r->more->stack);
	}
	ep_build_sample(x->b, stack, s->n, labels, n, r->values);
}

static void add_scalars(struct writer *x)
{
	char line[EP_LEDGER_TEXT_MAX];
	const struct ep_write_shape *shape = x->w->shape;
	for (int i = 0; i < EP_TALLY_VALUES && shape->values[i].type; i++)
		ep_build_sample_type(x->b, shape->values[i].type, shape->values[i].unit);
	ep_ledger_format(&x->w->ledger, line);
	ep_build_comment(x->b, ep_slice_of(line));
	ep_str type = ep_build_cstr(x->b, shape->period.type);
	ep_str unit = ep_build_cstr(x->b, shape->period.unit);
	ep_str shown = ep_build_cstr(x->b, shape->default_type);
	struct ep_profile *p = ep_build_profile(x->b);
	p->period_type = (struct ep_value_type){type, unit};
	p->default_sample_type = shown;
	p->period = (int64_t)x->w->period;
	p->time_ns = (int64_t)x->w->from_ns;
	uint64_t covered_ns = x->w->covered_ns;
	p->duration_ns = (int64_t)(covered_ns ? covered_ns : x->w->until_ns - x->w->from_ns);
}

int ep_write(const struct ep_write *w, struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	EP_TRY(ep_build_new(MAX_PROFILE_BYTES, &b));
	ep_auto_mem uint32_t *mappings = ep_alloc(w->n_mappings * sizeof(*mappings));
	ep_auto_mem uint32_t *locations = ep_alloc(w->tally->n_frames * sizeof(*locations));
	if (!mappings || !locations)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	memset(mappings, 0xff, w->n_mappings * sizeof(*mappings)); /* EP_NONE */
	ep_auto(ep_namer) names = NULL;
	if (w->named && !(names = ep_namer_new(w->mappings, w->n_mappings)))
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	struct writer x = {
		.w = w, .b = b, .names = names, .mappings = mappings, .locations = locations};
	add_scalars(&x);
	if (w->n_mappings) /* the program's own mapping comes first, as readers expect */
		(void)mapping(&x, 0);
	add_locations(&x);
	for (uint32_t i = 0; i < w->tally->n_rows; i++)
		add_row(&x, &w->tally->rows[i]);
	EP_TRY(ep_build_finish(b, &p, err));
	return ep_encode_gzip(p, out, err);
}
