/*
 * seal.c - from a head to a segment.
 *
 * Nothing of the head is touched here.  A head of which anything is damaged is not
 * sealed: it stays as it is, with all that can still be read of it.
 */
#include "store/seal.h"

#include "base/grow.h"
#include "base/hash.h"
#include "codec/zstd.h"
#include "store/segment.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_ROWS = 4 << 20, /* of a block while it is made */
	MAX_POINTS = 4096,
	RECORD_STACKS = 1 << 16, /* of a dictionary record: what a bad sector costs */
};
static const uint64_t hour_ns = 3600ull * 1000000000;

/* One profile: its points, a column each. */
struct found {
	uint32_t first, n;
};

struct sealing {
	struct ep_head *h;
	struct ep_head_conn *c;
	struct ep_segment_writer *w;
	const _Atomic bool *stop;
	struct ep_blob blob;
	struct ep_zstd *z;
	struct ep_dict *d; /* of the service at hand */

	struct ep_head_point *points; /* of the source at hand */
	struct found *found;
	uint32_t n_points, cap_points, n_found, cap_found;
	uint64_t n_sealed; /* points */

	struct ep_block_in in; /* the block being filled */
	uint32_t cap_in_points, cap_totals, cap_samples, cap_point, cap_sets, cap_stacks,
		cap_values;
	const struct found *tuple; /* whose series it is of */
};

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory to seal a head");
}

static int damaged(const struct sealing *g, const char *what, struct ep_err *err)
{
	return ep_fail(err, -EBADMSG, 0, "%s: %s", g->h->name, what);
}

/* --- the block being filled ------------------------------------------------------------------ */

static int grow(void *table, uint32_t *cap, uint64_t n, size_t size, struct ep_err *err)
{
	while (*cap < n)
		if (ep_grow(table, cap, *cap, size) < 0)
			return no_memory(err);
	return 0;
}

static int room_for(struct sealing *g, uint32_t n_rows, struct ep_err *err)
{
	struct ep_block_in *in = &g->in;
	uint64_t points = (uint64_t)in->n_points + 1, rows = (uint64_t)in->n_rows + n_rows;
	EP_TRY(grow((void *)&in->points, &g->cap_in_points, points, sizeof(*in->points), err));
	EP_TRY(grow((void *)&in->totals, &g->cap_totals, points * in->n_cols, sizeof(*in->totals),
		    err));
	EP_TRY(grow((void *)&in->samples, &g->cap_samples, points * in->n_cols,
		    sizeof(*in->samples), err));
	EP_TRY(grow((void *)&in->point, &g->cap_point, rows, sizeof(*in->point), err));
	EP_TRY(grow((void *)&in->sets, &g->cap_sets, rows, sizeof(*in->sets), err));
	EP_TRY(grow((void *)&in->stacks, &g->cap_stacks, rows, sizeof(*in->stacks), err));
	return grow((void *)&in->values, &g->cap_values, rows * in->n_cols, sizeof(*in->values),
		    err);
}

static int write_part(struct sealing *g, uint32_t from, uint32_t to, struct ep_err *err);

/* Half of the profiles each, when an hour's sum is over 2^63. */
static int split(struct sealing *g, uint32_t from, uint32_t to, struct ep_err *err)
{
	uint32_t mid = from + (to - from) / 2;
	EP_TRY(write_part(g, from, mid, err));
	return write_part(g, mid, to, err);
}

