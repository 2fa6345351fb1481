#include "test.h"

#include "symbol/kallsyms.h"

#include <string.h>

static const char text[] = "ffffffff81000000 T _stext\n"
			   "ffffffff81000000 T startup_64\n"
			   "ffffffff81001000 t do_work\n"
			   "ffffffff81001000 T __do_work\n"
			   "ffffffff81002000 D some_data\n"
			   "ffffffff81003000 W weak_one\n"
			   "ffffffffc0001000 t helper\t[nf_tables]\n";

static void check(const struct ep_kallsyms *k, uint64_t at, const char *name,
		  const char *module)
{
	struct ep_slice n, m;
	assert_int_equal(ep_kallsyms_find(k, at, &n, &m), 0);
	if (!ep_slice_is(n, name) || !ep_slice_is(m, module))
		fail_msg("%#llx is %.*s [%.*s]", (unsigned long long)at,
			 EP_SLICE_ARG(n), EP_SLICE_ARG(m));
}

TEST(kallsyms_names_code_of_the_kernel_and_of_modules)
{
	ep_auto(ep_kallsyms) k = NULL;
	assert_int_equal(ep_kallsyms_parse(ep_slice_of(text), &k, NULL), 0);
	assert_int_equal(ep_kallsyms_count(k), 4);
	check(k, 0xffffffff81000010, "startup_64", "");
	check(k, 0xffffffff81002fff, "__do_work",
	      ""); /* global before local; no data */
	check(k, 0xffffffff81003000, "weak_one", "");
	check(k, 0xffffffffc0001abc, "helper", "nf_tables");
	struct ep_slice n;
	assert_int_equal(ep_kallsyms_find(k, 0xffffffff80ffffff, &n, NULL), -ENOENT);
	assert_int_equal(ep_kallsyms_find(k, 0xffffffffa0000000, &n, NULL), -ENOENT);
	assert_int_equal(ep_kallsyms_find(k, 0, &n, NULL), -ENOENT);
}

TEST(kallsyms_says_that_the_kernel_hides_its_addresses)
{
	ep_auto(ep_kallsyms) k = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_kallsyms_parse(ep_slice_of("0000000000000000 T _stext\n"
						       "0000000000000000 t do_work\n"),
					   &k, &err),
			 -EACCES);
	assert_non_null(strstr(err.text, "kptr_restrict"));
}

TEST(kallsyms_of_garbage_is_not_there)
{
	ep_auto(ep_kallsyms) k = NULL;
	assert_int_equal(
		ep_kallsyms_parse(ep_slice_of("hello\nffff\nffff T\nffff T \n\n"), &k,
				  NULL),
		-ENOENT);
}
