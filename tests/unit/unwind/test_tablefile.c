/* Tables as files: found, shared, refused when they are another's or broken, swept. */
#include "test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "unwind/build/frames.h"
#include "unwind/build/tablecache.h"
#include "unwind/build/tablesweep.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A folder in which nothing but the test writes. */
struct folder {
	char path[64];
	int fd;
};

static struct folder new_folder(void)
{
	struct folder f = {.path = "/tmp/ep-tables-XXXXXX"};
	assert_non_null(mkdtemp(f.path));
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY);
	assert_true(f.fd >= 0);
	return f;
}

static void drop_folder(struct folder *f)
{
	char command[96];
	close(f->fd);
	snprintf(command, sizeof(command), "rm -rf %s", f->path);
	assert_int_equal(system(command), 0);
}

static struct ep_tablecache cache_of(const char *path)
{
	struct ep_tablecache c;
	ep_tablecache_init(&c, &(struct ep_tablecache_config){.setting = path});
	return c;
}

/* A table of n functions. */
static const struct ep_table *make_table(const struct ep_compile_key *key, int n,
					 struct ep_buf *b)
{
	struct ep_cfa_rows rows = {0};
	ep_buf_init(b, 1 << 24);
	for (int i = 0; i < n; i++) {
		uint64_t pc = 0x1000 + 100 * (uint64_t)i;
		struct ep_rule r = {.kind = EP_CFA_SP, .cfa_off = 8 + i};
		assert_int_equal(ep_cfa_rows_begin(&rows, pc, pc + 50), 0);
		assert_int_equal(ep_cfa_rows_add(&rows, pc, r), 0);
	}
	assert_int_equal(ep_cfa_rows_write(&rows, key->build_id, key->image, b, NULL), 0);
	ep_cfa_rows_fini(&rows);
	return (const struct ep_table *)b->data;
}

static const struct ep_compile_key KEY = {.build_id = "abcd", .image = 77};

static char *path_in(const struct folder *f, const struct ep_compile_key *key)
{
	static char path[PATH_MAX];
	char name[EP_TABLEFILE_NAME_MAX];
	ep_tablefile_name(key, name);
	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

static int self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	assert_true(fd >= 0);
	return fd;
}

static int n_files(const struct folder *f)
{
	char command[128];
	int n;
	snprintf(command, sizeof(command), "ls -A %s | grep -v '^[.]swept' | wc -l", f->path);
	FILE *p = popen(command, "r");
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

TEST(tablefile_comes_back_as_it_was_written)
{
	struct folder f = new_folder();
	struct ep_tablefile got;
	ep_auto_buf b;
	const struct ep_table *t = make_table(&KEY, 30, &b);
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), -ENOENT);
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, t), 0);
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), 0);
	assert_int_equal(got.n_mapped, b.len);
	assert_memory_equal(got.table, t, b.len);
	ep_tablefile_release(&got);
	assert_int_equal(n_files(&f), 1); /* nothing temporary stays */
	drop_folder(&f);
}

TEST(tablefile_that_is_there_already_is_left_alone)
{
	struct folder f = new_folder();
	struct stat before, after;
	ep_auto_buf b;
	const struct ep_table *t = make_table(&KEY, 30, &b);
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, t), 0);
	assert_int_equal(stat(path_in(&f, &KEY), &before), 0);
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, t), -EEXIST);
	assert_int_equal(stat(path_in(&f, &KEY), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(n_files(&f), 1);
	drop_folder(&f);
}

TEST(tablefile_of_another_key_is_refused)
{
	static const struct ep_compile_key others[] = {
		{.build_id = "abce", .image = 77}, {.build_id = "abcd", .image = 78}, {.image = 77}};
	struct folder f = new_folder();
	struct ep_tablefile got;
	ep_auto_buf b;
	const struct ep_table *t = make_table(&KEY, 30, &b);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ep_tablefile_write(f.fd, &others[i], t), 0);
		assert_int_equal(ep_tablefile_map(f.fd, &others[i], &got), -EBADMSG);
	}
	drop_folder(&f);
}

static void write_raw(const char *path, const void *data, size_t n, mode_t mode)
{
	(void)unlink(path); /* it may not be there */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

TEST(tablefile_with_any_bit_turned_or_cut_anywhere_is_refused)
{
	struct folder f = new_folder();
	struct ep_tablefile got;
	ep_auto_buf b;
	(void)make_table(&KEY, 6, &b);
	for (size_t i = 0; i < 8 * b.len; i++) {
		b.data[i / 8] ^= (uint8_t)(1 << i % 8);
		write_raw(path_in(&f, &KEY), b.data, b.len, 0444);
		assert_true(ep_tablefile_map(f.fd, &KEY, &got) < 0);
		b.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < b.len; n++) {
		write_raw(path_in(&f, &KEY), b.data, n, 0444);
		assert_true(ep_tablefile_map(f.fd, &KEY, &got) < 0);
	}
	write_raw(path_in(&f, &KEY), b.data, b.len, 0444);
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), 0);
	ep_tablefile_release(&got);
	drop_folder(&f);
}

