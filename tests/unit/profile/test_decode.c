#include "test.h"

#include "codec/gzip.h"
#include "codec/protobuf.h"
#include "codec/zstd.h"
#include "profile/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes from hex: blanks are skipped, (…) is a length and what it counts, '#' starts a
 * remark up to the line's end. */
static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0, open[4];
	int depth = 0;
	for (const char *c = hex; *c; c++) {
		if (*c == '#')
			c = strchr(c, '\n');
		if (*c == '(') {
			open[depth++] = n++;
		} else if (*c == ')') {
			depth--;
			out[open[depth]] = (uint8_t)(n - open[depth] - 1);
		} else if (*c != ' ' && *c != '\n') {
			unsigned byte;
			assert_int_equal(sscanf(c++, "%2x", &byte), 1);
			out[n++] = (uint8_t)byte;
		}
	}
	assert_int_equal(depth, 0);
	return n;
}

static struct ep_profile *decode_hex(const char *hex)
{
	uint8_t data[1000];
	size_t n = from_hex(hex, data);
	struct ep_err err = {0};
	struct ep_profile *p = NULL;
	if (ep_decode(data, n, 0, &p, &err) < 0)
		fail_msg("at %d: %s", (int)err.pos, err.text);
	return p;
}

static void refuse_hex(const char *hex, int code, uint64_t pos, const char *text)
{
	uint8_t data[1000];
	size_t n = from_hex(hex, data);
	struct ep_err err = {0};
	struct ep_profile *p = (void *)data;
	assert_int_equal(ep_decode(data, n, 0, &p, &err), code);
	assert_ptr_equal(p, data); /* untouched */
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, text);
	assert_int_equal(err.pos, pos);
}

/* The strings "", "cpu", "ns", "f": 14 bytes. */
#define STRINGS "32() 32(637075) 32(6e73) 32(66)\n"

TEST(decode_reads_every_field)
{
	ep_auto(ep_profile) p = decode_hex(
		"0a(0801 1002) #sample_type cpu ns\n"
		"12(0a(01) 12(05) 1a(0803 1003 1807 2002)) #string label, number "
		"ignored\n"
		"1a(0801 1001 1810 2020 2803 3001 3801 4001 4801 5001) #mapping\n"
		"22(0801 1001 1805 22(0801 102a 1803) 2801) #location\n"
		"2a(0801 1003 1801 2002 2809) #function\n" STRINGS
		"3803 4001 4864 50c801 5a(0801 1002) 600a 6803 6a(0102) 7001 7803");
	assert_int_equal(p->n_sample_types, 1);
	assert_int_equal(p->sample_types[0].type, 1);
	assert_int_equal(p->sample_types[0].unit, 2);
	assert_int_equal(p->n_samples, 1);
	assert_int_equal(p->samples[0].n_locations, 1);
	assert_int_equal(ep_profile_stack(p, &p->samples[0])[0], 0);
	assert_int_equal(ep_profile_values(p, 0)[0], 5);
	assert_int_equal(p->n_labels, 1);
	assert_int_equal(p->labels[0].key, 3);
	assert_int_equal(p->labels[0].str, 3);
	assert_int_equal(p->labels[0].num, 0);
	assert_int_equal(p->labels[0].num_unit, 0);
	assert_int_equal(p->n_mappings, 1);
	const struct ep_mapping *m = &p->mappings[0];
	assert_int_equal(m->start, 1);
	assert_int_equal(m->limit, 16);
	assert_int_equal(m->file_offset, 32);
	assert_int_equal(m->filename, 3);
	assert_int_equal(m->build_id, 1);
	assert_true(m->has_functions && m->has_filenames && m->has_line_numbers &&
		    m->has_inline_frames);
	assert_int_equal(p->n_locations, 1);
	assert_int_equal(p->locations[0].address, 5);
	assert_int_equal(p->locations[0].mapping, 0);
	assert_true(p->locations[0].is_folded);
	assert_int_equal(p->locations[0].n_lines, 1);
	assert_int_equal(p->lines[0].function, 0);
	assert_int_equal(p->lines[0].line, 42);
	assert_int_equal(p->lines[0].column, 3);
	assert_int_equal(p->functions[0].name, 3);
	assert_int_equal(p->functions[0].system_name, 1);
	assert_int_equal(p->functions[0].filename, 2);
	assert_int_equal(p->functions[0].start_line, 9);
	assert_int_equal(p->drop_frames, 3);
	assert_int_equal(p->keep_frames, 1);
	assert_int_equal(p->time_ns, 100);
	assert_int_equal(p->duration_ns, 200);
	assert_int_equal(p->period_type.type, 1);
	assert_int_equal(p->period, 10);
	assert_int_equal(p->n_comments, 3);
	assert_int_equal(p->comments[2], 2);
	assert_int_equal(p->default_sample_type, 1);
	assert_int_equal(p->doc_url, 3);
}

