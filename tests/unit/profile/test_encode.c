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

static void same_strings(const struct ep_profile *a, const struct ep_profile *b)
{
	assert_int_equal(a->n_strings, b->n_strings);
	for (uint32_t i = 0; i < a->n_strings; i++)
		assert_true(ep_slice_eq(a->strings[i], b->strings[i]));
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
		assert_int_equal(a->labels[i].key, b->labels[i].key);
		assert_int_equal(a->labels[i].str, b->labels[i].str);
		assert_int_equal(a->labels[i].num, b->labels[i].num);
		assert_int_equal(a->labels[i].num_unit, b->labels[i].num_unit);
	}
}

static void same_profile(const struct ep_profile *a, const struct ep_profile *b)
{
	same_strings(a, b);
	same_samples(a, b);
	assert_int_equal(a->n_mappings, b->n_mappings);
	assert_int_equal(a->n_locations, b->n_locations);
	assert_int_equal(a->n_lines, b->n_lines);
	assert_int_equal(a->n_functions, b->n_functions);
	for (uint32_t i = 0; i < a->n_lines; i++)
		assert_int_equal(a->lines[i].function, b->lines[i].function);
	for (uint32_t i = 0; i < a->n_locations; i++)
		assert_int_equal(a->locations[i].address, b->locations[i].address);
	same_table(a->comments, b->comments, a->n_comments, b->n_comments,
		   sizeof(ep_str));
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