/* The profiles from..to of the block as a block of their own. */
static int write_part(struct sealing *g, uint32_t from, uint32_t to, struct ep_err *err)
{
	const struct ep_block_in *all = &g->in;
	uint32_t series[EP_BLOCK_MAX_COLS], first = 0, end = all->n_rows;
	while (first < end && all->point[first] < from)
		first++;
	while (end > first && all->point[end - 1] >= to)
		end--;
	for (uint32_t i = 0; i < all->n_cols; i++)
		series[i] = g->points[g->tuple->first + i].series;
	struct ep_block_in in = {
		.n_cols = all->n_cols,
		.n_points = to - from,
		.n_rows = end - first,
		.points = all->points + from,
		.totals = all->totals + (size_t)from * all->n_cols,
		.samples = all->samples + (size_t)from * all->n_cols,
		.point = all->point + first,
		.sets = all->sets + first,
		.stacks = all->stacks + first,
		.values = all->values + (size_t)first * all->n_cols,
	};
	uint32_t *point ep_auto_mem = NULL;
	if (from) { /* its profiles count from 0 */
		point = ep_alloc(((size_t)in.n_rows + 1) * sizeof(*point));
		if (!point)
			return no_memory(err);
		for (uint32_t i = 0; i < in.n_rows; i++)
			point[i] = in.point[i] - from;
		in.point = point;
	}
	int rc = ep_segment_writer_block(g->w, series, &in, err);
	return rc == -E2BIG && to - from > 1 ? split(g, from, to, err) : rc;
}

static int flush(struct sealing *g, struct ep_err *err)
{
	if (g->in.n_points)
		EP_TRY(write_part(g, 0, g->in.n_points, err));
	g->in.n_points = g->in.n_rows = 0;
	return 0;
}

/* --- a profile ---------------------------------------------------------------------------------- */

static int check_ids(const struct sealing *g, struct ep_err *err)
{
	const struct ep_blob *b = &g->blob;
	uint32_t n_sets = ep_vec_n(&g->d->sets), n_stacks = ep_vec_n(&g->d->stacks);
	bool ok = b->meta < ep_vec_n(&g->d->metas);
	for (uint32_t i = 0; i < b->n_sets; i++)
		ok &= b->sets[i].id < n_sets;
	for (uint32_t i = 0; i < b->n_rows; i++)
		ok &= b->stacks[i] < n_stacks;
	return ok ? 0 : damaged(g, "a profile is not in its dictionary", err);
}

/* The blob's bytes are SQLite's until the statement is reset. */
static int read_blob(struct sealing *g, uint64_t blob, struct ep_err *err)
{
	sqlite3_stmt *q = g->c->blob;
	(void)sqlite3_reset(q); /* the last one's error was reported then */
	sqlite3_bind_int64(q, 1, (sqlite3_int64)blob);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return damaged(g, "a profile has no bytes", err);
	if (rc != SQLITE_ROW)
		return ep_sql_fail(g->c->db, rc, g->h->name, err);
	EP_TRY(ep_blob_open(&g->blob, sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0),
			    err));
	EP_TRY(ep_blob_read_stacks(&g->blob, err));
	return check_ids(g, err);
}

static int add_values(struct sealing *g, uint32_t col, struct ep_err *err)
{
	struct ep_block_in *in = &g->in;
	EP_TRY(ep_blob_read_values(&g->blob, col, err));
	for (uint32_t i = 0; i < g->blob.n_rows; i++)
		in->values[((size_t)in->n_rows + i) * in->n_cols + col] = g->blob.values[i];
	return 0;
}

static int add_profile(struct sealing *g, const struct found *f, struct ep_err *err)
{
	const struct ep_head_point *p = &g->points[f->first];
	struct ep_block_in *in = &g->in;
	struct ep_blob *b = &g->blob;
	EP_TRY(read_blob(g, p->blob, err));
	if (b->n_cols != f->n)
		return damaged(g, "a profile has other columns than its rows", err);
	EP_TRY(room_for(g, b->n_rows, err));
	for (uint32_t c = 0; c < f->n; c++) {
		EP_TRY(add_values(g, c, err));
		in->totals[(size_t)in->n_points * f->n + c] = p[c].total;
		in->samples[(size_t)in->n_points * f->n + c] = p[c].samples;
	}
	for (uint32_t s = 0; s < b->n_sets; s++)
		for (uint32_t i = 0; i < b->sets[s].n_rows; i++) {
			uint32_t at = in->n_rows + b->sets[s].first_row + i;
			in->point[at] = in->n_points;
			in->sets[at] = b->sets[s].id;
			in->stacks[at] = b->stacks[b->sets[s].first_row + i];
		}
	in->points[in->n_points++] = (struct ep_block_point){
		.time_ns = p->time_ns, .duration_ns = p->duration_ns, .ledger = p->ledger,
		.meta = b->meta};
	in->n_rows += b->n_rows;
	g->n_sealed += f->n;
	return 0;
}

