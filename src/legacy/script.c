/*
 * script.c - what `perf script` prints, with any of its usual fields (-F).
 *
 * A sample is a line of its own with its frames below it, the leaf first.  It becomes
 * one in "samples", and its period one in the column of its event: time for the clocks.
 * The thread's name and numbers are labels.  Inlined frames come before the one they
 * lie in; those of its address become lines of one location.
 */
#include "base/buf.h"
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"
#include "legacy/scriptline.h"
#include "legacy/plaintext.h"

enum { MOST_EVENTS = 64, MOST_LABELS = 3 };

struct event {
	struct ep_slice name;
	bool has_period, same_period;
	int64_t period;
};

struct script_frame {
	struct ep_frame f;
	bool inlined;
};

struct script {
	struct ep_plaintext t;
	struct ep_making m;
	struct event event[MOST_EVENTS];
	int n_events;
	uint64_t first_ns, last_ns;
	struct ep_slice main; /* the first binary that may be the program's */
	bool in_sample;
	struct ep_scripthead head; /* of the sample at hand */
	struct ep_buf frames;	   /* its: struct script_frame */
	struct ep_buf lines;	   /* scratch: struct ep_line */
};

/* --- events, before all else -------------------------------------------------- */

static int find_event(const struct script *s, struct ep_slice name)
{
	int i = 0;
	while (i < s->n_events && !ep_slice_eq(s->event[i].name, name))
		i++;
	return i;
}

/* Forks, maps and the like, when they were asked for. */
static bool is_record(const struct ep_scripthead *h)
{
	return ep_plaintext_begins(h->event, "PERF_RECORD_") ||
	       ep_plaintext_begins(h->rest, "PERF_RECORD_");
}

static int note_event(struct script *s, const struct ep_scripthead *h,
		      struct ep_err *err)
{
	int i = find_event(s, h->event);
	if (i == MOST_EVENTS)
		return ep_plaintext_fail(&s->t, err, "over %d kinds of events",
					 MOST_EVENTS);
	struct event *e = &s->event[i];
	if (i == s->n_events) {
		s->n_events++;
		*e = (struct event){
			.name = h->event, .same_period = true, .period = h->period};
	}
	e->has_period |= h->period != 0;
	e->same_period &= h->period == e->period;
	return 0;
}

static void note_time(struct script *s, uint64_t ns)
{
	if (!ns)
		return;
	if (!s->first_ns || ns < s->first_ns)
		s->first_ns = ns;
	if (ns > s->last_ns)
		s->last_ns = ns;
}

static int note_all(struct script *s, struct ep_err *err)
{
	struct ep_scripthead h;
	struct ep_frame f;
	bool inlined;
	struct ep_plaintext start = s->t;
	while (ep_plaintext_next(&s->t)) {
		if (!s->main.n && ep_scriptline_frame(s->t.line, &f, &inlined) &&
		    f.binary.n && ep_memorymap_may_be_main(f.binary))
			s->main = f.binary;
		if (!ep_scriptline_head(s->t.line, &h) || is_record(&h))
			continue;
		note_time(s, h.time_ns);
		EP_TRY(note_event(s, &h, err));
	}
	s->t = start;
	return 0;
}

static const char *unit_of(const struct event *e)
{
	bool clock =
		ep_slice_is(e->name, "cpu-clock") || ep_slice_is(e->name, "task-clock");
	return clock && e->has_period ? "nanoseconds" : "count";
}

static void set_types(struct script *s)
{
	struct ep_build *b = s->m.b;
	ep_build_sample_type(b, "samples", "count");
	for (int i = 0; i < s->n_events; i++)
		if (s->event[i].name.n)
			ep_build_sample_type_slices(b, s->event[i].name,
						    ep_slice_of(unit_of(&s->event[i])));
	(void)ep_frame_mapping(b, s->main); /* the first mapping is the program's */
	struct ep_profile *p = ep_build_profile(b);
	p->duration_ns = (int64_t)(s->last_ns - s->first_ns);
	if (s->n_events != 1 || !s->event[0].name.n || !p->sample_types)
		return;
	p->period_type = p->sample_types[p->n_sample_types - 1];
	p->period = s->event[0].same_period ? s->event[0].period : 0;
}

/* --- samples ------------------------------------------------------------------ */

static uint32_t add_label(struct script *s, struct ep_label *to, const char *key,
			  struct ep_slice value)
{
	if (!value.n)
		return 0;
	*to = (struct ep_label){.key = ep_build_cstr(s->m.b, key),
				.str = ep_build_string(s->m.b, value)};
	return 1;
}

/* The location of the frame at `last` with the n inlined ones before it. */
static void add_location(struct script *s, const struct script_frame *f, size_t n)
{
	const struct ep_frame *outer = &f[n].f;
	if (!n || !outer->name.n) {
		for (size_t i = 0; i <= n; i++)
			ep_making_frame(&s->m, ep_frame_location(s->m.b, &f[i].f));
		return;
	}
	ep_buf_clear(&s->lines);
	for (size_t i = 0; i <= n; i++) {
		struct ep_line line = ep_frame_line(s->m.b, &f[i].f);
		ep_buf_add(&s->lines, &line, sizeof(line));
	}
	if (!ep_buf_failed(&s->lines))
		ep_making_frame(
			&s->m,
			ep_build_location(s->m.b, outer->address,
					  ep_frame_mapping(s->m.b, outer->binary),
					  (const struct ep_line *)(void *)s->lines.data,
					  (uint32_t)n + 1));
}

