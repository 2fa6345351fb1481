/*
 * misuse.c - calls that a program makes by mistake, or far too often.
 *
 *   misuse nothing   NULL for everything that may be missing
 *   misuse again     start and stop 1,000 times, then on four threads at once
 *   misuse ours      the library's own threads work under the program's locks
 *
 * Says what was wrong; exits with 0 when nothing was.
 */
#include <everprof.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int n_wrong;

#define CHECK(x)                                                                       \
	do {                                                                           \
		if (!(x)) {                                                            \
			fprintf(stderr, "line %d: %s\n", __LINE__, #x);                \
			n_wrong++;                                                     \
		}                                                                      \
	} while (0)

static void nothing(void)
{
	errno = 0;
	CHECK(!everprof_profile_new(NULL) && errno == EINVAL);
	CHECK(everprof_profile_add(NULL, NULL, 0) == -EINVAL);
	CHECK(everprof_profile_remove(NULL, NULL) == -EINVAL);
	CHECK(everprof_profile_write(NULL, 1, 1) == -EINVAL);
	CHECK(everprof_profile_count(NULL) == 0 && !everprof_profile_name(NULL));
	CHECK(!everprof_profile_lookup(NULL) && everprof_profile_list(NULL, 0) == 0);
	const char *const ours[] = {"heap", "cpu", "threads", "profile", "symbol", "wall", "tasks"};
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		errno = 0; /* though nothing runs yet, and there is none of this name */
		CHECK(!everprof_profile_new(ours[i]) && errno == EEXIST);
	}
	CHECK(everprof_http_start(NULL) == -EINVAL && !everprof_http_address());
	everprof_http_stop();
	CHECK(everprof_cpu_stop() == -EINVAL);
	CHECK(everprof_task_end(NULL) == 0 && !everprof_task_attach(NULL));
	CHECK(everprof_task_end(everprof_task_begin(NULL)) == 0);
	CHECK(!everprof_labels_attach(NULL) && !everprof_labels_derive_v(NULL, 0, NULL));
	everprof_profile *p = everprof_profile_new("things");
	CHECK(everprof_profile_add(p, NULL, 1000) == 0 && everprof_profile_remove(p, NULL) == 0);
}

static int entries(const char *folder)
{
	int n = 0;
	DIR *d = opendir(folder);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void *start_and_stop(void *arg)
{
	for (int i = 0; i < 50; i++) {
		CHECK(everprof_start(NULL) == 0);
		CHECK(everprof_stop() == 0);
	}
	return arg;
}

/* Threads of ours are gone a moment after the stop that waited for what they wrote. */
static void check_as_before(int descriptors, int threads)
{
	for (int i = 0; i < 1000 && entries("/proc/self/task") != threads; i++)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	CHECK(entries("/proc/self/task") == threads);
	CHECK(entries("/proc/self/fd") == descriptors);
}

static void again(void)
{
	int descriptors = 0, threads = entries("/proc/self/task");
	pthread_t t[4];
	for (int i = 0; i < 1000 && !n_wrong; i++) {
		CHECK(everprof_start(NULL) == 0);
		CHECK(everprof_stop() == 0);
		if (i == 9)
			descriptors = entries("/proc/self/fd");
	}
	check_as_before(descriptors, threads);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, start_and_stop, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	check_as_before(descriptors, threads);
}

static void *write_all(void *arg)
{
	everprof_profile *all[32];
	size_t n = everprof_profile_list(all, 32);
	int fd = open("/dev/null", O_WRONLY);
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < n && i < 32; i++)
			(void)everprof_profile_write(all[i], fd, 0);
	close(fd);
	return arg;
}

/* The listener answers on its own thread, under the lock that write_all() takes. */
static void fetch(void)
{
	const char ask[] = "GET /debug/pprof/heap HTTP/1.0\r\nHost: localhost\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char answer[4096];
	ssize_t n = 0, got;
	to.sin_port = htons((uint16_t)atoi(strchr(everprof_http_address(), ':') + 1));
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(write(fd, ask, sizeof(ask) - 1) == sizeof(ask) - 1);
	while ((got = read(fd, answer, sizeof(answer))) > 0)
		n += got;
	CHECK(n > 100);
	close(fd);
}

static void ours(void)
{
	pthread_t t[2];
	CHECK(everprof_start(NULL) == 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, write_all, NULL);
	for (int i = 0; i < 50; i++)
		fetch();
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(everprof_stop() == 0);
}

static void print(const char *text, void *user)
{
	(void)user;
	puts(text);
}

/* What is said of slips in the environment, or in the struct. */
static void slips(const char *types, const char *labels)
{
	const everprof_config c = {.types = types, .labels = labels, .message = print};
	int rc = everprof_start(&c);
	void *volatile kept = malloc(16 << 20);
	CHECK(kept);
	int rc_stop = everprof_stop(); /* it prints, too */
	printf("start %d stop %d\n", rc, rc_stop);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "nothing"))
		nothing();
	else if (!strcmp(what, "again"))
		again();
	else if (!strcmp(what, "ours"))
		ours();
	else if (!strcmp(what, "slips"))
		slips(argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
	else
		return 2;
	return n_wrong != 0;
}