/* --- a source ----------------------------------------------------------------------------------- */

static int by_blob(const void *a, const void *b)
{
	const struct ep_head_point *x = a, *y = b;
	if (x->blob != y->blob)
		return x->blob < y->blob ? -1 : 1;
	return x->col < y->col ? -1 : x->col > y->col;
}

static int compare_tuples(const struct sealing *g, const struct found *x, const struct found *y)
{
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t s = g->points[x->first + i].series, t = g->points[y->first + i].series;
		if (s != t)
			return s < t ? -1 : 1;
	}
	return 0;
}

/* By the series they are of, then time. */
static int by_tuple(const void *a, const void *b, void *arg)
{
	const struct sealing *g = arg;
	int c = compare_tuples(g, a, b);
	const struct ep_head_point *x = &g->points[((const struct found *)a)->first];
	const struct ep_head_point *y = &g->points[((const struct found *)b)->first];
	if (c)
		return c;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->blob < y->blob ? -1 : x->blob > y->blob;
}

/* Runs of one blob: columns 0, 1, … of one profile. */
static int find_profiles(struct sealing *g, struct ep_err *err)
{
	qsort(g->points, g->n_points, sizeof(*g->points), by_blob);
	g->n_found = 0;
	for (uint32_t i = 0, n; i < g->n_points; i += n) {
		for (n = 0; i + n < g->n_points && g->points[i + n].blob == g->points[i].blob; n++)
			if (g->points[i + n].col != n || g->points[i + n].time_ns != g->points[i].time_ns)
				return damaged(g, "a column of a profile is missing", err);
		if (n > EP_BLOCK_MAX_COLS)
			return damaged(g, "a profile has too many columns", err);
		if (ep_grow((void *)&g->found, &g->cap_found, g->n_found, sizeof(*g->found)) < 0)
			return no_memory(err);
		g->found[g->n_found++] = (struct found){i, n};
	}
	qsort_r(g->found, g->n_found, sizeof(*g->found), by_tuple, g);
	return 0;
}

static bool fits(const struct sealing *g, const struct found *f)
{
	const struct ep_block_in *in = &g->in;
	if (!in->n_points)
		return true;
	return !compare_tuples(g, g->tuple, f) && in->n_points < MAX_POINTS &&
	       in->n_rows < MAX_ROWS &&
	       in->points[0].time_ns / hour_ns == g->points[f->first].time_ns / hour_ns;
}

static int seal_source(struct sealing *g, struct ep_err *err)
{
	EP_TRY(find_profiles(g, err));
	for (uint32_t i = 0; i < g->n_found; i++) {
		if (atomic_load(g->stop))
			return ep_fail(err, -ECANCELED, 0, "sealing %s was stopped", g->h->name);
		if (!fits(g, &g->found[i]))
			EP_TRY(flush(g, err));
		g->tuple = &g->found[i];
		g->in.n_cols = g->found[i].n;
		EP_TRY(add_profile(g, &g->found[i], err));
	}
	return flush(g, err);
}