TEST(decode_resolves_strings_and_ids_wherever_the_tables_stand)
{
	ep_auto(ep_profile) p = decode_hex(
		STRINGS
		"12(0a(ffff03 e80763) 1007) #sample of locations 65535, 1000, 99\n"
		"22(08e807) 0a(0802) 22(22(08ffffffffffffffff7f) 08ffff03)\n"
		"12(0863 1008) 2a(1001 08ffffffffffffffff7f) 22(0863) #function "
		"2^63-1\n");
	assert_int_equal(p->n_samples, 2);
	const uint32_t *stack = ep_profile_stack(p, &p->samples[0]);
	assert_int_equal(p->samples[0].n_locations, 3);
	assert_int_equal(stack[0], 1);
	assert_int_equal(stack[1], 0);
	assert_int_equal(stack[2], 2);
	assert_int_equal(ep_profile_stack(p, &p->samples[1])[0], 2);
	assert_int_equal(p->values[0], 7);
	assert_int_equal(p->values[1], 8);
	assert_int_equal(p->lines[p->locations[1].first_line].function, 0);
	assert_int_equal(p->functions[0].name, 1);
}

TEST(decode_names_the_bad_string_index)
{
	refuse_hex("0a(0801 1004)" STRINGS, -EBADMSG, 4, "string index 4, table has 4");
	refuse_hex("0a(08ffffffffffffffffff01)" STRINGS, -EBADMSG, 2,
		   "string index -1, table has 4");
	refuse_hex(STRINGS "7009", -EBADMSG, 14, "string index 9, table has 4");
	refuse_hex(STRINGS "7001 6a(01 02 04)", -EBADMSG, 20,
		   "string index 4, table has 4");
	refuse_hex(STRINGS "0a() 12(1001 1a(0801 1801 2005))", -EBADMSG, 26,
		   "string index 5, table has 4");
}

TEST(decode_drops_empty_labels_and_tells_strings_from_numbers)
{
	ep_auto(ep_profile) p =
		decode_hex(STRINGS "0a() 12(1001 1a(0801) 1a(0801 2002) 1a(0802 1803) "
				   "1a(0803 1001 2009))");
	assert_int_equal(p->samples[0].n_labels, 3); /* the first said nothing */
	assert_int_equal(p->labels[0].num, 0);
	assert_int_equal(p->labels[0].num_unit, 2);
	assert_int_equal(p->labels[1].num, 3);
	assert_int_equal(p->labels[1].num_unit, 0);
	assert_int_equal(p->labels[2].str, 1);
	assert_int_equal(p->labels[2].num_unit, 0);
}

TEST(decode_takes_an_unknown_mapping_id_as_none)
{
	ep_auto(ep_profile) p = decode_hex(STRINGS "22(0801 1007) 22(0802) 1a(0801)");
	assert_int_equal(p->locations[0].mapping, EP_NONE);
	assert_int_equal(p->locations[1].mapping, EP_NONE);
}

TEST(decode_names_what_is_inconsistent)
{
	refuse_hex(STRINGS "12(1001)", -EBADMSG, 0, "missing sample type information");
	refuse_hex(STRINGS "0a() 12(1001 1002)", -EBADMSG, 16,
		   "mismatch: sample has 2 values vs. 1 types");
	refuse_hex(STRINGS "0a() 12()", -EBADMSG, 16,
		   "mismatch: sample has 0 values vs. 1 types");
	refuse_hex(STRINGS "0a() 12(0a(05) 1001)", -EBADMSG, 20,
		   "sample has nil location (id 5)");
	refuse_hex(STRINGS "0a() 12(0800 1001)", -EBADMSG, 18,
		   "sample has nil location (id 0)");
	refuse_hex(STRINGS "22(1801)", -EBADMSG, 14,
		   "found location with reserved id=0");
	refuse_hex(STRINGS "1a()", -EBADMSG, 14, "found mapping with reserved id=0");
	refuse_hex(STRINGS "2a()", -EBADMSG, 14, "found function with reserved id=0");
	refuse_hex(STRINGS "22(0805) 22(0805)", -EBADMSG, 18,
		   "multiple locations with same id: 5");
	refuse_hex(STRINGS "1a(08ffffffff0f) 1a(0801) 1a(0801)", -EBADMSG, 26,
		   "multiple mappings with same id: 1");
	refuse_hex(STRINGS "2a(08ffffffff0f) 2a(08ffffffff0f)", -EBADMSG, 22,
		   "multiple functions with same id: 4294967295");
	refuse_hex(STRINGS "22(22() 0807)", -EBADMSG, 14,
		   "location id: 7 has a line with nil function");
	refuse_hex("0a()", -EBADMSG, 0, "there is no string table");
	refuse_hex("32(66)", -EBADMSG, 0, "string 0 is not empty");
	refuse_hex("", -ENODATA, 0, "empty input file");
}

