#include "test.h"

#include "cli/configfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct limits {
	uint64_t rate;
	int64_t series;
};

struct options {
	const char *out, *config;
	uint64_t wait_ns, max_bytes;
	int64_t pid;
	bool all;
	struct limits common, members[4];
	char names[4][16];
	unsigned n_members;
	struct ep_flag rows[5][3];
};

static const struct ep_flag *rows_of(struct ep_flag *to, struct limits *l)
{
	to[0] = (struct ep_flag){"rate", 0, "SIZE", EP_FLAG_SIZE, &l->rate, "bytes a second"};
	to[1] = (struct ep_flag){"series", 0, "N", EP_FLAG_INT, &l->series, "how many"};
	to[2] = (struct ep_flag){0};
	return to;
}

static const struct ep_flag *member(void *arg, const char *name, struct ep_err *err)
{
	struct options *o = arg;
	if (strlen(name) >= sizeof(o->names[0])) {
		ep_fail(err, -EINVAL, 0, "\"%s\" is too long", name);
		return NULL;
	}
	strcpy(o->names[o->n_members], name);
	o->members[o->n_members] = o->common;
	const struct ep_flag *rows = rows_of(o->rows[o->n_members], &o->members[o->n_members]);
	o->n_members++;
	return rows;
}

static const struct ep_flag *nth(void *arg, size_t i, const char **ret_name)
{
	struct options *o = arg;
	if (i >= o->n_members)
		return NULL;
	*ret_name = o->names[i];
	return rows_of(o->rows[i], &o->members[i]);
}

static int with_file(struct options *o, const char *text, struct ep_err *err, FILE *print)
{
	struct ep_flag table[] = {
		{"out", 'o', "FILE", EP_FLAG_STRING, &o->out, "write here"},
		{"config", 0, "FILE", EP_FLAG_STRING, &o->config, "read this first"},
		{"duration", 'd', "TIME", EP_FLAG_DURATION, &o->wait_ns, "how long"},
		{"max", 0, "SIZE", EP_FLAG_SIZE, &o->max_bytes, "bound"},
		{"pid", 'p', "PID", EP_FLAG_INT, &o->pid, "which\nprocess"},
		{"all", 'a', NULL, EP_FLAG_BOOL, &o->all, "all of them"},
		{0},
	};
	struct ep_flag common[3];
	struct ep_flag_section sections[] = {
		{.name = "limits", .help = "of all", .rows = rows_of(common, &o->common)},
		{.name = "tenants", .help = "of one", .member = member, .nth = nth, .arg = o},
		{0},
	};
	struct ep_flags f = {.command = "t", .about = "", .flags = table, .sections = sections};
	char path[] = "/tmp/ep-config-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	int rc = ep_configfile_read(&f, path, err);
	unlink(path);
	if (print)
		ep_configfile_print(&f, print);
	return rc;
}

static int read_text(struct options *o, const char *text, struct ep_err *err)
{
	return with_file(o, text, err, NULL);
}

TEST(configfile_sets_flags_of_every_kind)
{
	struct options o = {.wait_ns = 1, .max_bytes = 7};
	assert_int_equal(read_text(&o,
				   "# a comment\n"
				   "out: 'from # file'   # quoted\n"
				   "duration: 5s\n"
				   "pid: -3\n"
				   "all: true\n",
				   NULL),
			 0);
	assert_string_equal(o.out, "from # file");
	assert_int_equal(o.wait_ns, 5000000000ull);
	assert_int_equal(o.max_bytes, 7); /* not named: stays */
	assert_int_equal(o.pid, -3);
	assert_true(o.all);
}

TEST(configfile_an_empty_text_is_none_and_an_empty_file_is_fine)
{
	struct options o = {.out = "default"};
	assert_int_equal(read_text(&o, "", NULL), 0);
	assert_int_equal(read_text(&o, "# nothing\n", NULL), 0);
	assert_string_equal(o.out, "default");
	assert_int_equal(read_text(&o, "out: \"\"\nlimits:\n", NULL), 0);
	assert_null(o.out);
}

TEST(configfile_reads_sections_and_members)
{
	struct options o = {0};
	assert_int_equal(read_text(&o,
				   "limits:\n  rate: 4MB\n"
				   "tenants:\n  acme:\n    series: 10\n  beta: {rate: 1KB}\n  gamma:\n",
				   NULL),
			 0);
	assert_int_equal(o.common.rate, 4 << 20);
	assert_int_equal(o.n_members, 3);
	assert_string_equal(o.names[0], "acme");
	assert_int_equal(o.members[0].rate, 4 << 20); /* of the section before it */
	assert_int_equal(o.members[0].series, 10);
	assert_int_equal(o.members[1].rate, 1024);
}

TEST(configfile_a_mistake_names_file_line_key_and_what_is_allowed)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *words[3];
	} cases[] = {
		{"all: true\nwrong: 1\n", 2, {":2:", "\"wrong\"", "out, duration, max, pid, all, limits"}},
		{"limits:\n  rate: 1MB\n  out: x\n", 3, {":3:", "\"out\"", "rate, series"}},
		{"duration: soon\n", 1, {":1:", "duration wants a duration like", "\"soon\""}},
		{"max: [1, 2]\n", 1, {":1:", "max wants a size", "list"}},
		{"limits: 5\n", 1, {":1:", "limits is a section", ""}},
		{"tenants:\n  a-name-that-is-too-long: {}\n", 2, {":2:", "too long", "tenants"}},
		{"pid: 1\nall: true\npid: 2\n", 3, {":3:", "pid stands at line 1", ""}},
		{"config: other\n", 1, {":1:", "no key \"config\"", ""}},
		{"all: true\n  pid: [\n", 2, {":2:", "not YAML", ""}},
		{"out = x\n", 1, {":1:", "key = value", "the file is YAML: out: x"}},
		{"# old\nout=x\nall = true\n", 2, {":2:", "key = value", "out: x"}},
		{"- out\n", 1, {":1:", "key: value", ""}},
		{"? [a]\n: 1\n", 1, {":1:", "a key is a word", ""}},
		{"out: \x01\n", 1, {"not YAML", "", ""}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = {0};
		struct ep_err err = {0};
		assert_int_equal(read_text(&o, cases[i].text, &err), -EBADMSG);
		for (unsigned w = 0; w < 3; w++)
			if (!strstr(err.text, cases[i].words[w]))
				fail_msg("case %zu: \"%s\" is not in: %s", i, cases[i].words[w], err.text);
		if (cases[i].words[0][0] == ':')
			assert_int_equal(err.pos, cases[i].line);
	}
}

TEST(configfile_what_is_printed_loads_again_equal)
{
	struct options o = {.out = "a \"b\" \\ c#\t", .wait_ns = 5400000000000ull,
			    .max_bytes = 3 << 20, .pid = -1, .all = true};
	char *first = NULL, *second = NULL;
	size_t n;
	FILE *f = open_memstream(&first, &n);
	assert_int_equal(with_file(&o, "limits:\n  rate: 1537\ntenants:\n  a: {series: 3}\n", NULL, f), 0);
	fclose(f);
	assert_non_null(strstr(first, "# which process\npid: -1\n"));
	assert_non_null(strstr(first, "duration: 90m\n"));
	assert_non_null(strstr(first, "max: 3MB\n"));
	assert_null(strstr(first, "config:"));
	struct options again = {0};
	f = open_memstream(&second, &n);
	assert_int_equal(with_file(&again, first, NULL, f), 0);
	fclose(f);
	assert_string_equal(first, second);
	assert_string_equal(again.out, o.out);
	free(first);
	free(second);
}
