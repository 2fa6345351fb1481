#include "test.h"

#include "tenant/tenant.h"
#include "tenant/tokenlist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int load(const char *text, struct ep_tenants **t, struct ep_err *err)
{
	char path[] = "/tmp/everprof-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "%s", text);
	close(fd);
	struct ep_tenants_config cfg = {.token_file = path};
	int rc = ep_tenants_new(&cfg, t, err);
	unlink(path);
	return rc;
}

TEST(tokens_of_every_form_are_found)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_asker who;
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
		int rc = ep_tenants_check(t, &c, table[i].need, &who, NULL);
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
	struct ep_tenants_config cfg = {.token_file = "/nonexistent/tokens"};
	assert_int_equal(ep_tenants_new(&cfg, &t, NULL), -ENOENT);
}

TEST(without_a_file_everybody_is_anonymous)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_credentials none = {0};
	struct ep_asker who;
	struct ep_tenants_config cfg = {0};
	assert_int_equal(ep_tenants_new(&cfg, &t, NULL), 0);
	assert_false(ep_tenants_ask(t));
	assert_int_equal(ep_tenants_check(t, &none, EP_ROLE_ADMIN, &who, NULL), 0);
	assert_true(!strcmp(who.tenant->name, "anonymous"));
}

static int ask(struct ep_tenants *t, const char *token, const char *org, int need,
	       struct ep_asker *who)
{
	struct ep_credentials c = {.authorization = ep_slice_of(token), .org_id = ep_slice_of(org)};
	return ep_tenants_check(t, &c, need, who, NULL);
}

TEST(a_token_without_a_tenant_goes_where_the_header_says)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_asker who;
	assert_int_equal(load("aaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbb * read\ncccccccccccccccc shop\n",
			      &t, NULL), 0);
	assert_int_equal(ask(t, "Bearer aaaaaaaaaaaaaaaa", "acme", EP_ROLE_READ, &who), 0);
	assert_string_equal(who.tenant->name, "acme");
	assert_false(who.is_bound);
	struct ep_tenant *acme = who.tenant;
	assert_int_equal(ask(t, "Bearer bbbbbbbbbbbbbbbb", "acme", EP_ROLE_READ, &who), 0);
	assert_ptr_equal(who.tenant, acme);
	assert_int_equal(ask(t, "Bearer aaaaaaaaaaaaaaaa", "", EP_ROLE_READ, &who), 0);
	assert_string_equal(who.tenant->name, "anonymous");
	assert_int_equal(ask(t, "Bearer cccccccccccccccc", "", EP_ROLE_ADMIN, &who), 0);
	assert_true(who.is_bound);
	assert_int_equal(ask(t, "Bearer cccccccccccccccc", "", EP_ROLE_READ | EP_ROLE_SERVER, &who), -EINVAL);
	assert_int_equal(ask(t, "Bearer aaaaaaaaaaaaaaaa", "", EP_ROLE_READ | EP_ROLE_SERVER, &who), 0);
	static const char *const bad[] = {"..", ".a", "a/b", "a|b", "a b", "a\001",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask(t, "Bearer aaaaaaaaaaaaaaaa", bad[i], EP_ROLE_READ, &who), -EBADMSG);
}

TEST(with_by_header_a_tenant_must_be_named)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_asker who;
	struct ep_tenants_config cfg = {.by_header = true};
	assert_int_equal(ep_tenants_new(&cfg, &t, NULL), 0);
	assert_int_equal(ask(t, "", "", EP_ROLE_READ, &who), -EACCES);
	assert_int_equal(ask(t, "", "acme", EP_ROLE_WRITE, &who), 0);
	assert_string_equal(who.tenant->name, "acme");
}

TEST(tenants_are_bounded)
{
	ep_auto(ep_tenants) t = NULL;
	struct ep_tenants_config cfg = {0};
	struct ep_tenant *one;
	char name[16];
	int rc = 0;
	unsigned i = 1; /* anonymous */
	assert_int_equal(ep_tenants_new(&cfg, &t, NULL), 0);
	for (; rc == 0; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		rc = ep_tenants_get(t, ep_slice_of(name), &one, NULL);
	}
	assert_int_equal(rc, -E2BIG);
	assert_int_equal(i - 1, EP_TENANTS_MAX);
	assert_null(ep_tenants_nth(t, EP_TENANTS_MAX));
}

static void write_list(const char *path, const char *text, enum ep_role role)
{
	struct ep_tokenlist list = {0};
	struct ep_token like = {.role = role, .tenant = "shop", .created_s = 1, .label = "a b"};
	if (text)
		assert_int_equal(ep_tokenlist_add(&list, ep_slice_of(text), &like, NULL), 0);
	assert_int_equal(ep_tokenlist_write(path, &list, NULL), 0);
	ep_tokenlist_fini(&list);
}

TEST(a_token_of_the_list_counts_from_the_next_request_on_and_ends_likewise)
{
	ep_auto(ep_tenants) t = NULL;
	char dir[] = "/tmp/everprof-test-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/tokens", dir);
	struct ep_tenants_config cfg = {.token_list = path};
	struct ep_asker who;
	assert_int_equal(ep_tenants_new(&cfg, &t, NULL), 0);
	assert_int_equal(ask(t, "", "", EP_ROLE_ADMIN, &who), 0);
	write_list(path, "everprof_0123456789", EP_ROLE_READ);
	assert_int_equal(ask(t, "", "", EP_ROLE_READ, &who), -EACCES);
	assert_int_equal(ask(t, "Bearer everprof_0123456789", "", EP_ROLE_READ, &who), 0);
	assert_string_equal(who.tenant->name, "shop");
	assert_int_equal(strlen(who.token), 8);
	assert_int_equal(ask(t, "Bearer everprof_0123456789", "", EP_ROLE_WRITE, &who), -EINVAL);
	write_list(path, NULL, EP_ROLE_READ);
	assert_int_equal(ask(t, "Bearer everprof_0123456789", "", EP_ROLE_READ, &who), -EACCES);
	assert_true(ep_tenants_ask(t)); /* revoking the last does not open the door */
	unlink(path);
	rmdir(dir);
}
