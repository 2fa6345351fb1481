/* test_rename.c - the modes of -symbolize=demangle=…, against the reference's text. */
#include "symbol/rename.h"

#include "../test.h"

#include <string.h>

static void expect(const char *name, const char *def, const char *templates, const char *full)
{
	const char *want[] = {def, templates, full};
	const enum ep_demangle_mode modes[] = {EP_DEMANGLE_DEFAULT, EP_DEMANGLE_TEMPLATES,
					       EP_DEMANGLE_FULL};
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	for (int i = 0; i < 3; i++) {
		ep_rename(name, modes[i], &out);
		assert_string_equal(ep_buf_cstr(&out), want[i]);
	}
	ep_rename(name, EP_DEMANGLE_NONE, &out);
	assert_string_equal(ep_buf_cstr(&out), name);
}

TEST(templates_and_parameters_are_left_out_as_asked)
{
	expect("_ZNSt6vectorIiSaIiEE9push_backERKi.cold", "std::vector::push_back",
	       "std::vector<int, std::allocator<int> >::push_back",
	       "std::vector<int, std::allocator<int> >::push_back(int const&)");
	expect("_ZNK1AltIiEEbT_", "A::operator<", "A::operator< <int>",
	       "bool A::operator< <int>(int) const");
	expect("_Z1fIJidEEvDpT_", "f", "f<int, double>", "void f<int, double>(int, double)");
	expect("_ZTVN3fooIiEE", "vtable for foo", "vtable for foo<int>", "vtable for foo<int>");
	expect("_ZNSdC1Ev", "std::basic_iostream::basic_iostream",
	       "std::basic_iostream<char, std::char_traits<char> >::basic_iostream",
	       "std::basic_iostream<char, std::char_traits<char> >::basic_iostream()");
}

TEST(the_function_around_a_local_name_loses_its_parameters)
{
	expect("_ZZN3foo3barIiEEvT_ENKUliE_clEi",
	       "foo::bar()::{lambda(int)#1}::operator()",
	       "foo::bar<int>()::{lambda(int)#1}::operator()",
	       "foo::bar<int>(int)::{lambda(int)#1}::operator()(int) const");
}

TEST(an_inherited_constructor_is_called_as_its_class)
{
	expect("_ZN1AIiECI11BIS_IiEEEi", "A::A", "A<int>::A", "A<int>::A(int)");
}

TEST(rust_names_of_both_kinds_are_read)
{
	expect("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt",
	       "core::fmt::Write::write_fmt", "core::fmt::Write::write_fmt");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo", "mycrate::foo", "mycrate::foo");
	expect("_RINvCs1234_7mycrate3foolE", "mycrate::foo::<>", "mycrate::foo::<i32>",
	       "mycrate::foo::<i32>");
}

TEST(names_that_are_readable_already_are_simplified)
{
	expect("a::b<c>(int)", "a::b", "a::b<c>", "a::b<c>(int)");
	expect("std::function<void ()>::operator()() const", "std::function::operator const",
	       "std::function<void >::operator const",
	       "std::function<void ()>::operator()() const");
	expect("java.Class.<init>", "java.Class.<init>", "java.Class.<init>",
	       "java.Class.<init>");
	expect("main.(*T[...]).f", "main.(*T[...]).f", "main.(*T[...]).f", "main.(*T[...]).f");
	expect("main.f[...]", "main.f[...]", "main.f[...]", "main.f[...]");
	expect("plain", "plain", "plain", "plain");
}

TEST(a_short_name_for_gigabytes_stays_as_it_is)
{
	/* Each level repeats the one before it twice. */
	char bomb[1000] = "_Z1fI1aIiiE";
	for (int i = 1; i < 33; i++) {
		char digit = (char)(i < 10 ? '0' + i : 'A' + i - 10);
		char level[] = {'S', '0', '_', 'I', 'S', digit, '_', 'S', digit, '_', 'E', 0};
		strcat(bomb, level);
	}
	strcat(bomb, "Evv");
	expect(bomb, bomb, bomb, bomb);
}
