#include "test.h"

#include "symbol/demangle.h"

#include <string.h>

static void check(const char *mangled, const char *want)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	bool ok = ep_demangle(mangled, &b);
	if (!want) {
		if (ok)
			fail_msg("%s became %s", mangled, ep_buf_cstr(&b));
		return;
	}
	if (!ok)
		fail_msg("%s was not understood", mangled);
	assert_string_equal(ep_buf_cstr(&b), want);
}

TEST(demangle_reads_cpp)
{
	check("_ZNSt6vectorIiSaIiEE9push_backEOi",
	      "std::vector<int, std::allocator<int> >::push_back(int&&)");
	check("_Z3foov", "foo()");
}

TEST(demangle_reads_rusts_older_names_without_the_hash)
{
	check("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
	      "core::fmt::Write::write_fmt");
	check("_ZN43_$LT$Test$u20$as$u20$core..fmt..Display$GT$"
	      "3fmt17h0123456789abcdefE",
	      "<Test as core::fmt::Display>::fmt");
	check("_ZN3foo17h0123456789abcdefE.llvm.123", "foo");
}

TEST(demangle_reads_rusts_v0_names)
{
	check("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	check("_RNvMNtCs1_5alloc3vecINtB2_3VechE4push", "<alloc::vec::Vec<u8>>::push");
	check("_RNCNvCsgStHSCytQ6I_7mycrate4main0B3_", "mycrate::main::{closure#0}");
	check("_RINvNtC3std3mem8align_ofjdE", "std::mem::align_of::<usize, f64>");
	check("_RNvYNtC5crate1SNtC5crate5Trait3run", "<crate::S as crate::Trait>::run");
	check("_RINvC1a1bAhj4_E", "a::b::<[u8; 4]>");
	check("_RINvC1a1bTRehEE", "a::b::<(&str, u8)>");
}

TEST(demangle_leaves_other_names_alone)
{
	check("main", NULL);
	check("_start", NULL);
	check("_Z", NULL);
	check("_R", NULL);
	check("", NULL);
	check("_ZNSt", NULL);
}

/* Each level repeats the one before twice: 2^30 letters, were they printed. */
TEST(demangle_stops_at_names_that_explode)
{
	char name[2000] = "_RINvC1a1b";
	check("_RINvC1a1bTB7_B7_EE", NULL);
	char cxx[1000] = "_Z1fI1aIiiE";
	for (int i = 1; i < 33; i++) {
		char digit = (char)(i < 10 ? '0' + i : 'A' + i - 10);
		char level[] = {'S', '0', '_', 'I', 'S', digit, '_', 'S', digit, '_', 'E', 0};
		strcat(cxx, level);
	}
	check(strcat(cxx, "Evv"), NULL);
	for (int i = 0; i < 300; i++)
		strcat(name, "T");
	check(name, NULL);
	char endless[3000];
	memset(endless, 'S', sizeof(endless));
	memcpy(endless, "_Z", 2);
	endless[2999] = '\0';
	check(endless, NULL);
}
