/*
 * pprof.c - CPU time and memory of `everprof pprof`, beside the program behind
 * `go tool pprof`, with the same command lines, in turns in the same run.
 *
 * Whole processes, start-up and all; medians.  The last column is the floor: the CPU
 * time of a process that only unpacks the files of the row.
 *
 *   bench-pprof [WORD] [ROUNDS]    rows whose name holds WORD
 */
#include "made.h"
#include "measure.h"

#include "base/buf.h"
#include "codec/gzip.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096, MOST_ARGUMENTS = 80, SIXTY = 60 };

#define DATA "build-bench/data/"
static const char small[] = DATA "pprof-small.pb.gz",
		  typical[] = DATA "pprof-typical-00.pb.gz",
		  typical2[] = DATA "pprof-typical-01.pb.gz",
		  big[] = DATA "pprof-big.pb.gz", big2[] = DATA "pprof-big2.pb.gz";

struct row {
	const char *name;
	int rounds;
	const char *args[6]; /* before the files */
	const char *files[2];
	bool sixty; /* instead: sixty typical ones */
};

static const struct row rows[] = {
	{"start (-help)", 15, {"-help"}, {0}, false},
	{"small -top", 15, {"-top"}, {small}, false},
	{"typical -top", 15, {"-top"}, {typical}, false},
	{"typical -top -cum -tagfocus",
	 15,
	 {"-top", "-cum", "-nodecount=50", "-tagfocus=tenant-1"},
	 {typical},
	 false},
	{"typical -tree", 15, {"-tree"}, {typical}, false},
	{"typical -dot", 15, {"-dot"}, {typical}, false},
	{"typical -tags", 15, {"-tags"}, {typical}, false},
	{"typical -peek", 15, {"-peek=Method1"}, {typical}, false},
	{"typical -traces", 15, {"-traces"}, {typical}, false},
	{"typical -raw", 15, {"-raw"}, {typical}, false},
	{"typical -proto", 15, {"-proto", "-output=/dev/null"}, {typical}, false},
	{"typical -diff_base", 15, {"-top", "-diff_base", typical2}, {typical}, false},
	{"60 typical merged, -proto", 9, {"-proto", "-output=/dev/null"}, {0}, true},
	{"60 typical merged, -top", 9, {"-top"}, {0}, true},
	{"big -top", 3, {"-top"}, {big}, false},
	{"big -top -tagfocus", 3, {"-top", "-tagfocus=tenant-1"}, {big}, false},
	{"big -dot", 3, {"-dot"}, {big}, false},
	{"big -tags", 3, {"-tags"}, {big}, false},
	{"big -peek", 3, {"-peek=Method1"}, {big}, false},
	{"big -raw", 3, {"-raw"}, {big}, false},
	{"big -proto", 3, {"-proto", "-output=/dev/null"}, {big}, false},
	{"big -top -diff_base", 3, {"-top", "-diff_base", big2}, {big}, false},
	{"two big merged, -proto",
	 3,
	 {"-proto", "-output=/dev/null"},
	 {big, big2},
	 false},
};

struct bench {
	char self[PATH], everprof[PATH], reference[PATH];
	char sixty[SIXTY][64];
};

/* --- files ---------------------------------------------------------------------- */

/* In a process of its own, so that its memory is not inherited by those measured. */
static int make(const char *kind, const char *seed, const char *path)
{
	struct made m = {160, 280, 150, (uint32_t)atoi(seed), false};
	if (strcmp(kind, "typical") == 0)
		m = (struct made){1800, 6000, 1500, (uint32_t)atoi(seed), false};
	if (strcmp(kind, "big") == 0)
		m = (struct made){5000, 60000, 1000000, (uint32_t)atoi(seed), true};
	return made_write(&m, path) < 0;
}

static int need(struct bench *b, const char *kind, int seed, const char *path)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", seed);
	struct costs not_counted = {0};
	return access(path, R_OK) == 0
		       ? 0
		       : measure_once((char *[]){b->self, "--make", (char *)kind,
						 number, (char *)path, NULL},
				      &not_counted);
}

static int make_files(struct bench *b)
{
	(void)mkdir(DATA, 0777); /* may be there */
	int rc = need(b, "small", 1, small);
	for (int i = 0; i < SIXTY; i++) {
		snprintf(b->sixty[i], sizeof(b->sixty[i]),
			 DATA "pprof-typical-%02d.pb.gz", i);
		rc |= need(b, "typical", i + 1, b->sixty[i]);
	}
	return rc | need(b, "big", 1, big) | need(b, "big", 2, big2);
}

