/* gen.c - see gen.h. */
#include "gen.h"

#include "profile/build.h"
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t gen_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static struct ep_build *cpu_build(void)
{
	struct ep_build *b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	struct ep_profile *p = ep_build_profile(b);
	p->period_type.type = ep_build_cstr(b, "cpu");
	p->period_type.unit = ep_build_cstr(b, "nanoseconds");
	ep_build_profile(b)->period = 10000000;
	return b;
}

static struct ep_profile *finish(struct ep_build *b)
{
	struct ep_profile *p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	ep_build_free(b);
	return p;
}

static uint32_t location(struct ep_build *b, uint32_t k, bool native)
{
	char name[64];
	if (native && k % 2) {
		struct ep_mapping m = {.start = 0x400000, .limit = 0x800000, .file_offset = 0x1000};
		m.filename = ep_build_cstr(b, "/usr/bin/shop");
		m.build_id = ep_build_cstr(b, "0123456789abcdef");
		return ep_build_location(b, 0x400000 + k * 64, ep_build_mapping(b, &m), NULL, 0);
	}
	struct ep_function f = {.start_line = k};
	snprintf(name, sizeof(name), "package/number%u.Function%u", k % 37, k);
	f.name = f.system_name = ep_build_cstr(b, name);
	snprintf(name, sizeof(name), "/src/package/number%u/file.go", k % 37);
	f.filename = ep_build_cstr(b, name);
	struct ep_line l = {.function = ep_build_function(b, &f), .line = k + 7};
	return ep_build_location(b, 0x1000 + k, EP_NONE, &l, 1);
}

struct ep_profile *gen_profile(const struct gen *g)
{
	struct ep_build *b = cpu_build();
	uint64_t r = g->seed;
	uint32_t *stack = malloc(sizeof(*stack) * (g->depth + 1));
	for (uint32_t i = 0; i < g->n_stacks; i++) {
		uint32_t depth = 1 + (uint32_t)(gen_random(&r) % g->depth);
		uint64_t at = gen_random(&r) % 7;
		for (uint32_t k = depth; k-- > 0;) { /* root first: near the root few functions */
			at = (at * 31 + gen_random(&r) % (2 + (depth - k) / 3)) % g->n_functions;
			stack[k] = location(b, (uint32_t)at, g->native);
		}
		struct ep_label labels[2] = {{0}};
		char value[32];
		snprintf(value, sizeof(value), "/api/%llu",
			 (unsigned long long)(g->n_sets ? gen_random(&r) % g->n_sets : 0));
		labels[0].key = ep_build_cstr(b, "endpoint");
		labels[0].str = ep_build_cstr(b, value);
		labels[1].key = ep_build_cstr(b, "bytes");
		labels[1].num = 512;
		labels[1].num_unit = ep_build_cstr(b, "bytes");
		int64_t n = 1 + (int64_t)(gen_random(&r) % 5);
		ep_build_sample(b, stack, depth, labels, g->n_sets ? 2 : 0,
				(int64_t[]){n, n * 10000000});
	}
	free(stack);
	return finish(b);
}

static void folded_line(struct ep_build *b, char *line)
{
	uint32_t stack[256], n = 0, n_labels = 0;
	struct ep_label labels[8] = {{0}};
	char *rest = strrchr(line, ';'), *save = NULL;
	rest = strchr(rest ? rest : line, ' ');
	*rest++ = '\0';
	char *frames[256];
	for (char *f = strtok_r(line, ";", &save); f; f = strtok_r(NULL, ";", &save))
		frames[n++] = f;
	for (uint32_t i = 0; i < n; i++)
		stack[i] = ep_build_named_frame(b, frames[n - 1 - i], "");
	int64_t count = strtoll(rest, &rest, 10);
	for (char *kv = strtok_r(rest, " ", &save); kv; kv = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(kv, '=');
		*eq = '\0';
		labels[n_labels].key = ep_build_cstr(b, kv);
		labels[n_labels++].str = ep_build_cstr(b, eq + 1);
	}
	ep_build_sample(b, stack, n, labels, n_labels, (int64_t[]){count, count * 10000000});
}

struct ep_profile *gen_folded(const char *lines)
{
	struct ep_build *b = cpu_build();
	char *copy = strdup(lines), *save = NULL;
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		folded_line(b, l);
	free(copy);
	return finish(b);
}

int gen_try_append(struct ep_store *s, const struct ep_profile *p, const char *service,
		   const char *labels, uint64_t time_ns, struct ep_err *err)
{
	struct ep_kv kv[16] = {{ep_slice_of("__name__"), ep_slice_of("process_cpu")},
			       {ep_slice_of("service_name"), ep_slice_of(service)}};
	uint32_t n = 2;
	char *copy = strdup(labels ? labels : ""), *save = NULL;
	for (char *l = strtok_r(copy, ",", &save); l; l = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(l, '=');
		*eq = '\0';
		kv[n].key = ep_slice_of(l);
		kv[n++].value = ep_slice_of(eq + 1);
	}
	struct ep_store_profile in = {.p = p,
				      .labels = kv,
				      .n_labels = n,
				      .time_ns = time_ns,
				      .duration_ns = 10000000000ull};
	int rc = ep_store_append(s, &in, err);
	free(copy);
	return rc;
}

unsigned gen_seal_every;

void gen_append(struct ep_store *s, const struct ep_profile *p, const char *service,
		const char *labels, uint64_t time_ns)
{
	struct ep_err err = {0};
	if (gen_try_append(s, p, service, labels, time_ns, &err) < 0)
		fail_msg("append: %s", err.text);
	static _Atomic unsigned n;
	if (gen_seal_every && ++n % gen_seal_every == 0 && ep_store_seal(s, &err) < 0)
		fail_msg("seal: %s", err.text);
}

char *gen_folder(void)
{
	char name[] = "/tmp/everprof-unit-XXXXXX";
	assert_non_null(mkdtemp(name));
	return strdup(name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void gen_remove(char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}
