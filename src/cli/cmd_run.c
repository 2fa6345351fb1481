/*
 * cmd_run.c - everprof run: a program with libeverprof preloaded.
 *
 * Sets the environment and becomes the program; nothing of everprof stays behind.
 */
#include "cli/commands.h"

#include "base/buf.h"
#include "cli/flags.h"
#include "cli/preload.h"
#include "elf/elf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SERVER "http://127.0.0.1:4040"

static const char about[] =
	"Profiles a program from inside, without a change to it: its CPU time by function, "
	"thread and label, pushed to the server every ten seconds, and kept on disk while no "
	"server is there. Its children are profiled too. With EVERPROF_OUT=FILE the whole run "
	"is also written to FILE when it ends. Any dynamically linked program will do.";

static const char examples[] =
	"  everprof run -- ./program --its-flag\n"
	"  everprof run --name checkout --server http://10.0.0.5:4040 -- ./shop\n"
	"  EVERPROF_OUT=cpu.pb.gz everprof run -- sqlite3 big.db < report.sql\n";

/* The file exec would take; "" when there is none. */
static void find_program(const char *name, char ret_path[PATH_MAX])
{
	const char *path = getenv("PATH");
	if (strchr(name, '/') || !path) {
		snprintf(ret_path, PATH_MAX, "%s", name);
		return;
	}
	while (*path) {
		size_t n = strcspn(path, ":");
		snprintf(ret_path, PATH_MAX, "%.*s%s%s", (int)n, path, n ? "/" : "", name);
		struct stat st;
		if (stat(ret_path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(ret_path, X_OK) == 0)
			return;
		path += n + (path[n] == ':');
	}
	ret_path[0] = '\0';
}

static bool is_static(const char *path)
{
	ep_auto(ep_elf) e = NULL;
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool has_loader = false, is_elf = false;
	if (fd >= 0 && ep_elf_open(fd, &e, NULL) == 0) {
		is_elf = true;
		const Elf64_Phdr *p = ep_elf_segments(e, &n);
		for (size_t i = 0; i < n; i++)
			has_loader |= p[i].p_type == PT_INTERP;
	}
	if (fd >= 0)
		close(fd);
	return is_elf && !has_loader; /* a script is its interpreter's matter */
}

/* One sentence on why the program will run unprofiled, or NULL. */
static const char *why_not(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) && getuid() != 0)
		return "is setuid or setgid, so the system ignores preloaded libraries";
	if (is_static(path))
		return "is linked statically, so nothing can be preloaded; link it with "
		       "libeverprof.a, or use `everprof record`";
	return NULL;
}

static int prepend_preload(const char *library)
{
	ep_auto_buf b;
	const char *theirs = getenv("LD_PRELOAD");
	ep_buf_init(&b, 1 << 20);
	ep_buf_add_str(&b, library);
	if (theirs && *theirs)
		ep_buf_printf(&b, ":%s", theirs);
	return ep_buf_failed(&b) || setenv("LD_PRELOAD", ep_buf_cstr(&b), 1) < 0 ? -ENOMEM : 0;
}

static void set_environment(const char *name, const char *server)
{
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (name)
		setenv("EVERPROF_NAME", name, 1);
	if (server)
		setenv("EVERPROF_SERVER", server, 1);
	else
		setenv("EVERPROF_SERVER", DEFAULT_SERVER, 0);
	/* The program keeps this pid, so it is the one that owns EVERPROF_OUT. */
	if (getenv("EVERPROF_OUT"))
		setenv("EVERPROF_OUT_ROOT", pid, 1);
}

/* The library never prints, and would have nobody else to tell. */
static void look_at_log(const char *path)
{
	int fd = path && *path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666) : -1;
	if (fd >= 0)
		close(fd);
	else if (path && *path)
		fprintf(stderr, "everprof run: EVERPROF_LOG %s can't be written: %s\n", path,
			strerror(errno));
}

int ep_cmd_run(int argc, char **argv)
{
	const char *name = NULL, *server = NULL, *why;
	const struct ep_flag table[] = {
		{"name", 'n', "SERVICE", EP_FLAG_STRING, &name,
		 "the service (EVERPROF_NAME, or the program's name)"},
		{"server", 's', "URL", EP_FLAG_STRING, &server,
		 "push here (EVERPROF_SERVER, or " DEFAULT_SERVER ")"},
		{0},
	};
	struct ep_flags flags = {.command = "run",
				 .synopsis = "[FLAGS] -- COMMAND [ARGUMENTS]",
				 .about = about,
				 .examples = examples,
				 .flags = table};
	char library[PATH_MAX], program[PATH_MAX];
	int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
	if (rc >= 0)
		return rc;
	if (rest >= argc) {
		fprintf(stderr, "everprof run: no command; try `everprof run -- ./program`\n");
		return 2;
	}
	if (ep_preload_find(library) < 0) {
		fprintf(stderr, "everprof run: libeverprof.so is not beside everprof nor in its "
				"library folder\n");
		return 1;
	}
	find_program(argv[rest], program);
	if ((why = why_not(program)) != NULL)
		fprintf(stderr, "everprof run: %s %s; it runs without a profile\n", argv[rest],
			why);
	if (prepend_preload(library) < 0)
		return 1;
	set_environment(name, server);
	look_at_log(getenv("EVERPROF_LOG"));
	execvp(argv[rest], argv + rest);
	rc = errno;
	fprintf(stderr, "everprof run: %s: %s\n", argv[rest], strerror(rc));
	return rc == ENOENT ? 127 : 126;
}