static int read_points(struct sealing *g, uint32_t series, struct ep_err *err)
{
	sqlite3_stmt *q = g->c->points;
	sqlite3_bind_int64(q, 1, series);
	sqlite3_bind_int64(q, 2, 0);
	sqlite3_bind_int64(q, 3, INT64_MAX);
	int rc, code = 0;
	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (ep_grow((void *)&g->points, &g->cap_points, g->n_points, sizeof(*g->points)) < 0)
			code = no_memory(err);
		else if (!ep_head_get_point(q, series, &g->points[g->n_points++]))
			code = damaged(g, "a row has a wrong checksum", err);
	}
	if (!code && rc != SQLITE_DONE)
		code = ep_sql_fail(g->c->db, rc, g->h->name, err);
	(void)sqlite3_reset(q); /* its error is reported above */
	return code;
}

/* --- a service -------------------------------------------------------------------------------------- */

struct source {
	uint64_t key;
	uint32_t service, series;
};

static int by_source(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->series < y->series ? -1 : x->series > y->series;
}

/* What the columns of one profile share: service and labels other than those of the
 * type.  Two sources under one key do no harm: profiles are told apart by their blobs. */
static struct source source_of(const struct ep_head *h, uint32_t series)
{
	const struct ep_head_series *s = ep_head_series_at(h, series);
	struct source to = {.service = s->service, .series = series};
	for (uint32_t i = 0; i < s->n_labels; i++) {
		struct ep_slice k = s->labels[i].key, v = s->labels[i].value;
		if (k.n > 2 && !memcmp(k.p, "__", 2))
			continue;
		to.key = ep_hash_mix(to.key, ep_hash64(k.p, k.n));
		to.key = ep_hash_mix(to.key, v.n ? ep_hash64(v.p, v.n) : 0);
	}
	return to;
}

/* Those of one service, which lie together. */
static int seal_sources(struct sealing *g, const struct source *v, uint32_t n, struct ep_err *err)
{
	for (uint32_t i = 0, k; i < n; i = k) {
		g->n_points = 0;
		for (k = i; k < n && v[k].key == v[i].key; k++)
			EP_TRY(read_points(g, v[k].series, err));
		EP_TRY(seal_source(g, err));
	}
	return 0;
}

/* --- a service's dictionary ----------------------------------------------------------------------- */

/* What came after a mark, as one record: many small ones pack badly. */
static int put_record(struct sealing *g, const struct ep_dict_mark *from,
		      const struct ep_dict_mark *to, struct ep_err *err)
{
	ep_auto_buf raw, packed;
	ep_buf_init(&raw, SIZE_MAX / 2);
	ep_buf_init(&packed, SIZE_MAX / 2);
	ep_dict_encode(g->d, from, to, &raw);
	if (ep_buf_failed(&raw))
		return no_memory(err);
	EP_TRY(ep_dict_pack(&raw, g->z, &packed, err));
	return ep_segment_writer_record(
		g->w, (struct ep_slice){(const char *)packed.data, packed.len}, err);
}

/* Fills g->d from the head's records, and writes them, some of them in one. */
static int put_records(struct sealing *g, uint32_t service, struct ep_err *err)
{
	sqlite3_stmt *q = g->c->chunks;
	struct ep_dict_mark from, to;
	int rc, code = 0;
	ep_dict_mark(g->d, &from);
	to = from;
	sqlite3_bind_int64(q, 1, service);
	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct ep_slice b = {sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0)};
		code = ep_dict_unpack(g->d, b, err);
		ep_dict_mark(g->d, &to);
		if (!code && to.stacks - from.stacks >= RECORD_STACKS) {
			code = put_record(g, &from, &to, err);
			from = to;
		}
	}
	if (!code && rc != SQLITE_DONE)
		code = ep_sql_fail(g->c->db, rc, g->h->name, err);
	(void)sqlite3_reset(q); /* its error is reported above */
	if (!code && memcmp(&from, &to, sizeof(from)) != 0)
		code = put_record(g, &from, &to, err);
	return code;
}

