/*
 * Real profiles beside what the reference prints of them (-raw): the decoder gives the
 * same, byte for byte.  The reference prints the ids of the file, where we have
 * indexes, so the test reads the ids for itself.
 */
#include "test.h"

#include "codec/gzip.h"
#include "codec/protobuf.h"
#include "profile/decode.h"
#include "raw.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30 };

/* The ids of all mappings (field 3) or locations (field 4). */
static uint64_t *read_ids(const struct ep_buf *plain, uint64_t field)
{
	uint64_t *ids = calloc(plain->len, sizeof(*ids));
	assert_non_null(ids);
	size_t n = 0;
	struct ep_pb_reader r = ep_pb_open(plain->data, plain->len);
	while (ep_pb_next(&r)) {
		if (r.field != field) {
			ep_pb_skip(&r);
			continue;
		}
		struct ep_pb_reader m = ep_pb_message(&r);
		while (ep_pb_next(&m)) {
			if (m.field == 1)
				ids[n] = ep_pb_varint(&m);
			else
				ep_pb_skip(&m);
		}
		n++;
	}
	assert_int_equal(r.fault, EP_PB_OK);
	return ids;
}

static void read_plain(const char *path, struct ep_buf *out)
{
	size_t n;
	void *data = ep_test_read_data(path, &n);
	ep_buf_init(out, NO_LIMIT);
	if (ep_gzip_is(data, n))
		assert_int_equal(ep_gzip_unpack(data, n, out, NULL), 0);
	else
		ep_buf_add(out, data, n);
	free(data);
}

/* The first line that differs. */
static void expect_same_text(const char *path, struct ep_buf *got, struct ep_buf *want)
{
	const char *g = ep_buf_cstr(got), *w = ep_buf_cstr(want);
	for (int line = 1; *g || *w; line++) {
		size_t n_g = strcspn(g, "\n"), n_w = strcspn(w, "\n");
		if (n_g != n_w || memcmp(g, w, n_g))
			fail_msg("%s, line %d\n got %.*s\nwant %.*s", path, line,
				 (int)n_g, g, (int)n_w, w);
		g += n_g + (g[n_g] == '\n');
		w += n_w + (w[n_w] == '\n');
	}
}

/* The reference's command (not its library) gives a profile without mappings one that
 * is empty. */
static void add_empty_mapping(struct ep_profile *p, uint64_t *ids)
{
	static struct ep_mapping empty;
	p->mappings = &empty;
	p->n_mappings = 1;
	ids[0] = 1;
	for (uint32_t i = 0; i < p->n_locations; i++)
		p->locations[i].mapping = 0;
}

static void check_file(const char *raw_path, const char *path)
{
	ep_auto_buf want, plain, got;
	read_plain(raw_path, &want);
	read_plain(path, &plain);
	ep_buf_init(&got, NO_LIMIT);
	uint64_t *mappings = read_ids(&plain, 3), *locations = read_ids(&plain, 4);
	struct ep_err err = {0};
	ep_auto(ep_profile) p = NULL;
	if (ep_decode(plain.data, plain.len, 0, &p, &err) < 0)
		fail_msg("%s at %d: %s", path, (int)err.pos, err.text);
	if (!p->n_mappings)
		add_empty_mapping(p, mappings);
	raw_format(p, (struct raw_ids){mappings, locations}, &got);
	free(mappings);
	free(locations);
	expect_same_text(path, &got, &want);
}

TEST(reference_prints_the_same_of_every_real_profile)
{
	static const char suffix[] = ".raw.txt.gz";
	const char *root = ep_test_data_path("");
	size_t n_root = strlen(root);
	char pattern[4200];
	snprintf(pattern, sizeof(pattern), "%spprof/real/*%s", root, suffix);
	glob_t found;
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 20);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char raw[4200], path[4200];
		snprintf(raw, sizeof(raw), "%s", found.gl_pathv[i] + n_root);
		snprintf(path, sizeof(path), "%.*s",
			 (int)(strlen(raw) - strlen(suffix)), raw);
		check_file(raw, path);
	}
	globfree(&found);
}