TEST(decode_names_what_is_malformed)
{
	refuse_hex(STRINGS "1205 1001", -ENODATA, 14,
		   "field 2 of profile goes past its end");
	refuse_hex(STRINGS "0a() 12(1a05 0801)", -EBADMSG, 18,
		   "field 3 of sample goes past its end");
	refuse_hex(STRINGS "1001", -EBADMSG, 14, "field 2 of profile has wire type 0");
	refuse_hex(STRINGS "3301", -EBADMSG, 14, "field 6 of profile has wire type 3");
	refuse_hex(STRINGS "4a()", -EBADMSG, 14, "field 9 of profile has wire type 2");
	refuse_hex(STRINGS "57", -EBADMSG, 14, "field 10 of profile has wire type 7");
	refuse_hex(STRINGS "0a() 12(1880)", -EBADMSG, 18,
		   "field 3 of sample has wire type 0");
	refuse_hex(STRINGS "4880808080808080808080 01", -EBADMSG, 14,
		   "field 9 of profile has a number of more than 10 bytes");
	refuse_hex(STRINGS "0a() 12(0a(0180)) 22(0801)", -EBADMSG, 21,
		   "field 1 of sample goes past its end");
}

TEST(decode_skips_unknown_fields)
{
	ep_auto(ep_profile) p = decode_hex(
		"f80701 f107 0102030405060708 fa07(0102) fd07 01020304" STRINGS
		"0a(0801 1805) 12(1007 2001 2a(01))");
	assert_int_equal(p->n_samples, 1);
	assert_int_equal(p->values[0], 7);
}

TEST(decode_takes_a_later_stamp_and_refuses_a_later_profile)
{
	ep_auto(ep_profile) p = decode_hex(STRINGS "4805 7000 4807 4809");
	assert_int_equal(p->time_ns, 9);
	refuse_hex(STRINGS "4805 7000" STRINGS "4807 7000", -EBADMSG, 34,
		   "concatenated profiles detected");
}

/* Every malformed file, with the reference's verdict on it. */
static void check_row(const char *file, bool accept, unsigned samples)
{
	char path[200];
	snprintf(path, sizeof(path), "pprof/malformed/%s", file);
	size_t n;
	void *data = ep_test_read_data(path, &n);
	struct ep_err err = {0};
	struct ep_profile *p = NULL;
	int rc = ep_decode(data, n, 0, &p, &err);
	free(data);
	if (accept != (rc == 0))
		fail_msg("%s: %s %s", file, accept ? "refused" : "taken", err.text);
	if (rc == 0) {
		assert_null(strchr(err.text, '\n'));
		assert_int_equal(p->n_samples, samples);
	} else {
		assert_null(p);
		assert_true(rc == -EBADMSG || rc == -ENODATA);
		assert_true(err.text[0]);
	}
	ep_profile_free(p);
}

static void unpacks(const void *packed, size_t n_packed, size_t n)
{
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_decode(packed, n_packed, n, &p, NULL), 0);
	assert_int_equal(p->n_samples, 2);
	ep_profile_free(ep_take(&p));
	struct ep_err err = {0};
	assert_int_equal(ep_decode(packed, n_packed, n - 1, &p, &err), -E2BIG);
	char limit[40];
	snprintf(limit, sizeof(limit), "the limit of %zu", n - 1);
	assert_non_null(strstr(err.text, limit));
	assert_null(p);
}

