/*
 * custom.c - custom profiles: connections opened at two places, under labels; errors.
 *
 * custom FOLDER: writes FOLDER/conns.pb.gz and FOLDER/conns.txt; exits with 0 when all
 * calls answered as they should.
 */
#include <everprof.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(x)                                                                       \
	do {                                                                           \
		if (!(x)) {                                                            \
			fprintf(stderr, "line %d: %s\n", __LINE__, #x);                \
			exit(1);                                                       \
		}                                                                      \
	} while (0)

static everprof_profile *conns;
static char things[1000];

static __attribute__((noinline)) void accept_one(int i)
{
	CHECK(everprof_profile_add(conns, &things[i], 0) == 0);
	__asm__ volatile("");
}

static __attribute__((noinline)) void dial_one(int i)
{
	EVERPROF_LABELS("peer", i % 2 ? "odd" : "even")
		CHECK(everprof_profile_add(conns, &things[i], 0) == 0);
}

static __attribute__((noinline)) void wrapper(int key)
{
	CHECK(everprof_profile_add(conns, (void *)(long)key, 1) == 0); /* not its own frame */
	__asm__ volatile("");
}

static void *remove_on_a_thread(void *arg)
{
	for (int i = 0; i < 100; i++)
		CHECK(everprof_profile_remove(conns, &things[i]) == 0);
	return arg;
}

static void write_to(const char *folder, const char *name, int debug)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0666);
	CHECK(fd >= 0 && everprof_profile_write(conns, fd, debug) == 0);
	close(fd);
}

int main(int argc, char **argv)
{
	everprof_profile *found[8];
	pthread_t t;
	CHECK(argc == 2);
	conns = everprof_profile_new("conns");
	CHECK(conns && !strcmp(everprof_profile_name(conns), "conns"));
	CHECK(!everprof_profile_new("conns") && errno == EEXIST);
	CHECK(!everprof_profile_new("../x") && errno == EINVAL);
	CHECK(!everprof_profile_new("") && !everprof_profile_new(NULL));
	CHECK(everprof_profile_lookup("conns") == conns && !everprof_profile_lookup("none"));
	CHECK(everprof_profile_list(found, 8) == 1 && found[0] == conns);

	for (int i = 0; i < 600; i++)
		accept_one(i);
	for (int i = 600; i < 1000; i++)
		dial_one(i);
	CHECK(everprof_profile_add(conns, &things[5], 0) == -EEXIST);
	CHECK(everprof_profile_remove(conns, "nobody") == -ENOENT);
	CHECK(everprof_profile_count(conns) == 1000);
	CHECK(!pthread_create(&t, NULL, remove_on_a_thread, NULL) && !pthread_join(t, NULL));
	CHECK(everprof_profile_remove(conns, &things[0]) == -ENOENT);
	wrapper(0); /* a handle, and zero is one */
	wrapper(7);
	CHECK(everprof_profile_count(conns) == 902);
	write_to(argv[1], "conns.pb.gz", 0);
	write_to(argv[1], "conns.txt", 1);
	return 0;
}