static int seal_service(struct sealing *g, uint32_t service, const struct source *v, uint32_t n,
			struct ep_err *err)
{
	struct ep_segment_index *x = ep_segment_writer_index(g->w);
	struct ep_segment_service *to = &x->services[x->n_services++];
	to->name = ep_vec_get(&g->h->services, struct ep_head_service, service)->name;
	EP_TRY(put_records(g, service, err));
	ep_dict_mark(g->d, &to->mark);
	return seal_sources(g, v, n, err);
}

/* --- all of it ------------------------------------------------------------------------------------ */

/* Names and labels are borrowed from the head. */
static int put_series(struct sealing *g, struct ep_err *err)
{
	struct ep_segment_index *x = ep_segment_writer_index(g->w);
	uint32_t n_services = ep_vec_n(&g->h->services), n_series = ep_vec_n(&g->h->series);
	x->services = ep_arena_array(x->arena, struct ep_segment_service, (size_t)n_services + 1);
	x->series = ep_arena_array(x->arena, struct ep_segment_series, (size_t)n_series + 1);
	if (!x->services || !x->series)
		return no_memory(err);
	x->epoch = (struct ep_slice){g->h->name, strlen(g->h->name)};
	for (uint32_t i = 0; i < n_series; i++) {
		const struct ep_head_series *s = ep_head_series_at(g->h, i);
		x->series[x->n_series++] = (struct ep_segment_series){
			.labels = s->labels, .n_labels = s->n_labels, .service = s->service};
	}
	return 0;
}

static int seal_services(struct sealing *g, const struct source *v, uint32_t n, struct ep_err *err)
{
	uint32_t n_services = ep_vec_n(&g->h->services), at = 0;
	for (uint32_t i = 0; i < n_services; i++) {
		uint32_t first = at;
		while (at < n && v[at].service == i)
			at++;
		g->d = ep_dict_new();
		int rc = g->d ? seal_service(g, i, v + first, at - first, err) : no_memory(err);
		ep_dict_free(g->d);
		EP_TRY(rc);
	}
	return at == n ? 0 : damaged(g, "a series is of no service", err);
}

static int seal(struct sealing *g, struct ep_err *err)
{
	struct ep_head *h = g->h;
	uint32_t n = ep_vec_n(&h->series);
	struct source *v ep_auto_mem = ep_alloc(((size_t)n + 1) * sizeof(*v));
	g->z = ep_zstd_new();
	if (!v || !g->z || ep_blob_init(&g->blob) < 0)
		return no_memory(err);
	EP_TRY(put_series(g, err));
	for (uint32_t i = 0; i < n; i++)
		v[i] = source_of(h, i);
	qsort(v, n, sizeof(*v), by_source);
	EP_TRY(seal_services(g, v, n, err));
	int64_t expected = 0;
	EP_TRY(ep_sql_int(g->c->db, "SELECT count(*) FROM points", &expected, err));
	if ((uint64_t)expected != g->n_sealed)
		return damaged(g, "there are rows of no known series", err);
	return ep_segment_writer_finish(g->w, err);
}

static void fini(struct sealing *g)
{
	void *all[] = {g->points,	  g->found,	  g->in.points, g->in.totals, g->in.samples,
		       g->in.point, g->in.sets, g->in.stacks, g->in.values};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ep_free(all[i]);
	ep_blob_fini(&g->blob);
	ep_zstd_free(g->z);
}

int ep_seal(struct ep_head *h, const char *dir, const char *name, const _Atomic bool *stop,
	    struct ep_err *err)
{
	struct sealing g = {.h = h, .stop = stop};
	EP_TRY(ep_head_load(h, err));
	if (atomic_load(&h->damaged) || h->n_bad)
		return damaged(&g, "it is damaged", err);
	EP_TRY(ep_head_get_conn(h, &g.c, err));
	int rc = ep_segment_writer_open(dir, name, &g.w, err);
	if (!rc)
		rc = seal(&g, err);
	ep_head_put_conn(h, g.c);
	ep_segment_writer_close(g.w);
	fini(&g);
	return rc;
}
