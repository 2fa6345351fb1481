/*
 * decode.c - CPU time and memory of reading a profile, and of reading and writing it
 * again, beside `go tool pprof -proto` of the same files, in turns in the same run.
 *
 * Each figure is the median of whole processes, start-up and all.  `-proto` of one
 * profile decodes, checks and writes gzip, which is what "+write" does here; the
 * reference is called with -symbolize=none, without which it does more.  The ratios are
 * to the program behind `go tool pprof` alone; the last columns are the command, which
 * spends time of its own before it starts that program.
 *
 * The first row is a process of ours that does nothing: what a small profile costs on
 * top of it is decoding.
 */
#include "made.h"
#include "measure.h"

#include "profile/decode.h"
#include "profile/encode.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 64, PATH = 4096 };

/* --- the child ---------------------------------------------------------------- */

static void *map_file(const char *path, size_t *ret_n)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return NULL;
	*ret_n = (size_t)st.st_size;
	void *data = mmap(NULL, *ret_n, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return data == MAP_FAILED ? NULL : data;
}

static int child(const char *mode, const char *path)
{
	if (strcmp(mode, "--nothing") == 0)
		return 0;
	size_t n;
	void *data = map_file(path, &n);
	if (!data)
		return 1;
	struct ep_err err = {0};
	ep_auto(ep_profile) p = NULL;
	int rc = ep_decode(data, n, SIZE_MAX, &p, &err);
	munmap(data, n);
	if (rc < 0) {
		fprintf(stderr, "%s at %d: %s\n", path, (int)err.pos, err.text);
		return 1;
	}
	if (strcmp(mode, "--read") == 0)
		return 0;
	ep_auto_buf out;
	ep_buf_init(&out, SIZE_MAX);
	if (ep_encode_gzip(p, &out, &err) < 0)
		return 1;
	return write(STDOUT_FILENO, out.data, out.len) != (ssize_t)out.len;
}

/* In a process of its own, so that its memory is not inherited by those measured. */
static int make(const char *name, const char *path)
{
	struct made m = {800, 150, 150};
	if (strcmp(name, "made-typical") == 0)
		m = (struct made){3000, 1500, 6000};
	if (strcmp(name, "made-big") == 0)
		m = (struct made){20000, 100000, 400000};
	return made_write(&m, path) < 0;
}

/* --- the table ---------------------------------------------------------------- */

struct bench {
	char self[PATH];
	char go[PATH];	     /* the go command; "" without Go */
	char go_pprof[PATH]; /* the program behind `go tool pprof` */
	char *files[MOST_FILES];
	int n_files;
};

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

#define WITH_GO "PATH=$PATH:/usr/local/go/bin; "

static void find_go(struct bench *b)
{
	first_line(WITH_GO "command -v go", b->go);
	/* The first call may build it; that is not counted. */
	first_line(WITH_GO "go tool -n pprof 2>/dev/null", b->go_pprof);
	if (!b->go_pprof[0])
		b->go[0] = '\0';
}

static void add_file(struct bench *b, const char *path)
{
	if (b->n_files < MOST_FILES)
		b->files[b->n_files++] = strdup(path);
}

