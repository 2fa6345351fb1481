#include "test.h"

#include "tenant/tenant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int load(const char *text, struct ep_tenants **t, struct ep_err *err)
{
	char path[] = "/tmp/everprof-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "%s", text);
	close(fd);
	int rc = ep_tenants_load(path, t, err);
	unlink(path);
	return rc;
}

TEST(tokens_of_every_form_are_found)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_slice tenant;
	assert_int_equal(load("# c\naaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbb shop read\n", &t, NULL), 0);
	static const struct {
		const char *authorization, *cookie, *org;
		enum ep_role need;
		int rc;
	} table[] = {
		{"Bearer aaaaaaaaaaaaaaaa", "", "", EP_ROLE_ADMIN, 0},
		{"bEaReR aaaaaaaaaaaaaaaa", "", "any", EP_ROLE_WRITE, 0},
		{"Basic dTphYWFhYWFhYWFhYWFhYWFh", "", "", EP_ROLE_READ, 0},
		{"Bearer bbbbbbbbbbbbbbbb", "", "shop", EP_ROLE_READ, 0},
		{"", "a=b; everprof_token=bbbbbbbbbbbbbbbb", "", EP_ROLE_READ, 0},
		{"", "everprof_token=aaaaaaaaaaaaaaaa; x=y", "", EP_ROLE_WRITE, 0},
		{"", "xeverprof_token=aaaaaaaaaaaaaaaa", "", EP_ROLE_READ, -EACCES},
		{"Bearer bbbbbbbbbbbbbbbb", "", "other", EP_ROLE_READ, -EINVAL},
		{"Bearer bbbbbbbbbbbbbbbb", "", "", EP_ROLE_WRITE, -EINVAL},
		{"Bearer aaaaaaaaaaaaaaa", "", "", EP_ROLE_READ, -EACCES},
		{"Bearer aaaaaaaaaaaaaaaaa", "", "", EP_ROLE_READ, -EACCES},
		{"aaaaaaaaaaaaaaaa", "", "", EP_ROLE_READ, -EACCES},
		{"Basic dTpi", "", "", EP_ROLE_READ, -EACCES},
		{"Basic ?", "", "", EP_ROLE_READ, -EACCES},
		{"", "", "", EP_ROLE_READ, -EACCES},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_credentials c = {ep_slice_of(table[i].authorization),
					   ep_slice_of(table[i].cookie),
					   ep_slice_of(table[i].org)};
		int rc = ep_tenants_check(t, &c, table[i].need, &tenant, NULL);
		if (rc != table[i].rc)
			fail_msg("row %zu: %d", i, rc);
	}
}

TEST(token_files_with_mistakes_are_refused_with_the_line)
{
	static const char *const table[] = {"", "# only\n", "short\n", "aaaaaaaaaaaaaaaa t owner\n",
					    "aaaaaaaaaaaaaaaa t read x\n", "aaaaaaaaaaaaaaa;\n"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_tenants *t = NULL;
		struct ep_err err = {0};
		if (load(table[i], &t, &err) != -EINVAL || t)
			fail_msg("row %zu is taken", i);
	}
	struct ep_tenants *t = NULL;
	assert_int_equal(ep_tenants_load("/nonexistent/tokens", &t, NULL), -ENOENT);
}

TEST(without_a_file_everybody_is_anonymous)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_credentials none = {0};
	struct ep_slice tenant;
	assert_int_equal(ep_tenants_load(NULL, &t, NULL), 0);
	assert_false(ep_tenants_ask(t));
	assert_int_equal(ep_tenants_check(t, &none, EP_ROLE_ADMIN, &tenant, NULL), 0);
	assert_true(ep_slice_is(tenant, "anonymous"));
}
