#include "test.h"

#include "symbol/objdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ep_object_inst *parse(char *text, size_t *ret_n)
{
	struct ep_object_inst *insts = NULL;
	assert_int_equal(ep_objdump_parse(text, strlen(text), &insts, ret_n), 0);
	return insts;
}

static void is_inst(struct ep_object_inst i, uint64_t address, const char *text,
		    const char *function, const char *file, int line)
{
	assert_int_equal(i.address, address);
	assert_string_equal(i.text, text);
	assert_string_equal(i.function, function);
	assert_string_equal(i.file, file);
	assert_int_equal(i.line, line);
}

TEST(gnu_objdump_names_function_file_and_line)
{
	char text[] = "\n/tmp/a:     file format elf64-x86-64\n\n\n"
		      "Disassembly of section .text:\n\n"
		      "0000000000001139 <main>:\n"
		      "main():\n"
		      "/tmp/a.c:3\n"
		      "    1139:\tpush   %rbp\n"
		      "    113a:\tmov    %rsp,%rbp\n"
		      "/tmp/a.c:12 (discriminator 3)\n"
		      "    113d:\tret\n";
	size_t n;
	struct ep_object_inst *i = parse(text, &n);
	assert_int_equal(n, 3);
	is_inst(i[0], 0x1139, "push   %rbp", "main", "/tmp/a.c", 3);
	is_inst(i[1], 0x113a, "mov    %rsp,%rbp", "main", "/tmp/a.c", 3);
	is_inst(i[2], 0x113d, "ret", "main", "/tmp/a.c", 12);
	ep_free(i);
}

TEST(llvm_objdump_marks_its_lines_with_a_semicolon)
{
	char text[] = "\n/tmp/a:\tfile format elf64-x86-64\n\n"
		      "Disassembly of section .text:\n\n"
		      "0000000000001139 <main>:\n"
		      "; main():\n"
		      "; /tmp/a.c:3\n"
		      "    1139:      \tpushq\t%rbp\n\n";
	size_t n;
	struct ep_object_inst *i = parse(text, &n);
	assert_int_equal(n, 1);
	is_inst(i[0], 0x1139, "pushq\t%rbp", "main", "/tmp/a.c", 3);
	ep_free(i);
}

TEST(a_cpp_function_keeps_its_parameters_as_the_reference_does)
{
	char text[] = "std::sort(int*, int*):\n/tmp/a.cc:3\n 10:\tnop\n"
		      "f(int):\n 11:\tnop\n"
		      "\n 12:\tnop\n";
	size_t n;
	struct ep_object_inst *i = parse(text, &n);
	assert_int_equal(n, 3);
	is_inst(i[0], 0x10, "nop", "std::sort(int*, int*)", "/tmp/a.cc", 3);
	is_inst(i[1], 0x11, "nop", "(int)", "/tmp/a.cc", 3);
	is_inst(i[2], 0x12, "nop", "", "", 0);
	ep_free(i);
}

TEST(hostile_output_is_only_strange)
{
	char text[] = ":\n::::\n();\n():\n;\n; :5\n:5\n"
		      "fffffffffffffffff: nop\n"       /* no such address */
		      "a.c:99999999999999999999\n"     /* no such line */
		      " ffffffffffffffff:\t\001\xff\n" /* the last address there is */
		      "12:\n12: \n12:x\n";
	size_t n;
	struct ep_object_inst *i = parse(text, &n);
	assert_int_equal(n, 1);
	assert_int_equal(i[0].address, UINT64_MAX);
	assert_string_equal(i[0].text, "\001\xff");
	assert_string_equal(i[0].file, "");
	assert_int_equal(i[0].line, 5);
	ep_free(i);

	char none[] = "";
	i = parse(none, &n);
	assert_int_equal(n, 0);
	ep_free(i);
}

/* A folder with programs of our own making, in place of a real objdump. */
struct tools {
	char dir[64];
};

static void add_tool(const struct tools *t, const char *name, const char *script)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

static struct tools tools_new(void)
{
	struct tools t = {"/tmp/test-objdump-XXXXXX"};
	assert_non_null(mkdtemp(t.dir));
	return t;
}

