#include "report/shorten.h"
#include "test.h"

#include <string.h>

static void shortens(const char *name, const char *expected)
{
	char room[256], got[256];
	struct ep_slice s = ep_shorten_function(ep_slice_of(name), room);
	memcpy(got, s.p, s.n);
	got[s.n] = 0;
	assert_string_equal(got, expected);
}

TEST(shorten_go_keeps_the_package)
{
	shortens("github.com/a/b.(*T).Get", "b.(*T).Get");
	shortens("net/http.(*conn).serve", "http.(*conn).serve");
	shortens("main.main", "main.main");
	shortens("gopkg.in/yaml%2ev3.Unmarshal", "yaml%2ev3.Unmarshal");
}

TEST(shorten_go_drops_a_version)
{
	shortens("github.com/a/b/v2.Do", "b.Do");
	shortens("github.com/a/v12/c.Do", "c.Do");
	shortens("a/v1.Do", "v1.Do"); /* no version: those begin with 2 */
	shortens("x/v2/y", "x/y");
}

TEST(shorten_java_keeps_class_and_method)
{
	shortens("java.util.Map$Entry.get", "Map$Entry.get");
	shortens("com.foo.Bar.<init>", "Bar.<init>");
	shortens("com.foo.Bar.baz(int)", "Bar.baz");
	shortens("com.foo.Bar.baz x", "com.foo.Bar.baz x");
}

TEST(shorten_cpp_keeps_class_and_method)
{
	shortens("a::b::Cls::method", "Cls::method");
	shortens("a::Cls::~Cls(int)", "Cls::~Cls");
	shortens("ns::_Map::at<a::B>(x) const", "_Map::at<a::B>");
	shortens("std::vector::push_back", "std::vector::push_back"); /* no capital */
	shortens("(anonymous namespace)::f", "f");
}

TEST(shorten_leaves_other_names)
{
	shortens("", "");
	shortens("malloc", "malloc");
	shortens("/", "/");
	shortens("a/b", "a/b");
	shortens("<T as core::convert::Into<U>>::into", "<T as core::convert::Into<U>>::into");
}
