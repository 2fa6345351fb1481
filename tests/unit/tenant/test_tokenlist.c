#include "test.h"

#include "tenant/tokenlist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32], path[64];

static void begin(void)
{
	strcpy(dir, "/tmp/everprof-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/tokens", dir);
}

static void end(void)
{
	unlink(path);
	rmdir(dir);
}

static void two_tokens(struct ep_tokenlist *t)
{
	struct ep_token a = {.role = EP_ROLE_WRITE, .tenant = "shop", .created_s = 1700000000};
	struct ep_token b = {.role = EP_ROLE_ADMIN, .label = "of Ann, on call"};
	assert_int_equal(ep_tokenlist_add(t, ep_slice_of("token-of-the-shop"), &a, NULL), 0);
	assert_int_equal(ep_tokenlist_add(t, ep_slice_of("token-of-all-tenants"), &b, NULL), 0);
}

TEST(a_list_reads_back_as_it_was_written_and_holds_no_token)
{
	struct ep_tokenlist t = {0}, u = {0};
	struct stat st;
	char text[1000] = "";
	begin();
	two_tokens(&t);
	assert_int_equal(ep_tokenlist_write(path, &t, NULL), 0);
	assert_int_equal(ep_tokenlist_read(path, &u, NULL), 0);
	assert_int_equal(u.n, 2);
	assert_memory_equal(u.v, t.v, 2 * sizeof(*t.v));
	assert_ptr_equal(ep_tokenlist_find(&u, ep_slice_of("token-of-all-tenants")), &u.v[1]);
	assert_null(ep_tokenlist_find(&u, ep_slice_of("token-of-all-tenant")));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 100);
	fclose(f);
	assert_null(strstr(text, "token-of"));
	ep_tokenlist_fini(&t);
	ep_tokenlist_fini(&u);
	end();
}

TEST(an_empty_list_is_a_list)
{
	struct ep_tokenlist t = {0}, u = {0};
	begin();
	assert_int_equal(ep_tokenlist_read(path, &u, NULL), -ENOENT);
	assert_int_equal(ep_tokenlist_write(path, &t, NULL), 0);
	assert_int_equal(ep_tokenlist_read(path, &u, NULL), 0);
	assert_int_equal(u.n, 0);
	end();
}

TEST(a_damaged_list_is_refused_whatever_byte_it_is)
{
	struct ep_tokenlist t = {0}, u = {0};
	char text[1000];
	begin();
	two_tokens(&t);
	assert_int_equal(ep_tokenlist_write(path, &t, NULL), 0);
	FILE *f = fopen(path, "r");
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	for (size_t i = 0; i <= n; i++) {
		if (i < n)
			text[i] ^= 1;
		f = fopen(path, "w");
		fwrite(text, 1, i < n ? n : n / 2, f); /* and cut short */
		fclose(f);
		int rc = ep_tokenlist_read(path, &u, NULL);
		if (rc != -EBADMSG && rc != -ENOTSUP)
			fail_msg("byte %zu: %d", i, rc);
		if (i < n)
			text[i] ^= 1;
	}
	ep_tokenlist_fini(&t);
	end();
}
