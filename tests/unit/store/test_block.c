/* test_block.c - blocks against plain sums of the same rows, and damaged ones. */
#include "store/block.h"

#include "codec/zstd.h"
#include "gen.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_COLS = 3, N_POINTS = 40, N_SETS = 7, N_STACKS = 90, MOST = N_POINTS * N_SETS * N_STACKS };

struct made {
	struct ep_block_in in;
	struct ep_block_point points[N_POINTS];
	int64_t totals[N_POINTS * N_COLS];
	uint64_t samples[N_POINTS * N_COLS];
	uint32_t point[MOST], sets[MOST], stacks[MOST];
	int64_t values[MOST * N_COLS];
	struct ep_buf head, sums, minutes;
	int fd[2];
};

static void fill(struct made *m, uint64_t seed, uint32_t one_in)
{
	uint64_t r = seed;
	uint32_t n = 0;
	for (uint32_t p = 0; p < N_POINTS; p++) {
		m->points[p] = (struct ep_block_point){
			.time_ns = 1790000000000000000ull + p * 60000000000ull + gen_random(&r) % 1000,
			.duration_ns = 60000000000ull, .meta = p % 3,
			.ledger = {.asked = p, .taken = p * 2, .lost = p * 3, .truncated = p * 4}};
		for (uint32_t s = 0; s < N_SETS; s++)
			for (uint32_t k = 0; k < N_STACKS; k++) {
				if (gen_random(&r) % one_in)
					continue;
				int64_t *v = &m->values[n * N_COLS];
				v[0] = (int64_t)(gen_random(&r) % 9) + 1;
				v[1] = v[0] * 10000000;
				v[2] = (int64_t)(gen_random(&r) % 3 ? 0 : gen_random(&r) % 100000);
				m->point[n] = p;
				m->sets[n] = s * 5;
				m->stacks[n++] = k * 11 + 3;
				for (uint32_t c = 0; c < N_COLS; c++) {
					m->totals[p * N_COLS + c] += v[c];
					m->samples[p * N_COLS + c] += v[c] != 0;
				}
			}
	}
	m->in = (struct ep_block_in){N_COLS,	 N_POINTS, n,	      m->points, m->totals,
				     m->samples, m->point, m->sets, m->stacks, m->values};
}

static struct made *make(uint64_t seed, uint32_t one_in)
{
	struct made *m = calloc(1, sizeof(*m));
	ep_auto(ep_zstd) z = ep_zstd_new();
	struct ep_err err = {0};
	fill(m, seed, one_in);
	ep_buf_init(&m->head, SIZE_MAX);
	ep_buf_init(&m->sums, SIZE_MAX);
	ep_buf_init(&m->minutes, SIZE_MAX);
	if (ep_block_encode(&m->in, z, &m->head, &m->sums, &m->minutes, &err) < 0)
		fail_msg("encode: %s", err.text);
	for (int i = 0; i < 2; i++) {
		struct ep_buf *b = i ? &m->minutes : &m->sums;
		m->fd[i] = memfd_create("block", 0);
		assert_int_equal(pwrite(m->fd[i], b->data, b->len, 100), b->len);
	}
	return m;
}

static void destroy(struct made *m)
{
	ep_buf_fini(&m->head);
	ep_buf_fini(&m->sums);
	ep_buf_fini(&m->minutes);
	close(m->fd[0]);
	close(m->fd[1]);
	free(m);
}

static int open_block(struct made *m, struct ep_block *b)
{
	struct ep_block_place sums = {m->fd[0], 100, m->sums.len};
	struct ep_block_place minutes = {m->fd[1], 100, m->minutes.len};
	return ep_block_open(b, m->head.data, m->head.len, sums, minutes, NULL);
}

/* The plain sum of a stack, over some profiles and label sets. */
static int64_t expect(const struct made *m, uint32_t stack, uint32_t col, uint32_t first,
		      uint32_t end, uint32_t set, bool any_set)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < m->in.n_rows; i++)
		if (m->stacks[i] == stack && m->point[i] >= first && m->point[i] < end &&
		    (any_set || m->sets[i] == set))
			sum += m->values[i * N_COLS + col];
	return sum;
}

