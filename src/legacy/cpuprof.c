/*
 * cpuprof.c - the binary CPU profile of gperftools, and of Java under Google's agent.
 *
 * Words: 0, 3, 0 (C++) or 1 (Java), the period in microseconds, 0.  Then records COUNT,
 * N, N addresses; at their end 0, 1, 0; then text: the memory map, or Java's names.
 *
 * Source: gperftools docs/cpuprofile-fileformat.html; the reference's reader.
 */
#include "legacy/parsers.h"
#include "legacy/javanames.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"

struct cpu {
	const uint8_t *at, *end;
	unsigned word; /* bytes */
	bool big;      /* endian */
	bool java;
	int64_t period_ns;
};

struct record {
	uint64_t count, n;
	const uint8_t *frames; /* words; those behind the end of the file are 0 */
};

/* A word at p; 0 when it is not whole. */
static uint64_t word_at(const struct cpu *c, const uint8_t *p)
{
	uint64_t v = 0;
	if (p >= c->end || (size_t)(c->end - p) < c->word)
		return 0;
	for (unsigned i = 0; i < c->word; i++)
		v |= (uint64_t)p[c->big ? c->word - 1 - i : i] << (8 * i);
	return v;
}

static bool read_title(struct cpu *c)
{
	enum { WORDS = 5 };
	uint64_t w[WORDS];
	if ((size_t)(c->end - c->at) < (size_t)WORDS * c->word)
		return false;
	for (int i = 0; i < WORDS; i++)
		w[i] = word_at(c, c->at + (size_t)i * c->word);
	if (w[0] || w[1] != 3 || w[2] > 1 || !w[3] || w[4])
		return false;
	c->java = w[2];
	c->period_ns = (int64_t)(w[3] * 1000);
	c->at += (size_t)WORDS * c->word;
	return true;
}

static bool open_cpu(struct cpu *c, struct ep_slice bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	static const struct {
		unsigned word;
		bool big;
	} kinds[] = {{4, false}, {4, true}, {8, false}, {8, true}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		*c = (struct cpu){.at = p,
				  .end = p + bytes.n,
				  .word = kinds[i].word,
				  .big = kinds[i].big};
		if (read_title(c))
			return true;
	}
	return false;
}

/* 1: *ret is the next; 0: they are at their end, and c stands behind it; -EBADMSG: they
 * are no records, so this is no such file. */
static int next_record(struct cpu *c, struct record *ret)
{
	size_t left = (size_t)(c->end - c->at);
	if (!left)
		return 0;
	if (left < 2 * (size_t)c->word)
		return -EBADMSG;
	struct record r = {.count = word_at(c, c->at),
			   .n = word_at(c, c->at + c->word)};
	r.frames = c->at + 2 * (size_t)c->word;
	left -= 2 * (size_t)c->word;
	if (r.n > left / 4) /* whatever the size of a word is */
		return -EBADMSG;
	c->at = r.n * c->word > left ? c->end : r.frames + r.n * c->word;
	if (!r.count && r.n == 1 && !word_at(c, r.frames))
		return 0;
	*ret = r;
	return 1;
}

static uint64_t frame_of(const struct cpu *c, const struct record *r, uint64_t i)
{
	return word_at(c, r->frames + i * c->word);
}

static void set_types(const struct cpu *c, struct ep_build *b)
{
	struct ep_profile *p = ep_build_profile(b);
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	p->period_type.type = ep_build_cstr(b, "cpu");
	p->period_type.unit = ep_build_cstr(b, "nanoseconds");
	p->period = c->period_ns;
}

/* --- frames of the signal handler --------------------------------------------- */

/* Second frames to leave out, one after the other. */
struct strip {
	uint64_t frame[2];
	unsigned n;
};

/* The place of the second frame once those are left out; n when there is none. */
static uint64_t second_of(const struct cpu *c, const struct record *r,
			  const struct strip *s)
{
	uint64_t at = 1;
	for (unsigned i = 0; i < s->n && at < r->n; i++)
		if (frame_of(c, r, at) == s->frame[i])
			at++;
	return at < r->n ? at : r->n;
}

/* The second frame of more than half of the samples, if there is such a one, by voting:
 * what differs cancels out. */