TEST(tablefile_that_somebody_could_write_to_is_not_used)
{
	struct folder f = new_folder();
	struct ep_tablefile got;
	ep_auto_buf b;
	(void)make_table(&KEY, 6, &b);
	static const mode_t bad[] = {0644, 0464, 0446, 0777};
	for (int i = 0; i < 4; i++) {
		write_raw(path_in(&f, &KEY), b.data, b.len, bad[i]);
		assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), -EACCES);
	}
	char target[PATH_MAX];
	snprintf(target, sizeof(target), "%s/elsewhere", f.path);
	write_raw(target, b.data, b.len, 0444);
	assert_int_equal(unlink(path_in(&f, &KEY)), 0);
	assert_int_equal(symlink(target, path_in(&f, &KEY)), 0);
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), -EACCES);
	assert_int_equal(unlink(path_in(&f, &KEY)), 0);
	assert_int_equal(mkfifo(path_in(&f, &KEY), 0444), 0); /* opening one must not wait */
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), -EACCES);
	drop_folder(&f);
}

/* In a child that is another user: 0 if `f` said so. */
static int as_nobody(int (*f)(const char *path), const char *path)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(setgid(65534) < 0 || setuid(65534) < 0 ? 99 : f(path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int writes_and_cannot_cut(const char *path)
{
	ep_auto_buf b;
	struct ep_tablefile got;
	struct ep_tablecache c = cache_of(path);
	const struct ep_table *t = make_table(&KEY, 30, &b);
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	char name[EP_TABLEFILE_NAME_MAX];
	ep_tablefile_name(&KEY, name);
	if (ep_tablefile_write(dir, &KEY, t) < 0 || ep_tablecache_find(&c, &KEY, &got) < 0)
		return 1;
	/* What a shell's > and truncate(1) do, by the owner himself. */
	if (openat(dir, name, O_WRONLY | O_TRUNC) >= 0 || openat(dir, name, O_RDWR) >= 0)
		return 2;
	return 0;
}

TEST(tablefile_is_not_cut_short_even_by_its_owner_unless_he_asks_for_it_first)
{
	if (geteuid() != 0)
		skip();
	struct folder f = new_folder();
	assert_int_equal(chown(f.path, 65534, 65534), 0);
	assert_int_equal(as_nobody(writes_and_cannot_cut, f.path), 0);
	drop_folder(&f);
}

static int finds(const char *path)
{
	struct ep_tablefile got;
	struct ep_tablecache c = cache_of(path);
	return ep_tablecache_find(&c, &KEY, &got) == 0 ? 0 : 1;
}

TEST(tablecache_of_root_is_read_by_all_and_one_of_another_user_by_nobody)
{
	if (geteuid() != 0)
		skip();
	struct folder f = new_folder();
	ep_auto_buf b;
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, make_table(&KEY, 9, &b)), 0);
	assert_int_equal(chmod(f.path, 0755), 0);
	assert_int_equal(as_nobody(finds, f.path), 0);
	assert_int_equal(chown(path_in(&f, &KEY), 1, 1), 0); /* the file is another's */
	assert_int_equal(as_nobody(finds, f.path), 1);
	assert_int_equal(finds(f.path), 1);
	drop_folder(&f);
	f = new_folder();
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, (void *)b.data), 0);
	assert_int_equal(chmod(f.path, 0755), 0);
	assert_int_equal(chown(f.path, 1, 1), 0); /* the folder is */
	assert_int_equal(as_nobody(finds, f.path), 1);
	assert_int_equal(finds(f.path), 1);
	drop_folder(&f);
}

TEST(tablecache_folder_that_others_may_write_to_is_not_used)
{
	struct folder f = new_folder();
	ep_auto_buf b;
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, make_table(&KEY, 9, &b)), 0);
	assert_int_equal(finds(f.path), 0);
	assert_int_equal(chmod(f.path, 0770), 0);
	assert_int_equal(finds(f.path), 1);
	assert_int_equal(chmod(f.path, 01777), 0);
	assert_int_equal(finds(f.path), 1);
	drop_folder(&f);
}

