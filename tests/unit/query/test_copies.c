/* test_copies.c - who pushed itself when. */
#include "query/copies.h"
#include "test.h"

static struct ep_copies_who who(const char *service, const char *host, const char *pid)
{
	return (struct ep_copies_who){ep_slice_of(service), ep_slice_of(host), ep_slice_of(pid)};
}

TEST(copies_are_of_the_process_that_pushed_then)
{
	struct ep_copies *c = ep_copies_new();
	struct ep_copies_who shop = who("shop", "a", "7");
	assert_int_equal(ep_copies_add(c, &shop, 100, 110), 0);
	assert_int_equal(ep_copies_add(c, &shop, 110, 120), 0);
	assert_int_equal(ep_copies_add(c, &shop, 200, 210), 0);
	ep_copies_seal(c);
	struct ep_copies_who other_pid = who("shop", "a", "8"), other_host = who("shop", "b", "7");
	struct ep_copies_who other_service = who("cart", "a", "7");
	assert_true(ep_copies_has(c, &shop, 115));
	assert_false(ep_copies_has(c, &shop, 150));
	assert_true(ep_copies_has(c, &shop, 205));
	assert_false(ep_copies_has(c, &shop, 99));
	assert_false(ep_copies_has(c, &other_pid, 115));
	assert_false(ep_copies_has(c, &other_host, 115));
	assert_false(ep_copies_has(c, &other_service, 115));
	ep_copies_free(c);
}

TEST(copies_of_a_client_without_pid_are_the_whole_service)
{
	struct ep_copies *c = ep_copies_new();
	struct ep_copies_who go = who("shop", "", ""), agent = who("shop", "a", "7");
	assert_int_equal(ep_copies_add(c, &go, 100, 110), 0);
	ep_copies_seal(c);
	assert_true(ep_copies_has(c, &agent, 105));
	assert_false(ep_copies_has(c, &agent, 111));
	ep_copies_free(c);
}

TEST(copies_of_a_process_that_says_no_host_are_anywhere)
{
	struct ep_copies *c = ep_copies_new();
	struct ep_copies_who lib = who("shop", "", "7"), agent = who("shop", "a", "7");
	assert_int_equal(ep_copies_add(c, &lib, 100, 110), 0);
	ep_copies_seal(c);
	assert_true(ep_copies_has(c, &agent, 105));
	ep_copies_free(c);
}