static uint64_t commonest_second(struct cpu c, const struct strip *s)
{
	struct record r;
	uint64_t best = 0, votes = 0;
	while (next_record(&c, &r) > 0) {
		uint64_t at = second_of(&c, &r, s);
		if (at == r.n)
			continue;
		uint64_t frame = frame_of(&c, &r, at);
		if (!votes)
			best = frame;
		votes += frame == best ? 1 : (uint64_t)-1;
	}
	return best;
}

/* Do all samples but one in 32 have it? */
static bool is_in_most(struct cpu c, const struct strip *s, uint64_t frame)
{
	enum { SIMILAR = 32 };
	struct record r;
	uint64_t n = 0, n_with = 0;
	for (; next_record(&c, &r) > 0; n++) {
		uint64_t at = second_of(&c, &r, s);
		n_with += at < r.n && frame_of(&c, &r, at) == frame;
	}
	return n_with && n_with >= n - n / SIMILAR;
}

/* What nearly all samples have behind the leaf is the signal's own. */
static struct strip find_strip(const struct cpu *c)
{
	struct strip s = {.n = 0};
	while (s.n < 2) {
		uint64_t frame = commonest_second(*c, &s);
		if (!is_in_most(*c, &s, frame))
			break;
		s.frame[s.n++] = frame;
	}
	return s;
}

/* --- samples ------------------------------------------------------------------ */

static void add_values(const struct cpu *c, const struct record *r, struct ep_making *m)
{
	int64_t time = (int64_t)(r->count * (uint64_t)c->period_ns);
	ep_making_sample(m, (const int64_t[]){(int64_t)r->count, time}, NULL);
}

/* The leaf is where it is; callers stand behind their calls. */
static void add_sample(const struct cpu *c, const struct record *r,
		       const struct strip *s, struct ep_making *m)
{
	uint64_t leaf = r->n ? frame_of(c, r, 0) : 0;
	if (r->n)
		ep_making_address(m, leaf);
	uint64_t second = r->n > 1 ? second_of(c, r, s) : r->n;
	for (uint64_t i = second; i < r->n; i++)
		ep_making_address(m, frame_of(c, r, i) - 1);
	/* The walk found the leaf once more; its location stays. */
	if (m->n > 1 && !m->failed && frame_of(c, r, second) == leaf)
		memmove(m->stack + 1, m->stack + 2, (--m->n - 1) * sizeof(*m->stack));
	add_values(c, r, m);
}

/* Are there only records to the end? */
static bool check(struct cpu c)
{
	struct record r;
	int rc;
	while ((rc = next_record(&c, &r)) > 0)
		;
	return rc == 0;
}

static int read_cpp(struct cpu *c, struct ep_making *m, struct ep_err *err)
{
	struct strip strip = find_strip(c);
	struct record r;
	struct ep_plaintext t;
	while (next_record(c, &r) > 0)
		add_sample(c, &r, &strip, m);
	ep_plaintext_open(
		&t, (struct ep_slice){(const char *)c->at, (size_t)(c->end - c->at)});
	return ep_memorymap_place(&t, m->b, err);
}

/* Names instead of a map; no frame is a return address. */
static int read_java(struct cpu *c, struct ep_making *m, struct ep_err *err)
{
	struct record r;
	struct ep_plaintext t;
	while (next_record(c, &r) > 0) {
		for (uint64_t i = 0; i < r.n; i++)
			ep_making_address(m, frame_of(c, &r, i));
		add_values(c, &r, m);
	}
	ep_plaintext_open(
		&t, (struct ep_slice){(const char *)c->at, (size_t)(c->end - c->at)});
	return ep_javanames_read(&t, m->b, err);
}

int ep_cpuprof_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		     struct ep_err *err)
{
	struct cpu c;
	if (!open_cpu(&c, bytes) || !check(c))
		return EP_PARSER_OTHER;
	ep_auto_making m;
	EP_TRY(ep_making_init(&m, max_bytes, err));
	set_types(&c, m.b);
	EP_TRY(c.java ? read_java(&c, &m, err) : read_cpp(&c, &m, err));
	return ep_making_finish(&m, ret_p, err);
}