TEST(decode_takes_plain_gzip_and_zstd_and_keeps_to_the_limit)
{
	size_t n;
	char *plain = ep_test_read_data("pprof/malformed/good.pb", &n);
	ep_auto_buf gz, zst;
	ep_buf_init(&gz, 10000);
	ep_buf_init(&zst, 10000);
	assert_int_equal(ep_gzip_pack(plain, n / 2, 6, &gz, NULL), 0);
	assert_int_equal(ep_gzip_pack(plain + n / 2, n - n / 2, 6, &gz, NULL), 0);
	assert_int_equal(ep_zstd_pack(plain, n, 3, &zst, NULL), 0);
	unpacks(plain, n, n);
	unpacks(gz.data, gz.len, n);
	unpacks(zst.data, zst.len, n);
	free(plain);
}

TEST(decode_refuses_a_bomb_of_one_string)
{
	/* 100 MB of zeros behind the head of a string field. */
	enum { N = 100 << 20 };
	uint8_t *big = calloc(1, N);
	assert_non_null(big);
	uint8_t *at = big;
	*at++ = 0x32;
	(void)ep_pb_put_varint(at, N - 5);
	ep_auto_buf gz;
	ep_buf_init(&gz, N);
	assert_int_equal(ep_gzip_pack(big, N, 6, &gz, NULL), 0);
	free(big);
	struct ep_err err = {0};
	struct ep_profile *p = NULL;
	assert_int_equal(ep_decode(gz.data, gz.len, 0, &p, &err), -E2BIG);
	assert_string_equal(err.text,
			    "gzip unpacks to more than the limit of 67108864 bytes");
}

TEST(decode_refuses_every_cut_of_a_sound_profile_or_takes_it_whole)
{
	size_t n;
	uint8_t *data = ep_test_read_data("pprof/malformed/good.pb", &n);
	for (size_t cut = 0; cut < n; cut++) {
		struct ep_err err = {0};
		ep_auto(ep_profile) p = NULL;
		uint8_t *exact = malloc(cut + 1); /* so that reading past it is seen */
		memcpy(exact, data, cut);
		int rc = ep_decode(exact, cut, 0, &p, &err);
		free(exact);
		assert_int_equal(rc, err.code);
		assert_true(rc == 0 ? p && p->n_samples == 2 : !p && err.text[0]);
	}
	free(data);
}

/* Spent samples are given back to the kernel while the rest is read. */
TEST(decode_keeps_strings_that_stand_between_many_samples)
{
	enum { SAMPLES = 1 << 20, HALF = SAMPLES / 2 };
	uint8_t head[200];
	size_t n = from_hex("32() 0a(08011002) 22(0801) 32(637075)", head);
	size_t n_sample = from_hex("12(0a(01) 12(05))", head + n);
	size_t n_string = from_hex("32(6e616e6f)", head + n + n_sample);
	ep_auto_buf raw;
	ep_buf_init(&raw, SIZE_MAX);
	ep_buf_add(&raw, head, n);
	for (int i = 0; i < SAMPLES; i++) {
		if (i == HALF)
			ep_buf_add(&raw, head + n + n_sample, n_string);
		ep_buf_add(&raw, head + n, n_sample);
	}
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_decode(raw.data, raw.len, 0, &p, NULL), 0);
	assert_int_equal(p->n_samples, SAMPLES);
	assert_true(ep_slice_is(p->strings[p->sample_types[0].type], "cpu"));
	assert_true(ep_slice_is(p->strings[p->sample_types[0].unit], "nano"));
	assert_int_equal(p->values[SAMPLES - 1], 5);
}

TEST(decode_agrees_with_the_reference_on_every_malformed_file)
{
	size_t n;
	char *table = ep_test_read_data("pprof/malformed/expected.tsv", &n);
	int rows = 0;
	for (char *line = strtok(table, "\n"); line; line = strtok(NULL, "\n")) {
		char file[100], verdict[20];
		unsigned samples;
		if (sscanf(line, "%99[^\t]\t%19[^\t]\t%u", file, verdict, &samples) !=
		    3)
			continue; /* the heading */
		if (strstr(file, "bomb_"))
			continue; /* generated in its own test */
		check_row(file, !strcmp(verdict, "accept"), samples);
		rows++;
	}
	free(table);
	assert_int_equal(rows, 37);
}

TEST(decode_take_leaves_the_bytes_on_failure)
{
	ep_auto_buf bytes;
	ep_auto(ep_profile) p = NULL;
	ep_buf_init(&bytes, 1 << 20);
	ep_buf_add_str(&bytes, "no profile");
	assert_true(ep_decode_take(&bytes, &p, NULL) < 0);
	assert_string_equal(ep_buf_cstr(&bytes), "no profile");
	assert_null(p);
}