TEST(tablecache_makes_a_table_once_and_shares_it)
{
	struct folder f = new_folder();
	char below[PATH_MAX];
	snprintf(below, sizeof(below), "%s/a/b", f.path);
	struct ep_tablecache c = cache_of(below);
	struct ep_tablefile first, second;
	struct ep_err err = {0};
	int fd = self();
	if (ep_tablecache_make(&c, fd, true, &first, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(first.n_mapped > 0); /* its own copy is gone at once */
	assert_int_equal(ep_tablecache_make(&c, fd, true, &second, &err), 0);
	assert_true(second.n_mapped > 0);
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 26);
	assert_int_equal(ep_compile_file(fd, &b, &err), 0);
	assert_memory_equal(second.table, b.data, b.len);
	ep_tablefile_release(&first);
	ep_tablefile_release(&second);
	close(fd);
	drop_folder(&f);
}

TEST(tablecache_makes_a_broken_file_anew)
{
	struct folder f = new_folder();
	struct ep_tablecache c = cache_of(f.path);
	struct ep_tablefile got;
	struct ep_compile_key key;
	ep_auto(ep_elf) e = NULL;
	int fd = self();
	assert_int_equal(ep_elf_open(fd, &e, NULL), 0);
	assert_int_equal(ep_compile_key(e, &key, NULL), 0);
	write_raw(path_in(&f, &key), "not a table", 11, 0444);
	assert_int_equal(ep_tablecache_make(&c, fd, true, &got, NULL), 0);
	assert_true(got.n_mapped > 0);
	ep_tablefile_release(&got);
	assert_int_equal(ep_tablecache_find(&c, &key, &got), 0);
	ep_tablefile_release(&got);
	close(fd);
	drop_folder(&f);
}

TEST(tablecache_that_is_off_or_cannot_be_written_gives_tables_all_the_same)
{
	static const char *const settings[] = {"off", "/proc/nowhere", "relative", "/dev/null"};
	for (int i = 0; i < 4; i++) {
		struct ep_tablecache c = cache_of(settings[i]);
		struct ep_tablefile got;
		int fd = self();
		assert_int_equal(ep_tablecache_make(&c, fd, true, &got, NULL), 0);
		assert_int_equal(got.n_mapped, 0);
		assert_int_equal(got.table->magic, EP_TABLE_MAGIC);
		ep_tablefile_release(&got);
		close(fd);
	}
}

TEST(tablecache_says_where_it_is)
{
	struct ep_tablecache c;
	bool root = geteuid() == 0;
	ep_tablecache_init(&c, &(struct ep_tablecache_config){.home = "/home/u", .cache_home = "/c"});
	assert_string_equal(c.own, root ? EP_TABLECACHE_SYSTEM : "/c/everprof/unwind");
	assert_string_equal(c.system, root ? "" : EP_TABLECACHE_SYSTEM);
	ep_tablecache_init(&c, &(struct ep_tablecache_config){.home = "/home/u"});
	assert_string_equal(c.own, root ? EP_TABLECACHE_SYSTEM : "/home/u/.cache/everprof/unwind");
	ep_tablecache_init(&c, &(struct ep_tablecache_config){.home = "/home/u", .read_only = true});
	assert_string_equal(c.own, "");
	assert_string_equal(c.system, EP_TABLECACHE_SYSTEM);
	ep_tablecache_init(&c, &(struct ep_tablecache_config){.setting = "off", .home = "/home/u"});
	assert_string_equal(c.own, "");
	assert_string_equal(c.system, "");
}

static void write_for_ever(int dir, struct ep_table *t)
{
	struct ep_compile_key key = KEY;
	for (key.image = 0;; key.image++) {
		t->image = key.image;
		t->checksum = ep_hash64_sealed(t, t->n_bytes, offsetof(struct ep_table, checksum));
		(void)ep_tablefile_write(dir, &key, t); /* until it is killed */
	}
}

/* Killed over and over in the middle of writing, by a parent that does not wait for it. */
TEST(tablecache_survives_writers_that_are_killed_at_any_moment)
{
	struct folder f = new_folder();
	struct ep_tablefile got;
	struct ep_compile_key key = KEY;
	ep_auto_buf b;
	const struct ep_table *t = make_table(&KEY, 20000, &b);
	unsigned n_whole = 0;
	for (unsigned round = 0; round < 60; round++) {
		pid_t pid = fork();
		if (pid == 0)
			write_for_ever(f.fd, (struct ep_table *)t);
		struct timespec nap = {0, 200000 + round * 100000};
		nanosleep(&nap, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		for (key.image = 0; access(path_in(&f, &key), F_OK) == 0; key.image++) {
			/* Whatever has a name is whole. */
			assert_int_equal(ep_tablefile_map(f.fd, &key, &got), 0);
			ep_tablefile_release(&got);
			assert_int_equal(unlink(path_in(&f, &key)), 0);
			n_whole++;
		}
	}
	assert_true(n_whole > 0);
	struct ep_tablesweep_limits l = {UINT64_MAX, UINT64_MAX, 1000, 100};
	(void)ep_tablesweep_now(f.fd, &l, (uint64_t)time(NULL) + 500);
	assert_int_equal(n_files(&f), 0); /* half-written ones go when they are old */
	drop_folder(&f);
}

TEST(tablecache_is_filled_by_many_at_once)
{
	enum { N = 12 };
	struct folder f = new_folder();
	struct ep_tablecache c = cache_of(f.path);
	pid_t pids[N];
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct ep_tablefile got;
			int rc = ep_tablecache_make(&c, self(), true, &got, NULL);
			_exit(rc == 0 && got.n_mapped ? 0 : 1);
		}
	}
	for (int i = 0; i < N; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0); /* all have the shared one */
	}
	assert_int_equal(n_files(&f), 1);
	drop_folder(&f);
}

