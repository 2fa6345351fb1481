/*
 * segment_write.c - making a segment.  See segment.h.
 *
 * Both files are written under other names, synced, read again from the first byte to
 * the last, and only then named; the file of minutes first, so that a segment under
 * its name is whole.
 */
#include "base/grow.h"
#include "base/path.h"
#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/head.h"
#include "store/segment.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TEMPORARY ".new"

struct file {
	char path[4096], final[4096];
	int fd;
	uint64_t at;
};

struct ep_segment_writer {
	char *dir, *name;
	struct file sums, minutes;
	struct ep_segment_end end;
	struct ep_segment_index x;
	uint32_t cap_records, cap_groups, cap_cols, cap_blocks;
	struct ep_zstd *z;
	struct ep_buf head, sums_buf, minutes_buf;
	bool finished;
};

static int io_error(struct ep_err *err, const char *path)
{
	int code = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -ENOSPC : errno == EACCES ? -EACCES : -EIO;
	return ep_fail(err, code, 0, "%s can't be written: %s", path, strerror(errno));
}

static int put(struct file *f, const void *p, size_t n, struct ep_err *err)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = write(f->fd, (const char *)p + done, n - done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return io_error(err, f->path);
		done += (size_t)k;
	}
	f->at += n;
	return 0;
}

static int make_file(struct file *f, const char *dir, const char *name, const char *suffix,
		     struct ep_err *err)
{
	snprintf(f->final, sizeof(f->final), "%s/%s%s", dir, name, suffix);
	snprintf(f->path, sizeof(f->path), "%s/%s" TEMPORARY "%s", dir, name, suffix);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	return f->fd < 0 ? io_error(err, f->path) : 0;
}

static int begin(struct ep_segment_writer *w, struct ep_err *err)
{
	uint8_t room[EP_SEGMENT_END_BYTES] = {0};
	if (getrandom(w->end.id, sizeof(w->end.id), 0) != (ssize_t)sizeof(w->end.id))
		return ep_fail(err, -EIO, 0, "no random numbers: %s", strerror(errno));
	EP_TRY(make_file(&w->sums, w->dir, w->name, EP_SEGMENT_SUFFIX, err));
	EP_TRY(make_file(&w->minutes, w->dir, w->name, EP_MINUTES_SUFFIX, err));
	EP_TRY(put(&w->sums, room, sizeof(room), err)); /* the beginning, written last */
	EP_TRY(put(&w->minutes, "EPRMIN1\n", 8, err));
	return put(&w->minutes, w->end.id, sizeof(w->end.id), err);
}

int ep_segment_writer_open(const char *dir, const char *name, struct ep_segment_writer **ret_w,
			   struct ep_err *err)
{
	struct ep_segment_writer *w = ep_zalloc(sizeof(*w));
	if (!w)
		return ep_fail(err, -ENOMEM, 0, "no memory to make a segment");
	w->sums.fd = w->minutes.fd = -1;
	w->end.min_ns = UINT64_MAX;
	ep_buf_init(&w->head, SIZE_MAX / 2);
	ep_buf_init(&w->sums_buf, SIZE_MAX / 2);
	ep_buf_init(&w->minutes_buf, SIZE_MAX / 2);
	w->dir = ep_strdup(dir);
	w->name = ep_strdup(name);
	w->z = ep_zstd_new();
	w->x.arena = ep_arena_new(0);
	int rc = w->dir && w->name && w->z && w->x.arena
			 ? begin(w, err)
			 : ep_fail(err, -ENOMEM, 0, "no memory to make a segment");
	if (rc < 0) {
		ep_segment_writer_close(w);
		return rc;
	}
	*ret_w = w;
	return 0;
}

struct ep_segment_index *ep_segment_writer_index(struct ep_segment_writer *w)
{
	return &w->x;
}

static int grow(void *table, uint32_t *cap, uint32_t n, size_t size, struct ep_err *err)
{
	return ep_grow(table, cap, n, size) < 0
		       ? ep_fail(err, -ENOMEM, 0, "no memory for a segment's index")
		       : 0;
}

int ep_segment_writer_record(struct ep_segment_writer *w, struct ep_slice envelope,
			     struct ep_err *err)
{
	struct ep_segment_index *x = &w->x;
	struct ep_segment_service *s = &x->services[x->n_services - 1];
	EP_TRY(grow((void *)&x->records, &w->cap_records, x->n_records, sizeof(*x->records), err));
	if (!s->n_records)
		s->first_record = x->n_records;
	x->records[x->n_records++] = (struct ep_segment_record){w->sums.at, envelope.n};
	s->n_records++;
	return put(&w->sums, envelope.p, envelope.n, err);
}

static bool same_group(const struct ep_segment_index *x, const uint32_t *series, uint32_t n)
{
	const struct ep_segment_group *g = x->n_groups ? &x->groups[x->n_groups - 1] : NULL;
	return g && g->n_cols == n && !memcmp(x->cols + g->first_col, series, n * sizeof(*series));
}

static int take_group(struct ep_segment_writer *w, const uint32_t *series, uint32_t n,
		      struct ep_err *err)
{
	struct ep_segment_index *x = &w->x;
	if (same_group(x, series, n))
		return 0;
	EP_TRY(grow((void *)&x->groups, &w->cap_groups, x->n_groups, sizeof(*x->groups), err));
	struct ep_segment_group g = {.first_col = x->n_cols, .first_block = x->n_blocks};
	for (uint32_t i = 0; i < n; i++) {
		EP_TRY(grow((void *)&x->cols, &w->cap_cols, x->n_cols, sizeof(*x->cols), err));
		x->cols[x->n_cols++] = series[i];
	}
	g.n_cols = n;
	x->groups[x->n_groups++] = g;
	return 0;
}