static int only_15(struct ep_block_filter *f, uint32_t set, struct ep_err *err)
{
	(void)f, (void)err;
	return set == 15;
}

static void check_sum(struct made *m, struct ep_block *b, uint32_t col, bool filtered,
		      uint32_t first, uint32_t end)
{
	struct ep_blob to;
	struct ep_block_filter f = {.ask = only_15};
	int64_t all = 0;
	assert_int_equal(ep_blob_init(&to), 0);
	assert_int_equal(ep_block_sum(b, col, filtered ? &f : NULL, first, end, &to, NULL), 0);
	assert_int_equal(to.n_sets, 1);
	for (uint32_t i = 0; i < to.n_rows; i++) {
		assert_int_equal(to.values[i],
				 expect(m, to.stacks[i], col, first, end, 15, !filtered));
		all += to.values[i];
	}
	assert_int_equal(to.set_sums[0], all);
	int64_t total = 0;
	for (uint32_t i = 0; i < m->in.n_rows; i++)
		if (m->point[i] >= first && m->point[i] < end && (!filtered || m->sets[i] == 15))
			total += m->values[i * N_COLS + col];
	assert_int_equal(all, total);
	ep_blob_fini(&to);
}

TEST(block_sums_are_those_of_its_rows)
{
	static const uint32_t density[] = {1, 3, 20, 4000};
	for (uint32_t i = 0; i < 4; i++) {
		struct made *m = make(i + 1, density[i]);
		struct ep_block b;
		assert_int_equal(ep_block_init(&b), 0);
		assert_int_equal(open_block(m, &b), 0);
		assert_int_equal(ep_block_verify(&b, NULL), 0);
		for (uint32_t col = 0; col < N_COLS; col++)
			for (int filtered = 0; filtered < 2; filtered++) {
				check_sum(m, &b, col, filtered, 0, N_POINTS);
				check_sum(m, &b, col, filtered, 5, 6);
				check_sum(m, &b, col, filtered, 10, N_POINTS);
			}
		assert_int_equal(b.cols[1].of, 0); /* not stored twice */
		ep_block_fini(&b);
		destroy(m);
	}
}

TEST(block_gives_back_every_row)
{
	struct made *m = make(9, 4);
	struct ep_block b;
	assert_int_equal(ep_block_init(&b), 0);
	assert_int_equal(open_block(m, &b), 0);
	assert_int_equal(ep_block_read_points(&b, NULL), 0);
	assert_memory_equal(b.totals, m->totals, sizeof(m->totals));
	assert_memory_equal(b.samples, m->samples, sizeof(m->samples));
	for (uint32_t p = 0; p < N_POINTS; p++) {
		assert_int_equal(b.points[p].time_ns, m->points[p].time_ns);
		assert_int_equal(b.points[p].meta, m->points[p].meta);
		assert_int_equal(b.points[p].ledger.truncated, m->points[p].ledger.truncated);
	}
	for (uint32_t col = 0; col < N_COLS; col++) {
		assert_int_equal(ep_block_read_rows(&b, col, NULL), 0);
		assert_int_equal(b.rows_from[N_POINTS], m->in.n_rows);
		for (uint32_t p = 0, i = 0; p < N_POINTS; p++)
			for (; i < b.rows_from[p + 1]; i++) {
				assert_int_equal(m->point[i], p);
				assert_int_equal(b.row_sets[i], m->sets[i]);
				assert_int_equal(b.row_stacks[i], m->stacks[i]);
				assert_int_equal(b.row_values[i], m->values[i * N_COLS + col]);
			}
		assert_int_equal(ep_block_read_point_sets(&b, col, NULL), 0);
		for (uint32_t p = 0; p < N_POINTS; p++) {
			int64_t sum = 0;
			for (uint32_t k = b.sets_from[p]; k < b.sets_from[p + 1]; k++)
				sum += b.point_sums[k];
			assert_int_equal(sum, m->totals[p * N_COLS + col]);
		}
	}
	ep_block_fini(&b);
	destroy(m);
}