static void age(const struct folder *f, const struct ep_compile_key *key, long seconds)
{
	struct timespec t[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
	assert_int_equal(utimensat(AT_FDCWD, path_in(f, key), t, 0), 0);
}

TEST(tablesweep_removes_the_old_and_then_the_oldest)
{
	enum { N = 40 };
	struct folder f = new_folder();
	struct ep_compile_key key = KEY;
	struct stat st;
	ep_auto_buf b;
	const struct ep_table *t = make_table(&KEY, 3000, &b);
	char stranger[PATH_MAX];
	snprintf(stranger, sizeof(stranger), "%s/notes.txt", f.path);
	write_raw(stranger, "mine", 4, 0644);
	for (int i = 0; i < N; i++) {
		key.image = (uint64_t)i;
		assert_int_equal(ep_tablefile_write(f.fd, &key, t), 0);
		age(&f, &key, 100 * i);
	}
	assert_int_equal(stat(path_in(&f, &key), &st), 0);
	uint64_t one = (uint64_t)st.st_blocks * 512;
	/* The last ten are over the age; of the thirty left, half are over the size. */
	struct ep_tablesweep_limits l = {20 * one, 15 * one, 2950, 1000};
	assert_int_equal(ep_tablesweep_now(f.fd, &l, (uint64_t)time(NULL)), 25);
	for (int i = 0; i < N; i++) {
		key.image = (uint64_t)i;
		assert_int_equal(access(path_in(&f, &key), F_OK), i < 15 ? 0 : -1);
	}
	assert_int_equal(access(stranger, F_OK), 0);
	assert_int_equal(ep_tablesweep_now(f.fd, &l, (uint64_t)time(NULL)), 0);
	drop_folder(&f);
}

TEST(tablefile_that_is_of_use_grows_no_older)
{
	struct folder f = new_folder();
	struct ep_tablefile got;
	struct stat st;
	ep_auto_buf b;
	assert_int_equal(ep_tablefile_write(f.fd, &KEY, make_table(&KEY, 9, &b)), 0);
	age(&f, &KEY, 80 * 86400);
	assert_int_equal(ep_tablefile_map(f.fd, &KEY, &got), 0);
	ep_tablefile_release(&got);
	assert_int_equal(stat(path_in(&f, &KEY), &st), 0);
	assert_true(time(NULL) - st.st_mtime < 3600);
	drop_folder(&f);
}

/*
 * Tables outlive the program that made them.  If this fails, the compiler makes something
 * else of the same frames: EP_TABLE_MAKER goes up, and this number with it.
 */
TEST(maker_says_what_the_compiler_makes)
{
	static const struct ep_frames_code code = {0x1000, 0x10000000};
	static const char *const seeds[] = {"gzip", "loader", "static"};
	uint64_t all = 0;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		char path[128];
		size_t n;
		snprintf(path, sizeof(path), "fuzz/eh_frame/%s", seeds[i]);
		uint8_t *data = ep_test_read_data(path, &n);
		struct ep_frames_input in = {.data = data,
					     .n = n,
					     .vaddr = 0x100000,
					     .data_base = 0x200000,
					     .code = &code,
					     .n_code = 1};
		struct ep_cfa_rows rows = {0};
		ep_auto_buf b;
		ep_buf_init(&b, 64 << 20);
		if (!ep_frames_compile(&in, &rows, NULL) &&
		    !ep_cfa_rows_write(&rows, NULL, 0, &b, NULL))
			all = ep_hash_mix(all, ep_hash64(b.data + sizeof(struct ep_table),
							 b.len - sizeof(struct ep_table)));
		ep_cfa_rows_fini(&rows);
		free(data);
	}
	static const struct { uint32_t maker; uint64_t hash; } known = {1, 0x21a14da39e51ebad};
	assert_int_equal(EP_TABLE_MAKER, known.maker);
	assert_int_equal(all, known.hash);
}