/* The floor: unpack each file, and nothing more. */
static int unpack(char *const *files)
{
	for (; *files; files++) {
		struct stat st;
		FILE *f = fopen(*files, "rb");
		if (!f || fstat(fileno(f), &st) < 0)
			return 1;
		ep_auto_buf in, out;
		ep_buf_init(&in, SIZE_MAX);
		ep_buf_init(&out, SIZE_MAX);
		void *data = malloc((size_t)st.st_size);
		if (!data ||
		    fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size ||
		    ep_gzip_unpack(data, (size_t)st.st_size, &out, NULL) < 0)
			return 1;
		free(data);
		fclose(f);
	}
	return 0;
}

/* --- programs -------------------------------------------------------------------- */

static void first_line(const char *command, char *ret)
{
	FILE *f = popen(command, "r");
	if (!f || !fgets(ret, PATH, f))
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (f)
		pclose(f);
	if (access(ret, X_OK) != 0)
		ret[0] = '\0';
}

static int find_programs(struct bench *b)
{
	ssize_t n = readlink("/proc/self/exe", b->self, sizeof(b->self) - 1);
	if (n < 0)
		return -1;
	char copy[PATH];
	memcpy(copy, b->self, sizeof(copy));
	if (snprintf(b->everprof, PATH, "%s/everprof", dirname(dirname(copy))) >= PATH)
		return -1;
	/* The first call may build it; that is not counted. */
	first_line("PATH=$PATH:/usr/local/go/bin; go tool -n pprof 2>/dev/null",
		   b->reference);
	/* No folder of the user's is searched, and none written to. */
	setenv("PPROF_BINARY_PATH", "/nonexistent", 1);
	setenv("PPROF_TMPDIR", "/tmp", 1);
	return access(b->everprof, X_OK);
}

/* --- the table ---------------------------------------------------------------------
 */

/* A command line: program, arguments, files; arguments left out when NULL. */
static void compose(struct bench *b, const struct row *row, char **argv,
		    const char *program, const char *first)
{
	int n = 0;
	argv[n++] = (char *)program;
	if (first)
		argv[n++] = (char *)first;
	bool floor = first && strcmp(first, "--unpack") == 0;
	for (int i = 0; i < 6 && row->args[i]; i++)
		if (!floor || strstr(row->args[i], ".pb.gz"))
			argv[n++] = (char *)row->args[i];
	for (int i = 0; i < 2 && row->files[i]; i++)
		argv[n++] = (char *)row->files[i];
	for (int i = 0; row->sixty && i < SIXTY; i++)
		argv[n++] = b->sixty[i];
	argv[n] = NULL;
}

static void print(const struct row *row, const struct costs *theirs,
		  const struct costs *ours, const struct costs *floor)
{
	struct cost o = measure_median(ours), f = measure_median(floor);
	printf("| %s |", row->name);
	if (theirs->n) {
		struct cost t = measure_median(theirs);
		printf(" %.1f | %.1f | %.2f | %.1f | %.1fx | %.1fx |", t.cpu_s * 1e3,
		       t.rss_mb, o.cpu_s * 1e3, o.rss_mb, t.cpu_s / o.cpu_s,
		       t.rss_mb / o.rss_mb);
	} else {
		printf(" | | %.2f | %.1f | | |", o.cpu_s * 1e3, o.rss_mb);
	}
	printf(" %.2f |\n", f.cpu_s * 1e3);
	fflush(stdout);
}

static void measure(struct bench *b, const struct row *row, int rounds)
{
	char *theirs[MOST_ARGUMENTS], *ours[MOST_ARGUMENTS], *floor[MOST_ARGUMENTS];
	compose(b, row, theirs, b->reference, NULL);
	compose(b, row, ours, b->everprof, "pprof");
	compose(b, row, floor, b->self, "--unpack");
	struct costs t = {0}, o = {0}, f = {0};
	for (int i = 0; i < (rounds ? rounds : row->rounds); i++)
		if ((b->reference[0] && measure_once(theirs, &t)) ||
		    measure_once(ours, &o) || measure_once(floor, &f)) {
			printf("| %s | failed |\n", row->name);
			return;
		}
	print(row, &t, &o, &f);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "--make"))
		return make(argv[2], argv[3], argv[4]);
	if (argc >= 2 && !strcmp(argv[1], "--unpack"))
		return unpack(argv + 2);
	static struct bench b;
	if (find_programs(&b) != 0 || make_files(&b) != 0) {
		fprintf(stderr, "bench: everprof or the profiles can't be made\n");
		return 1;
	}
	double load = 0;
	getloadavg(&load, 1);
	printf("Load %.1f.%s\n\n", load,
	       b.reference[0] ? "" : " Go is not here: everprof alone.");
	printf("| | pprof CPU ms | MB | everprof CPU ms | MB | CPU | memory | "
	       "unpacking, CPU ms |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (argc < 2 || strstr(rows[i].name, argv[1]))
			measure(&b, &rows[i], argc > 2 ? atoi(argv[2]) : 0);
	return 0;
}