int ep_segment_writer_block(struct ep_segment_writer *w, const uint32_t *series,
			    const struct ep_block_in *in, struct ep_err *err)
{
	struct ep_segment_index *x = &w->x;
	ep_buf_clear(&w->head);
	ep_buf_clear(&w->sums_buf);
	ep_buf_clear(&w->minutes_buf);
	EP_TRY(ep_block_encode(in, w->z, &w->head, &w->sums_buf, &w->minutes_buf, err));
	EP_TRY(take_group(w, series, in->n_cols, err));
	EP_TRY(grow((void *)&x->blocks, &w->cap_blocks, x->n_blocks, sizeof(*x->blocks), err));
	struct ep_segment_block v = {
		.group = x->n_groups - 1,
		.n_points = in->n_points,
		.min_ns = in->points[0].time_ns,
		.max_ns = in->points[in->n_points - 1].time_ns,
		.at = w->sums.at,
		.head_len = w->head.len,
		.sums_len = w->sums_buf.len,
		.minutes_at = w->minutes.at,
		.minutes_len = w->minutes_buf.len,
	};
	EP_TRY(put(&w->sums, w->head.data, w->head.len, err));
	EP_TRY(put(&w->sums, w->sums_buf.data, w->sums_buf.len, err));
	EP_TRY(put(&w->minutes, w->minutes_buf.data, w->minutes_buf.len, err));
	x->blocks[x->n_blocks++] = v;
	x->groups[x->n_groups - 1].n_blocks++;
	w->end.min_ns = v.min_ns < w->end.min_ns ? v.min_ns : w->end.min_ns;
	w->end.max_ns = v.max_ns > w->end.max_ns ? v.max_ns : w->end.max_ns;
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The index twice, each found from one end of the file. */
static int put_indexes(struct ep_segment_writer *w, struct ep_err *err)
{
	ep_auto_buf raw, packed;
	uint8_t b[EP_SEGMENT_END_BYTES];
	ep_buf_init(&raw, SIZE_MAX / 2);
	ep_buf_init(&packed, SIZE_MAX / 2);
	if (ep_segment_index_encode(&w->x, &raw) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment's index");
	EP_TRY(ep_zstd_pack_with(w->z, raw.data, raw.len, &packed, err));
	ep_put_u32(&packed, ep_crc32c(0, packed.data, packed.len));
	if (ep_buf_failed(&packed))
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment's index");
	w->end.index_len = packed.len;
	w->end.index_raw_len = raw.len;
	w->end.minutes_len = w->minutes.at;
	for (int i = 0; i < 2; i++) {
		w->end.index_at = w->sums.at;
		EP_TRY(put(&w->sums, packed.data, packed.len, err));
		ep_segment_end_encode(&w->end, b);
		if (i)
			EP_TRY(put(&w->sums, b, sizeof(b), err));
		else if (pwrite(w->sums.fd, b, sizeof(b), 0) != (ssize_t)sizeof(b))
			return io_error(err, w->sums.path);
	}
	return 0;
}

static int sync_file(struct file *f, struct ep_err *err)
{
	return fsync(f->fd) < 0 ? io_error(err, f->path) : 0;
}

/* As a reader finds it. */
static int check(struct ep_segment_writer *w, struct ep_err *err)
{
	char name[256];
	struct ep_segment *g = NULL;
	struct ep_err why = {0};
	snprintf(name, sizeof(name), "%s" TEMPORARY, w->name);
	int rc = ep_segment_open(w->dir, name, NULL, &g, &why);
	if (!rc && (g->minutes_fd < 0 || g->minutes_bytes != w->minutes.at))
		rc = ep_fail(&why, -EBADMSG, 0, "its minutes are not there");
	if (!rc)
		rc = ep_segment_verify(g, &why);
	ep_segment_close(g);
	return rc < 0 ? ep_fail(err, rc == -EBADMSG ? -EIO : rc, 0, "%s was not written as it should be: %s",
				w->sums.path, why.text)
		      : 0;
}

static int name_file(struct file *f, struct ep_err *err)
{
	return rename(f->path, f->final) < 0 ? io_error(err, f->final) : 0;
}

int ep_segment_writer_finish(struct ep_segment_writer *w, struct ep_err *err)
{
	EP_TRY(put_indexes(w, err));
	EP_TRY(sync_file(&w->minutes, err));
	EP_TRY(sync_file(&w->sums, err));
	EP_TRY(check(w, err));
	EP_TRY(name_file(&w->minutes, err));
	EP_TRY(ep_head_sync_entry(w->minutes.final, err));
	EP_TRY(name_file(&w->sums, err));
	w->finished = true;
	return ep_head_sync_entry(w->sums.final, err);
}

static void close_file(struct file *f, bool keep)
{
	if (f->fd < 0)
		return;
	(void)close(f->fd); /* synced, or not wanted */
	if (!keep)
		(void)unlink(f->path); /* or the next start does it */
}

void ep_segment_writer_close(struct ep_segment_writer *w)
{
	if (!w)
		return;
	close_file(&w->sums, w->finished);
	close_file(&w->minutes, w->finished);
	ep_buf_fini(&w->head);
	ep_buf_fini(&w->sums_buf);
	ep_buf_fini(&w->minutes_buf);
	ep_free(w->x.records);
	ep_free(w->x.groups);
	ep_free(w->x.cols);
	ep_free(w->x.blocks);
	ep_arena_free(w->x.arena);
	ep_zstd_free(w->z);
	ep_free(w->dir);
	ep_free(w->name);
	ep_free(w);
}
