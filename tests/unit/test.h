/*
 * test.h - a unit test is a sentence that must hold.
 *
 *     TEST(decode_names_the_bad_string_index)
 *     {
 *             assert_int_equal(...);      // cmocka's assertions
 *     }
 *
 * Tests register themselves.  A binary runs all of them, or those named as
 * arguments; --list prints the names.
 */
#ifndef EP_TEST_H
#define EP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void ep_test_register(const char *name, CMUnitTestFunction fn);

#define TEST(name)                                                             \
	static void name(void **state);                                        \
	__attribute__((constructor)) static void name##_register_(void)        \
	{                                                                      \
		ep_test_register(#name, name);                                 \
	}                                                                      \
	static void name(void **state __attribute__((unused)))

/* A file below tests/data, whole; the test fails when it is not there.  Free with
 * free(). */
void *ep_test_read_data(const char *path_below_data, size_t *ret_n);
/* The absolute path of a file below tests/data, in a static buffer. */
const char *ep_test_data_path(const char *path_below_data);

#endif
