/*
 * store.c - what it costs to keep a typical profile and to ask for many.
 *
 *     bench-store [PROFILES [SERIES [FOLDER]]]
 *
 * A typical profile: 1,500 stacks of depth 20 to 40, 3 labels in 50 combinations,
 * two columns.  60 distinct ones a service take turns, a minute apart, for each of
 * the series.  What stands beside each: the same profiles as pprof.gz files, written
 * and synced, and for flame graphs decoded and merged.
 */
#include "base/clock.h"
#include "profile/build.h"
#include "profile/decode.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "query/fntree.h"
#include "query/query.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DISTINCT = 60, STACKS = 1500, FUNCTIONS = 4000, SETS = 50 };

static uint64_t state = 1;

static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t cpu_ns(void)
{
	return ep_clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static uint32_t frame(struct ep_build *b, uint32_t k)
{
	char name[96];
	struct ep_function f = {.start_line = k % 500};
	snprintf(name, sizeof(name), "example.com/shop/package%u.(*Type%u).Method%u",
		 k % 90, k % 300, k);
	f.name = f.system_name = ep_build_cstr(b, name);
	snprintf(name, sizeof(name), "/src/example.com/shop/package%u/file%u.go",
		 k % 90, k % 7);
	f.filename = ep_build_cstr(b, name);
	struct ep_line l = {.function = ep_build_function(b, &f), .line = k % 900};
	return ep_build_location(b, 0x400000 + k * 16, EP_NONE, &l, 1);
}

/* A tree of calls with few children near the root: 1,500 of its 20,000 paths. */
static uint32_t stack_of(struct ep_build *b, uint32_t which, uint32_t *v)
{
	uint32_t depth = 20 + which % 21;
	uint64_t at = 0;
	for (uint32_t k = 0; k < depth; k++) { /* root first */
		uint32_t fan = k < 8 ? 1 + (k & 1) : 3;
		at = at * 31 + (uint64_t)((which >> (k % 13)) % fan) + 1;
		v[depth - 1 - k] = frame(b, (uint32_t)(at % FUNCTIONS));
	}
	return depth;
}

static struct ep_profile *typical(void)
{
	struct ep_build *b = NULL;
	uint32_t stack[64];
	if (ep_build_new(0, &b) < 0)
		abort();
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	ep_str cpu = ep_build_cstr(b, "cpu"), ns = ep_build_cstr(b, "nanoseconds");
	ep_build_profile(b)->period_type = (struct ep_value_type){cpu, ns};
	ep_build_profile(b)->period = 10000000;
	for (uint32_t i = 0; i < STACKS; i++) {
		uint32_t n = stack_of(b, (uint32_t)(next() % 20000), stack),
			 set = (uint32_t)(next() % SETS);
		struct ep_label l[3] = {{0}};
		const char *const keys[] = {"endpoint", "tenant", "stage"};
		for (uint32_t k = 0; k < 3; k++) {
			char value[32];
			snprintf(value, sizeof(value), "%s-%u", keys[k],
				 k ? set % (2 + k * 3) : set);
			l[k].key = ep_build_cstr(b, keys[k]);
			l[k].str = ep_build_cstr(b, value);
		}
		int64_t count = 1 + (int64_t)(next() % 4);
		ep_build_sample(b, stack, n, l, 3,
				(int64_t[]){count, count * 10000000});
	}
	struct ep_profile *p = NULL;
	if (ep_build_finish(b, &p, NULL) < 0)
		abort();
	ep_build_free(b);
	return p;
}

static void must(int rc, const struct ep_err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

struct bench {
	struct ep_query_env env;
	uint64_t now_ns;
	double merge_ms; /* CPU of decoding and merging one file, 0: not measured */
	struct ep_buf files[DISTINCT];
};

static void row(const char *name, double wall_ms, double cpu_ms, double floor_ms)
{
	printf("%-34s %10.2f %10.2f", name, wall_ms, cpu_ms);
	if (floor_ms > 0)
		printf(" %10.2f %9.2fx", floor_ms, cpu_ms / floor_ms);
	printf("\n");
	fflush(stdout);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

typedef void ask_fn(struct bench *b, const struct ep_query *q);

/* n_files: how many profiles are behind the answer; 0 when nothing is compared. */
static void report(struct bench *b, const char *name, ask_fn *fn, const char *selector,
		   double hours, double n_files)
{
	double wall[11], cpu = 0;
	struct ep_query q = {
		.type = ep_slice_of("process_cpu:cpu:nanoseconds:cpu:nanoseconds"),
		.selector = ep_slice_of(selector),
		.until_ms = (int64_t)(b->now_ns / EP_NS_PER_MS)};
	q.from_ms = q.until_ms - (int64_t)(hours * 3600000) + 1;
	for (int i = 0; i < 11; i++) {
		uint64_t w = ep_clock_mono_ns(), c = cpu_ns();
		fn(b, &q);
		wall[i] = (double)(ep_clock_mono_ns() - w) / 1e6;
		cpu += (double)(cpu_ns() - c) / 1e6;
	}
	qsort(wall, 11, sizeof(wall[0]), by_size);
	row(name, wall[5], cpu / 11, n_files * b->merge_ms);
}

static void ask_tree(struct bench *b, const struct ep_query *q)
{
	struct ep_err err = {0};
	struct ep_tree *t = NULL;
	must(ep_query_tree(&b->env, q, &(struct ep_tree_opts){.max_nodes = 16384}, &t,
			   &err),
	     &err);
	ep_tree_free(t);
}

static void ask_series(struct bench *b, const struct ep_query *q)
{
	struct ep_err err = {0};
	struct ep_series *s = NULL;
	struct ep_slice by = ep_slice_of("service_name");
	struct ep_series_opts o = {.step_ms = 60000, .by = &by, .n_by = 1};
	must(ep_query_series(&b->env, q, &o, &s, &err), &err);
	ep_series_free(s);
}

static void ask_labels(struct bench *b, const struct ep_query *q)
{
	struct ep_err err = {0};
	struct ep_labels *l = NULL;
	must(ep_query_labels(&b->env, q, &l, &err), &err);
	ep_labels_free(l);
}

static void ask_diff(struct bench *b, const struct ep_query *q)
{
	struct ep_err err = {0};
	struct ep_tree *t = NULL;
	struct ep_query before = *q;
	before.from_ms -= 3600000;
	before.until_ms -= 3600000;
	must(ep_query_diff(&b->env, &before, q,
			   &(struct ep_tree_opts){.max_nodes = 16384}, &t, &err),
	     &err);
	ep_tree_free(t);
}

/* The same profiles as files: encoded, written and synced.  CPU ms of one. */
static double write_files(struct bench *b, struct ep_profile **v, const char *folder)
{
	char path[4096];
	struct ep_err err = {0};
	uint64_t c = cpu_ns();
	for (uint32_t i = 0; i < DISTINCT; i++) {
		ep_buf_init(&b->files[i], SIZE_MAX);
		must(ep_encode_gzip(v[i], &b->files[i], &err), &err);
		snprintf(path, sizeof(path), "%s/%u.pb.gz", folder, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (fd < 0 ||
		    write(fd, b->files[i].data, b->files[i].len) !=
			    (ssize_t)b->files[i].len ||
		    fdatasync(fd) < 0)
			abort();
		close(fd);
		unlink(path);
	}
	return (double)(cpu_ns() - c) / 1e6 / DISTINCT;
}

/* CPU ms a file of what a flame graph takes without a store. */
static double merge_files(struct bench *b)
{
	struct ep_profile *v[DISTINCT], *all = NULL;
	struct ep_err err = {0};
	uint64_t c = cpu_ns();
	for (uint32_t i = 0; i < DISTINCT; i++)
		must(ep_decode(b->files[i].data, b->files[i].len, 0, &v[i], &err),
		     &err);
	must(ep_merge((const struct ep_profile *const *)v, DISTINCT, 0, &all, &err),
	     &err);
	double ms = (double)(cpu_ns() - c) / 1e6 / DISTINCT;
	ep_profile_free(all);
	for (uint32_t i = 0; i < DISTINCT; i++) {
		ep_profile_free(v[i]);
		ep_buf_fini(&b->files[i]);
	}
	return ms;
}

static void fill(struct bench *b, uint32_t n, uint32_t n_series, const char *folder)
{
	struct ep_profile *v[DISTINCT];
	struct ep_err err = {0};
	for (uint32_t i = 0; i < DISTINCT; i++)
		v[i] = typical();
	double file_ms = write_files(b, v, folder);
	b->merge_ms = merge_files(b);
	uint64_t c = cpu_ns(), w = ep_clock_mono_ns();
	for (uint32_t i = 0; i < n * n_series; i++) {
		char pod[32];
		snprintf(pod, sizeof(pod), "pod-%u", i % n_series);
		struct ep_kv labels[] = {
			{ep_slice_of("__name__"), ep_slice_of("process_cpu")},
			{ep_slice_of("service_name"), ep_slice_of("shop")},
			{ep_slice_of("pod"), ep_slice_of(pod)}};
		struct ep_store_profile in = {
			.p = v[i % DISTINCT],
			.labels = labels,
			.n_labels = 3,
			.time_ns =
				b->now_ns - (uint64_t)(i / n_series) * 60 * EP_NS_PER_S,
			.duration_ns = 60 * EP_NS_PER_S};
		must(ep_store_append(b->env.store, &in, &err), &err);
	}
	row("append one profile",
	    (double)(ep_clock_mono_ns() - w) / 1e6 / (n * n_series),
	    (double)(cpu_ns() - c) / 1e6 / (n * n_series), file_ms);
	for (uint32_t i = 0; i < DISTINCT; i++)
		ep_profile_free(v[i]);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void seal(struct bench *b, uint32_t n)
{
	struct ep_err err = {0};
	uint64_t c = cpu_ns(), w = ep_clock_mono_ns();
	must(ep_store_seal(b->env.store, &err), &err);
	row("seal one profile", (double)(ep_clock_mono_ns() - w) / 1e6 / n,
	    (double)(cpu_ns() - c) / 1e6 / n, 0);
}

/* Bytes of the files below whose names end so. */
static uint64_t counted;
static const char *ending;

static int count_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	size_t n = strlen(path), k = strlen(ending);
	(void)at;
	if (kind == FTW_F && n >= k && !strcmp(path + n - k, ending))
		counted += (uint64_t)st->st_size;
	return 0;
}

static double part_kb(const char *folder, const char *suffix)
{
	counted = 0;
	ending = suffix;
	(void)nftw(folder, count_one, 16, FTW_PHYS); /* what it finds */
	return (double)counted / 1024;
}

static double folder_kb(const char *folder)
{
	return part_kb(folder, "");
}

static void ask_all(struct bench *b, uint32_t n, uint32_t n_series)
{
	uint32_t day = n < 1440 ? n : 1440, hour = n < 60 ? n : 60;
	report(b, "flame 1 h of one series", ask_tree, "{pod=\"pod-0\"}", 1, hour);
	report(b, "flame 24 h of one series", ask_tree, "{pod=\"pod-0\"}", 24, day);
	report(b, "flame 24 h of all", ask_tree, "{}", 24, (double)day * n_series);
	report(b, "flame 24 h of one label value", ask_tree,
	       "{endpoint=\"endpoint-7\"}", 24, (double)day * n_series);
	report(b, "series 24 h of all by service", ask_series, "{}", 24, 0);
	report(b, "labels 24 h", ask_labels, "{pod=\"pod-0\"}", 24, 0);
	report(b, "diff 1 h to 1 h", ask_diff, "{pod=\"pod-0\"}", 1, 2.0 * hour);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 1440,
		 n_series = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
	static char own[] = "build-bench/store-XXXXXX";
	const char *folder = argc > 3 ? argv[3] : mkdtemp(own);
	static struct bench b;
	struct ep_err err = {0};
	if (!folder)
		return 1;
	b.now_ns = ep_clock_wall_ns();
	printf("%-34s %10s %10s %10s %10s\n", "", "wall ms", "CPU ms", "files ms",
	       "of files");
	must(ep_fntrees_new(64 << 20, &b.env.trees), &err);
	must(ep_store_open(folder, &b.env.store, &err), &err);
	fill(&b, n, n_series, folder);
	printf("in a head, %.2f KB a profile\n", folder_kb(folder) / n / n_series);
	ask_all(&b, n, n_series);
	seal(&b, n * n_series);
	printf("sealed, %.2f KB a profile, %.2f without minutes\n",
	       folder_kb(folder) / n / n_series,
	       (folder_kb(folder) - part_kb(folder, ".minutes")) / n / n_series);
	ep_store_close(b.env.store);
	uint64_t w = ep_clock_mono_ns(), c = cpu_ns();
	must(ep_store_open(folder, &b.env.store, &err), &err);
	row("open", (double)(ep_clock_mono_ns() - w) / 1e6,
	    (double)(cpu_ns() - c) / 1e6, 0);
	ask_all(&b, n, n_series);
	printf("trees of functions %.2f MB\n",
	       (double)ep_fntrees_trim(b.env.trees, UINT64_MAX) / 1048576);
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("peak memory %ld MB\n", u.ru_maxrss / 1024);
	ep_store_close(b.env.store);
	ep_fntrees_free(b.env.trees);
	if (folder == own)
		(void)nftw(folder, remove_one, 16,
			   FTW_DEPTH | FTW_PHYS); /* nothing to do about it */
	return 0;
}