TEST(block_has_sums_by_label_set)
{
	struct made *m = make(5, 4);
	struct ep_block b;
	struct ep_blob to;
	assert_int_equal(ep_block_init(&b), 0);
	assert_int_equal(ep_blob_init(&to), 0);
	assert_int_equal(open_block(m, &b), 0);
	assert_int_equal(ep_block_sum_pairs(&b, 2, &to, NULL), 0);
	assert_int_equal(to.n_sets, N_SETS);
	for (uint32_t s = 0; s < to.n_sets; s++) {
		assert_int_equal(to.sets[s].id, s * 5);
		for (uint32_t i = to.sets[s].first_row; i < to.sets[s].first_row + to.sets[s].n_rows; i++)
			assert_int_equal(to.values[i],
					 expect(m, to.stacks[i], 2, 0, N_POINTS, s * 5, false));
	}
	ep_blob_fini(&to);
	ep_block_fini(&b);
	destroy(m);
}

TEST(block_without_minutes_has_its_sums)
{
	struct made *m = make(6, 4);
	struct ep_block b;
	struct ep_blob to;
	assert_int_equal(ep_block_init(&b), 0);
	assert_int_equal(ep_blob_init(&to), 0);
	struct ep_block_place sums = {m->fd[0], 100, m->sums.len}, gone = {-1, 0, m->minutes.len};
	assert_int_equal(ep_block_open(&b, m->head.data, m->head.len, sums, gone, NULL), 0);
	assert_int_equal(ep_block_read_points(&b, NULL), 0);
	assert_int_equal(ep_block_sum(&b, 0, NULL, 0, N_POINTS, &to, NULL), 0);
	assert_int_equal(ep_block_sum(&b, 0, NULL, 1, N_POINTS, &to, NULL), -ENOENT);
	assert_int_equal(ep_block_read_rows(&b, 0, NULL), -ENOENT);
	ep_blob_fini(&to);
	ep_block_fini(&b);
	destroy(m);
}

/* Any flipped bit is found by the checksum of what it lies in. */
TEST(block_finds_every_flipped_bit)
{
	struct made *m = make(7, 30);
	struct ep_block b;
	uint64_t r = 1;
	assert_int_equal(ep_block_init(&b), 0);
	for (uint32_t i = 0; i < m->head.len; i++) {
		uint8_t bit = (uint8_t)(1 << gen_random(&r) % 8);
		m->head.data[i] ^= bit;
		assert_int_equal(open_block(m, &b), -EBADMSG);
		m->head.data[i] ^= bit;
	}
	for (int f = 0; f < 2; f++) {
		struct ep_buf *bytes = f ? &m->minutes : &m->sums;
		for (uint32_t i = 0; i < bytes->len; i += 7) {
			uint8_t was = bytes->data[i], is = was ^ (uint8_t)(1 << gen_random(&r) % 8);
			assert_int_equal(pwrite(m->fd[f], &is, 1, 100 + i), 1);
			assert_int_equal(open_block(m, &b), 0);
			assert_int_equal(ep_block_verify(&b, NULL), -EBADMSG);
			assert_int_equal(pwrite(m->fd[f], &was, 1, 100 + i), 1);
		}
	}
	assert_int_equal(ftruncate(m->fd[0], 110), 0); /* the file ends early */
	assert_int_equal(open_block(m, &b), 0);
	assert_int_equal(ep_block_read_points(&b, NULL), -EBADMSG);
	ep_block_fini(&b);
	destroy(m);
}

TEST(block_refuses_an_hour_over_2_63)
{
	struct made *m = calloc(1, sizeof(*m));
	ep_auto(ep_zstd) z = ep_zstd_new();
	fill(m, 3, 50);
	ep_buf_init(&m->head, SIZE_MAX);
	ep_buf_init(&m->sums, SIZE_MAX);
	ep_buf_init(&m->minutes, SIZE_MAX);
	for (uint32_t i = 0; i < m->in.n_rows; i++)
		m->values[i * N_COLS + 2] = INT64_MAX;
	assert_int_equal(ep_block_encode(&m->in, z, &m->head, &m->sums, &m->minutes, NULL), -E2BIG);
	destroy(m);
}