static void tools_free(const struct tools *t)
{
	static const char *const names[] = {"objdump", "llvm-objdump"};
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", t->dir, names[i]);
		(void)unlink(path); /* not all tests make both */
	}
	assert_int_equal(rmdir(t->dir), 0);
}

static int run(const struct tools *t, bool intel, char *ret_text, struct ep_err *err)
{
	ep_auto(ep_objdump) d = NULL;
	assert_int_equal(ep_objdump_new(t->dir, &d, NULL), 0);
	const struct ep_object_inst *insts;
	size_t n;
	int rc = ep_objdump_run(d, "-file", 0x1000, 0x1010, intel, &insts, &n, err);
	if (rc == 0) {
		assert_int_equal(n, 1);
		strcpy(ret_text, insts[0].text);
	}
	return rc;
}

#define GNU "case $1 in --version) echo 'GNU objdump 2.40'; exit;; esac; "
#define LLVM "case $1 in --version) echo 'Debian LLVM version 14.0.6'; exit;; esac; "

TEST(the_command_line_is_that_of_the_reference)
{
	struct tools t = tools_new();
	struct ep_err err = {0};
	char text[512];
	add_tool(&t, "objdump", GNU "echo \"1: $*\"");
	assert_int_equal(run(&t, false, text, &err), 0);
	assert_string_equal(
		text, "--disassemble --demangle --no-show-raw-insn --line-numbers "
		      "--start-address=0x1000 --stop-address=0x1010 ./-file");
	assert_int_equal(run(&t, true, text, &err), 0);
	assert_non_null(strstr(text, " -M intel ./-file"));

	/* LLVM's goes first, as it does there; one that is too old is passed over. */
	add_tool(&t, "llvm-objdump", LLVM "echo \"1: $*\"");
	assert_int_equal(run(&t, true, text, &err), 0);
	assert_non_null(strstr(text, " --x86-asm-syntax=intel ./-file"));
	add_tool(&t, "llvm-objdump", "echo 'LLVM version 7.0.1'");
	assert_int_equal(run(&t, true, text, &err), 0);
	assert_non_null(strstr(text, " -M intel"));
	tools_free(&t);
}

TEST(no_objdump_is_said_in_one_sentence)
{
	struct tools t = tools_new();
	struct ep_err err = {0};
	char text[512];
	assert_int_equal(run(&t, false, text, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot disasm: no objdump tool available"));
	tools_free(&t);
}

TEST(the_reason_of_a_failure_is_passed_on)
{
	struct tools t = tools_new();
	struct ep_err err = {0};
	char text[512];
	add_tool(&t, "objdump", GNU "echo 'file truncated' >&2; echo more >&2; exit 1");
	assert_int_equal(run(&t, false, text, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "failed: file truncated"));
	assert_null(strchr(err.text, '\n'));
	tools_free(&t);
}

TEST(much_output_on_both_pipes_does_not_block)
{
	struct tools t = tools_new();
	struct ep_err err = {0};
	char text[512];
	add_tool(&t, "objdump",
		 GNU "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; "
		     "echo; echo 1: nop");
	assert_int_equal(run(&t, false, text, &err), 0);
	assert_string_equal(text, "nop");
	tools_free(&t);
}

TEST(an_entry_for_objdump_alone_goes_before_the_others)
{
	struct tools a = tools_new(), b = tools_new();
	add_tool(&a, "objdump", "");
	add_tool(&b, "objdump", "");
	char list[256], *path = NULL, want[128];
	snprintf(list, sizeof(list), "%s,nm:/nowhere,objdump:%s", a.dir, b.dir);
	assert_int_equal(ep_objdump_find_tool(list, "objdump", &path), 0);
	snprintf(want, sizeof(want), "%s/objdump", b.dir);
	assert_string_equal(path, want);
	ep_free(path);
	assert_int_equal(ep_objdump_find_tool("nm:/usr/bin", "objdump", &path), -ENOENT);
	assert_int_equal(ep_objdump_find_tool("/nowhere", "sh", &path), -ENOENT);
	assert_int_equal(ep_objdump_find_tool("", "sh", &path), 0);
	ep_free(path);
	tools_free(&a);
	tools_free(&b);
}
