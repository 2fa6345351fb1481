/* test_writer.c - profiles that share a transaction. */
#include "base/clock.h"
#include "gen.h"
#include "store/inside.h"
#include "test.h"

#include <string.h>

/* A profile on its way to the head at hand: its series twice when it is to fail, which
 * the file's keys do not allow. */
struct made {
	struct ep_head_point points[2];
	struct ep_job job;
};

static void make(struct ep_store *s, struct made *m, const char *service, bool fails)
{
	struct ep_head *h = NULL;
	uint64_t now = ep_clock_wall_ns();
	assert_int_equal(ep_store_take_head(s, &h, NULL), 0);
	memset(m, 0, sizeof(*m));
	m->job.head = h;
	struct ep_head_write *w = &m->job.w;
	struct ep_kv label = {ep_slice_of("service_name"), ep_slice_of(service)};
	assert_int_equal(ep_head_service(h, label.value, &w->service), 0);
	assert_int_equal(ep_head_dict(h, w->service, &w->dict, NULL), 0);
	w->blob = "no rows";
	w->n_blob = 7;
	w->points = m->points;
	w->n_points = fails ? 2 : 1;
	for (uint32_t i = 0; i < w->n_points; i++) {
		assert_int_equal(ep_head_series(h, &label, 1, w->service, &m->points[i].series), 0);
		m->points[i].time_ns = now;
	}
}

/* All of them at once, so that they are one batch. */
static void write_at_once(struct ep_store *s, struct made *v, uint32_t n)
{
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i + 1 < n; i++)
		v[i].job.next = &v[i + 1].job;
	s->first = &v[0].job;
	s->last = &v[n - 1].job;
	pthread_cond_signal(&s->work);
	for (uint32_t i = 0; i < n; i++)
		while (!v[i].job.done)
			pthread_cond_wait(&s->done, &s->lock);
	pthread_mutex_unlock(&s->lock);
	for (uint32_t i = 0; i < n; i++)
		ep_store_drop_head(s, v[i].job.head);
}

TEST(writer_keeps_a_batch_although_one_of_it_fails)
{
	char *dir = gen_folder();
	struct ep_store *s = NULL;
	struct made v[4];
	assert_int_equal(ep_store_open(dir, &s, NULL), 0);
	for (uint32_t i = 0; i < 4; i++)
		make(s, &v[i], i == 2 ? "bad" : "good", i == 2);
	write_at_once(s, v, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(v[i].job.rc < 0, i == 2);
		assert_int_equal(v[i].job.err.text[0] != '\0', i == 2);
	}
	struct ep_store_stats st;
	ep_store_stats(s, &st);
	assert_int_equal(st.commits, 3);
	/* And the store goes on. */
	make(s, &v[0], "good", false);
	write_at_once(s, v, 1);
	assert_int_equal(v[0].job.rc, 0);
	ep_store_close(s);
	gen_remove(dir);
}