static void add_frames(struct script *s)
{
	struct script_frame *f = (void *)s->frames.data;
	size_t n = s->frames.len / sizeof(*f), first = 0;
	for (size_t i = 0; i < n; i++) {
		if (f[i].inlined && i + 1 < n)
			continue;
		/* Those of another address lie in calls of the same binary. */
		for (; first < i && f[first].f.address != f[i].f.address; first++) {
			f[first].f.binary = f[i].f.binary;
			add_location(s, &f[first], 0);
		}
		add_location(s, &f[first], i - first);
		first = i + 1;
	}
}

static int end_sample(struct script *s, struct ep_err *err)
{
	struct ep_label labels[MOST_LABELS];
	int64_t values[MOST_EVENTS + 1] = {1};
	if (!s->in_sample)
		return 0;
	if (ep_buf_failed(&s->frames))
		return ep_fail(err, ep_buf_failed(&s->frames), 0,
			       "no memory for a stack");
	s->in_sample = false;
	add_frames(s);
	uint32_t n = add_label(s, labels, "comm", s->head.comm);
	n += add_label(s, labels + n, "pid", s->head.pid);
	n += add_label(s, labels + n, "tid", s->head.tid);
	int column = 1;
	for (int i = 0; i < s->n_events; i++) {
		if (!s->event[i].name.n)
			continue;
		if (ep_slice_eq(s->event[i].name, s->head.event))
			values[column] = s->event[i].has_period ? s->head.period : 1;
		column++;
	}
	ep_build_sample(s->m.b, s->m.stack, s->m.n, labels, n, values);
	s->m.n = 0;
	ep_buf_clear(&s->frames);
	return 0;
}

static void add_frame(struct script *s, const struct script_frame *f)
{
	s->in_sample = true; /* samples without a head are told apart by empty lines */
	ep_buf_add(&s->frames, f, sizeof(*f));
}

static void start_sample(struct script *s)
{
	struct script_frame f;
	s->in_sample = true;
	ep_buf_clear(&s->frames);
	/* " 1244 cmp+0x4 (shop)", with the blank that indents it. */
	struct ep_slice lone = {s->head.rest.p - 1, s->head.rest.n + 1};
	if (s->head.rest.n && ep_scriptline_frame(lone, &f.f, &f.inlined) &&
	    (f.f.name.n || f.f.binary.n))
		add_frame(s, &f);
}

/* An indented line that is neither a frame nor its source is what other fields print.
 */
static void read_indented(struct script *s, struct ep_slice line)
{
	struct script_frame f;
	struct ep_slice file;
	int64_t n;
	if (ep_scriptline_frame(line, &f.f, &f.inlined)) {
		add_frame(s, &f);
	} else if (s->frames.len && ep_scriptline_source(line, &file, &n)) {
		struct script_frame *last =
			(void *)(s->frames.data + s->frames.len - sizeof(f));
		last->f.file = file;
		last->f.line = n;
	}
}

static int read_line(struct script *s, struct ep_err *err)
{
	struct ep_slice line = s->t.line;
	if (!ep_plaintext_trim(line).n) {
		EP_TRY(end_sample(s, err));
		s->head = (struct ep_scripthead){0};
		return 0;
	}
	if (line.p[0] == '#')
		return 0;
	if (ep_scriptline_is_indented(line)) {
		read_indented(s, line);
		return 0;
	}
	EP_TRY(end_sample(s, err));
	if (!ep_scriptline_head(line, &s->head))
		return ep_plaintext_fail(&s->t, err,
					 "perf script: neither a sample nor a frame");
	if (!is_record(&s->head))
		start_sample(s);
	return 0;
}

static int read_script(struct script *s, struct ep_profile **ret_p, struct ep_err *err)
{
	EP_TRY(note_all(s, err));
	set_types(s);
	while (ep_plaintext_next(&s->t))
		EP_TRY(read_line(s, err));
	EP_TRY(end_sample(s, err));
	if (s->m.failed)
		return ep_fail(err, s->m.failed, 0, "no memory for a stack");
	return ep_build_finish(s->m.b, ret_p, err);
}

/* A head or a frame first, and a frame soon; without any head one with a binary, for a
 * number and a word are in many files. */
static bool looks_like_script(struct ep_plaintext t)
{
	enum { LOOK_AT = 50, LOWEST = 0x100 };
	struct ep_scripthead h;
	struct ep_frame f;
	bool inlined, any = false, head = false;
	for (int i = 0; i < LOOK_AT && ep_plaintext_next(&t); i++) {
		if (ep_plaintext_is_blank(t.line))
			continue;
		if (ep_scriptline_frame(t.line, &f, &inlined)) {
			if (head || (f.binary.n && f.address >= LOWEST))
				return true;
		} else if (ep_scriptline_head(t.line, &h)) {
			head = true;
			struct ep_slice lone = {h.rest.p - 1, h.rest.n + 1};
			if (h.rest.n && ep_scriptline_frame(lone, &f, &inlined) &&
			    f.binary.n)
				return true;
		} else if (!any || !ep_scriptline_is_indented(t.line)) {
			return false;
		}
		any = true;
	}
	return false;
}

int ep_script_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		    struct ep_err *err)
{
	struct ep_plaintext t;
	ep_plaintext_open(&t, bytes);
	if (!looks_like_script(t))
		return EP_PARSER_OTHER;
	struct script *s ep_auto_mem = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "no memory for perf script");
	s->t = t;
	ep_buf_init(&s->frames, max_bytes);
	ep_buf_init(&s->lines, max_bytes);
	int rc = ep_making_init(&s->m, max_bytes, err);
	if (rc == 0)
		rc = read_script(s, ret_p, err);
	ep_making_fini(&s->m);
	ep_buf_fini(&s->frames);
	ep_buf_fini(&s->lines);
	return rc;
}
