/* made.c - see made.h. */
#include "made.h"

#include "profile/build.h"
#include "profile/encode.h"
#include "profile/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_DEPTH = 20, MAX_DEPTH = 40, LABEL_SETS = 50, LABELS = 3 };

/* splitmix64. */
static uint64_t random_of(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Locations of one function each, named as a service's code might be; with `inlines`
 * every eighth has its neighbour inlined. */
static void add_locations(struct ep_build *b, uint32_t n, bool inlines)
{
	struct ep_mapping m = {
		.start = 0x400000, .limit = 0x8000000, .has_functions = true};
	m.filename = ep_build_cstr(b, "/usr/bin/service");
	m.build_id = ep_build_cstr(b, "8f9b5d74c4aa1a8db2094432ce1c222fd8586087");
	uint32_t mapping = ep_build_mapping(b, &m);
	for (uint32_t i = 0; i < n; i++) {
		char name[80], file[80];
		snprintf(name, sizeof(name),
			 "example.com/service/package%u.(*Handler).Method%u", i / 40,
			 i);
		snprintf(file, sizeof(file), "/src/service/package%u/file%u.go", i / 40,
			 i / 8);
		struct ep_function f = {.name = ep_build_cstr(b, name),
					.filename = ep_build_cstr(b, file),
					.start_line = (int64_t)i % 900 + 1};
		f.system_name = f.name;
		struct ep_line line[2] = {{.function = ep_build_function(b, &f),
					   .line = f.start_line + 7}};
		uint32_t n_lines = inlines && i % 8 == 7 ? 2 : 1;
		line[1] =
			(struct ep_line){.function = line[0].function ^ 1, .line = 12};
		(void)ep_build_location(b, 0x400000 + (uint64_t)i * 64, mapping, line,
					n_lines);
	}
}

/* The stack of a number, leaf first.  Numbers that lie close share the path from the
 * root, the longer the closer, as stacks of one program do. */
static uint32_t stack_of(uint32_t number, uint32_t n_functions, uint32_t *stack)
{
	uint64_t state = number / 4;
	uint32_t depth =
		MIN_DEPTH + (uint32_t)(random_of(&state) % (MAX_DEPTH - MIN_DEPTH + 1));
	for (uint32_t i = 0; i < depth; i++) {
		uint32_t from_root = depth - 1 - i;
		uint32_t shared = from_root < 16 ? 16 - from_root : 0;
		uint64_t node = (uint64_t)(number >> shared) << 8 | from_root;
		stack[i] = (uint32_t)(random_of(&node) % n_functions);
	}
	return depth;
}

/* The same, as a call graph makes them: each function calls four others, and stacks
 * part in their last eight frames. */
static uint32_t path_of(uint32_t number, uint32_t n_functions, uint32_t *stack)
{
	uint64_t state = number >> 8;
	uint32_t depth =
		MIN_DEPTH + (uint32_t)(random_of(&state) % (MAX_DEPTH - MIN_DEPTH + 1));
	stack[depth - 1] = (uint32_t)(random_of(&state) % 12);
	for (uint32_t i = depth - 1; i-- > 0;) {
		uint64_t turn = (uint64_t)(number >> (i < 8 ? i : 8)) << 8 | i;
		uint64_t call = (uint64_t)stack[i + 1] << 2 | (random_of(&turn) & 3);
		stack[i] = (uint32_t)(random_of(&call) % n_functions);
	}
	return depth;
}

static void labels_of(struct ep_build *b, uint32_t set, struct ep_label *labels)
{
	static const char *const keys[LABELS] = {"endpoint", "region", "tenant"};
	for (uint32_t i = 0; i < LABELS; i++) {
		char value[40];
		snprintf(value, sizeof(value), "%s-%u", keys[i], set / (i * 3 + 1));
		labels[i] = (struct ep_label){.key = ep_build_cstr(b, keys[i]),
					      .str = ep_build_cstr(b, value)};
	}
}

/* A number below n, the smaller the likelier. */
static uint32_t draw(uint64_t *state, uint32_t n)
{
	/* As many from each power of two: near Zipf's law. */
	uint32_t bits = (uint32_t)random_of(state) % (33 - (uint32_t)__builtin_clz(n));
	return (uint32_t)((1u << bits) + random_of(state) % (1u << bits) - 1) % n;
}

static void add_samples(struct ep_build *b, const struct made *m)
{
	struct ep_label sets[LABEL_SETS][LABELS];
	for (uint32_t i = 0; i < LABEL_SETS; i++)
		labels_of(b, i, sets[i]);
	ep_str request = m->requests ? ep_build_cstr(b, "request_id") : 0;
	uint64_t state = 1 + m->seed;
	for (uint32_t i = 0; i < m->n_samples; i++) {
		uint32_t stack[MAX_DEPTH];
		uint32_t n = m->seed ? path_of(draw(&state, m->n_stacks),
					       m->n_functions, stack)
				     : stack_of(i % m->n_stacks, m->n_functions, stack);
		uint32_t set = (uint32_t)(random_of(&state) % LABEL_SETS);
		int64_t count = (int64_t)(random_of(&state) % 20) + 1;
		struct ep_label labels[LABELS + 1];
		memcpy(labels, sets[set], sizeof(sets[set]));
		labels[LABELS] = (struct ep_label){.key = request, .num = i + 1};
		ep_build_sample(b, stack, n, labels, LABELS + m->requests,
				(int64_t[]){count, count * 10000000});
	}
}

int made_write(const struct made *m, const char *path)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	ep_auto_buf out;
	ep_buf_init(&out, SIZE_MAX);
	if (ep_build_new(0, &b) < 0)
		return -1;
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	add_locations(b, m->n_functions, m->seed != 0);
	add_samples(b, m);
	struct ep_profile *head = ep_build_profile(b);
	head->time_ns = 1700000000000000000;
	head->duration_ns = 10000000000;
	head->period = 10000000;
	head->period_type.type = ep_build_cstr(b, "cpu");
	head->period_type.unit = ep_build_cstr(b, "nanoseconds");
	if (ep_build_finish(b, &p, NULL) < 0)
		return -1;
	ep_auto(ep_profile) in_use =
		NULL; /* numbered as they are met, as profilers do */
	if (m->seed &&
	    ep_merge((const struct ep_profile *const[]){p}, 1, 0, &in_use, NULL) < 0)
		return -1;
	if (ep_encode_gzip(in_use ? in_use : p, &out, NULL) < 0)
		return -1;
	FILE *f = fopen(path, "wb");
	if (!f)
		return -1;
	size_t n = fwrite(out.data, 1, out.len, f);
	return fclose(f) == 0 && n == out.len ? 0 : -1;
}
