/* Frames of folded stacks, as the tools write them. */
#include "test.h"

#include "legacy/frame.h"

#include <stdio.h>

static void expect(const char *text, const char *want)
{
	struct ep_frame f = ep_frame_parse(ep_slice_of(text));
	char got[256];
	(void)snprintf(got, sizeof(got), "%.*s|%.*s:%lld|%.*s|%llx",
		       EP_SLICE_ARG(f.name), EP_SLICE_ARG(f.file), (long long)f.line,
		       EP_SLICE_ARG(f.binary), (unsigned long long)f.address);
	if (strcmp(got, want))
		fail_msg("%s:\n got %s\nwant %s", text, got, want);
}

TEST(names_are_kept_as_they_are)
{
	expect("do_syscall_64", "do_syscall_64|:0||0");
	expect("std::f<int, int>(char*)", "std::f<int, int>(char*)|:0||0");
	expect("operator() (int)", "operator() (int)|:0||0");
	expect("f (anonymous namespace)", "f (anonymous namespace)|:0||0");
	expect("[unknown]", "[unknown]|:0||0");
	expect("[bad]", "[bad]|:0||0");
}

TEST(sources_in_brackets)
{
	expect("checkout (app.py:9)", "checkout|app.py:9||0");
	expect("<module> (<string>:5)", "<module>|<string>:5||0");
	expect("f(int) (a/b.cc:10)", "f(int)|a/b.cc:10||0");
	expect("f (lib/x.rb)", "f|lib/x.rb:0||0");
	expect("thread (27153): worker-1", "thread (27153): worker-1|:0||0");
}

TEST(marks_of_the_kernel_and_of_code_made_at_run_time)
{
	expect("schedule_[k]", "schedule|:0|[kernel.kallsyms]|0");
	expect("Cart::add_[j]", "Cart::add|:0|[jit]|0");
	expect("add_[i]", "add|:0||0");
	expect("add_[x]", "add_[x]|:0||0");
}

TEST(addresses)
{
	expect("[libc.so.6 <7f12ab>]", "|:0|libc.so.6|7f12ab");
	expect("[unknown <7f12ab>]", "|:0||7f12ab");
	expect("[7f12ab]", "|:0||7f12ab");
	expect("0x7f12ab", "|:0||7f12ab");
}