/* The first `most` of a pattern below a folder. */
static void add_glob(struct bench *b, const char *folder, const char *pattern,
		     size_t most)
{
	char full[PATH];
	snprintf(full, sizeof(full), "%s/%s", folder, pattern);
	glob_t g;
	if (glob(full, 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc && i < most; i++)
		add_file(b, g.gl_pathv[i]);
	globfree(&g);
}

static void add_made(struct bench *b, const char *name)
{
	static char folder[] = "build-bench/data";
	(void)mkdir(folder, 0777); /* may be there */
	char path[PATH];
	snprintf(path, sizeof(path), "%s/%s.pb.gz", folder, name);
	struct costs not_counted = {0};
	if (access(path, R_OK) == 0 ||
	    measure_once((char *[]){b->self, "--make", (char *)name, path, NULL},
			 &not_counted) == 0)
		add_file(b, path);
	else
		fprintf(stderr, "bench: can't write %s\n", path);
}

static void find_files(struct bench *b)
{
	static const char *const real[] = {"cpu1.pb.gz", "heap.pb.gz",
					   "goroutine.pb.gz", "delta_heap.1.pb.gz",
					   "datadog-node-008.part-wall.pprof.pb.gz"};
	for (size_t i = 0; i < sizeof(real) / sizeof(*real); i++)
		add_glob(b, EP_BENCH_DATA "/pprof/real", real[i], 1);
	add_made(b, "made-small");
	add_made(b, "made-typical");
	add_made(b, "made-big");
	const char *more = getenv("EVERPROF_BENCH_DATA");
	if (!more)
		return;
	add_glob(b, more, "*.pb.gz", 8);
	add_glob(b, more, "small/*/*.pb.gz", 1);
	add_glob(b, more, "typical/*/*.pb.gz", 2);
}

/* The last two parts of a path. */
static const char *name_of(const char *path)
{
	const char *name = path;
	int slashes = 0;
	for (const char *c = path + strlen(path); c > path && slashes < 2; c--)
		if (*c == '/' && ++slashes == 2)
			name = c + 1;
	return name;
}

static int measure_go(const struct bench *b, const char *path, struct costs *command,
		      struct costs *program)
{
	char *go = (char *)b->go, *pprof = (char *)b->go_pprof, *file = (char *)path;
	if (!go[0])
		return 0;
	if (measure_once((char *[]){go, "tool", "pprof", "-proto", "-symbolize=none",
				    "-output=/dev/null", file, NULL},
			 command))
		return -1;
	return measure_once((char *[]){pprof, "-proto", "-symbolize=none",
				       "-output=/dev/null", file, NULL},
			    program);
}

static int measure_file(const struct bench *b, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return -1;
	char *self = (char *)b->self, *file = (char *)path;
	int rounds = st.st_size > 1 << 20 ? 3 : 9;
	struct costs read = {0}, write = {0}, command = {0}, program = {0};
	for (int i = 0; i < rounds; i++)
		if (measure_once((char *[]){self, "--read", file, NULL}, &read) ||
		    measure_once((char *[]){self, "--write", file, NULL}, &write) ||
		    measure_go(b, path, &command, &program))
			return -1;
	struct cost r = measure_median(&read), w = measure_median(&write);
	printf("%-33.33s %6.0f %8.2f %6.1f %8.2f %6.1f", name_of(path),
	       (double)st.st_size / 1024, r.cpu_s * 1e3, r.rss_mb, w.cpu_s * 1e3,
	       w.rss_mb);
	if (command.n) {
		struct cost c = measure_median(&command), p = measure_median(&program);
		printf(" %9.1f %7.1f %5.1fx %5.1fx %9.1f %5.0fx", p.cpu_s * 1e3,
		       p.rss_mb, p.cpu_s / w.cpu_s, p.rss_mb / w.rss_mb, c.cpu_s * 1e3,
		       c.cpu_s / w.cpu_s);
	}
	printf("\n");
	fflush(stdout);
	return 0;
}

static void measure_nothing(const struct bench *b)
{
	struct costs nothing = {0};
	for (int i = 0; i < MEASURE_MOST; i++)
		if (measure_once((char *[]){(char *)b->self, "--nothing", "", NULL},
				 &nothing))
			return;
	struct cost c = measure_median(&nothing);
	printf("%-33s %6s %8.2f %6.1f %8.2f %6.1f\n", "(nothing)", "", c.cpu_s * 1e3,
	       c.rss_mb, c.cpu_s * 1e3, c.rss_mb);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--make"))
		return make(argv[2], argv[3]);
	if (argc == 3 && !strncmp(argv[1], "--", 2))
		return child(argv[1], argv[2]);
	static struct bench b;
	ssize_t n = readlink("/proc/self/exe", b.self, sizeof(b.self) - 1);
	if (n < 0)
		return 1;
	find_go(&b);
	for (int i = 1; i < argc; i++)
		add_file(&b, argv[i]);
	if (argc == 1)
		find_files(&b);
	if (!b.go[0])
		printf("Go is not here: everprof alone.\n");
	printf("%-33s %6s %8s %6s %8s %6s%s\n", "profile", "KB", "read ms", "MB",
	       "+write", "MB",
	       b.go[0] ? "  go pprof      MB    CPU    mem   go tool    CPU" : "");
	measure_nothing(&b);
	for (int i = 0; i < b.n_files; i++)
		if (measure_file(&b, b.files[i]) < 0)
			printf("%-33.33s failed\n", name_of(b.files[i]));
	return 0;
}
