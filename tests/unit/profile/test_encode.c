#include "test.h"

#include "codec/gzip.h"
#include "profile/decode.h"
#include "profile/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30 };

static struct ep_profile *decode(const void *data, size_t n)
{
	struct ep_err err = {0};
	struct ep_profile *p = NULL;
	if (ep_decode(data, n, 0, &p, &err) < 0)
		fail_msg("at %d: %s", (int)err.pos, err.text);
	return p;
}

static void same_table(const void *a, const void *b, size_t n_a, size_t n_b,
		       size_t size)
{
	assert_int_equal(n_a, n_b);
	if (n_a)
		assert_memory_equal(a, b, n_a * size);
}

/* By content: a writer numbers strings anew. */
static void same_string(const struct ep_profile *a, ep_str s, const struct ep_profile *b,
			ep_str t)
{
	assert_true(ep_slice_eq(a->strings[s], b->strings[t]));
}

static void same_samples(const struct ep_profile *a, const struct ep_profile *b)
{
	same_table(a->samples, b->samples, a->n_samples, b->n_samples,
		   sizeof(*a->samples));
	same_table(a->values, b->values, (size_t)a->n_samples * a->n_sample_types,
		   (size_t)b->n_samples * b->n_sample_types, sizeof(*a->values));
	same_table(a->sample_locations, b->sample_locations, a->n_sample_locations,
		   b->n_sample_locations, sizeof(*a->sample_locations));
	assert_int_equal(a->n_labels, b->n_labels);
	for (uint32_t i = 0; i < a->n_labels; i++) {
		same_string(a, a->labels[i].key, b, b->labels[i].key);
		same_string(a, a->labels[i].str, b, b->labels[i].str);
		assert_int_equal(a->labels[i].num, b->labels[i].num);
		same_string(a, a->labels[i].num_unit, b, b->labels[i].num_unit);
	}
}

static void same_profile(const struct ep_profile *a, const struct ep_profile *b)
{
	same_samples(a, b);
	assert_int_equal(a->n_mappings, b->n_mappings);
	assert_int_equal(a->n_locations, b->n_locations);
	assert_int_equal(a->n_lines, b->n_lines);
	assert_int_equal(a->n_functions, b->n_functions);
	for (uint32_t i = 0; i < a->n_lines; i++)
		assert_int_equal(a->lines[i].function, b->lines[i].function);
	for (uint32_t i = 0; i < a->n_locations; i++)
		assert_int_equal(a->locations[i].address, b->locations[i].address);
	assert_int_equal(a->n_comments, b->n_comments);
	for (uint32_t i = 0; i < a->n_comments; i++)
		same_string(a, a->comments[i], b, b->comments[i]);
	for (uint32_t i = 0; i < a->n_functions; i++) {
		same_string(a, a->functions[i].name, b, b->functions[i].name);
		same_string(a, a->functions[i].filename, b, b->functions[i].filename);
	}
	assert_int_equal(a->time_ns, b->time_ns);
	assert_int_equal(a->duration_ns, b->duration_ns);
	assert_int_equal(a->period, b->period);
}

static void round_trip(const char *file)
{
	size_t n;
	void *data = ep_test_read_data(file, &n);
	ep_auto(ep_profile) p = decode(data, n);
	free(data);
	ep_auto_buf plain, again, gz;
	ep_buf_init(&plain, NO_LIMIT);
	ep_buf_init(&again, NO_LIMIT);
	ep_buf_init(&gz, NO_LIMIT);
	assert_int_equal(ep_encode(p, &plain, NULL), 0);
	ep_auto(ep_profile) q = decode(plain.data, plain.len);
	same_profile(p, q);
	assert_int_equal(ep_encode(q, &again, NULL), 0);
	assert_int_equal(again.len, plain.len);
	assert_memory_equal(again.data, plain.data, plain.len);
	assert_int_equal(ep_encode_gzip(p, &gz, NULL), 0);
	ep_auto(ep_profile) r = decode(gz.data, gz.len);
	same_profile(p, r);
}

TEST(encode_gives_back_what_decode_read)
{
	round_trip("pprof/malformed/good.pb");
	round_trip("pprof/malformed/deep_stack_20000.pb");
	round_trip("pprof/malformed/packed_and_unpacked.pb");
	round_trip("pprof/malformed/values_negative.pb");
	round_trip("pprof/malformed/nul_in_strings.pb");
	round_trip("pprof/malformed/utf8_invalid.pb");
}

/* What `pprof -proto` of the same makes: strings by first use, labels by kind and key. */
TEST(encode_orders_strings_and_labels_as_the_reference)
{
	static const uint8_t file[] =
		"\x32\0\x32\1u\x32\1z\x32\1b\x32\1a\x32\1t"
		"\x0a\4\x08\5\x10\1\x12\x16\x10\1"
		"\x1a\6\x08\3\x18\7\x20\2" /* b: 7 z */
		"\x1a\4\x08\2\x10\1"	    /* z: u */
		"\x1a\4\x08\4\x10\3";	    /* a: b */
	static const uint8_t wanted[] =
		"\x0a\4\x08\1\x10\2\x12\x16\x10\1"
		"\x1a\4\x08\3\x10\4"	    /* a: b */
		"\x1a\4\x08\5\x10\2"	    /* z: u */
		"\x1a\6\x08\4\x18\7\x20\5" /* b: 7 z */
		"\x32\0\x32\1t\x32\1u\x32\1a\x32\1b\x32\1z\x70\0";
	ep_auto(ep_profile) p = decode(file, sizeof(file) - 1);
	ep_auto_buf out;
	ep_buf_init(&out, NO_LIMIT);
	assert_int_equal(ep_encode(p, &out, NULL), 0);
	assert_int_equal(out.len, sizeof(wanted) - 1);
	assert_memory_equal(out.data, wanted, out.len);
}

TEST(encode_says_when_the_buffer_is_too_small)
{
	size_t n;
	void *data = ep_test_read_data("pprof/malformed/good.pb", &n);
	ep_auto(ep_profile) p = decode(data, n);
	free(data);
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, 100);
	assert_int_equal(ep_encode(p, &out, &err), -E2BIG);
	assert_string_equal(err.text, "encoded profile is over the limit of 100 bytes");
}
