/*
 * segment.c - opening segments, their tables in memory, and what was set aside.
 * Writing is in segment_write.c.  See segment.h.
 */
#include "store/segment.h"

#include "base/log.h"
#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_INDEX = 1 << 30 };

static int read_at(int fd, uint64_t at, void *p, size_t n, struct ep_err *err)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = pread(fd, (char *)p + done, n - done, (off_t)(at + done));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return ep_fail(err, -EBADMSG, at + done, k ? "it can't be read" : "it ends early");
		done += (size_t)k;
	}
	return 0;
}

/* --- open and close ------------------------------------------------------------------------- */

static uint64_t size_of(int fd)
{
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int read_ends(struct ep_segment *g, struct ep_err *err)
{
	uint8_t b[EP_SEGMENT_END_BYTES];
	struct ep_err why = {0};
	int rc = -EBADMSG;
	for (int i = 0; i < 2 && g->bytes >= EP_SEGMENT_END_BYTES; i++) {
		uint64_t at = i ? g->bytes - sizeof(b) : 0;
		if (read_at(g->fd, at, b, sizeof(b), &why) < 0)
			continue;
		int code = ep_segment_end_decode(b, &g->ends[i], &why);
		rc = code == -ENOTSUP ? code : rc;
		g->has_end[i] = !code;
	}
	if (!g->has_end[0] && !g->has_end[1])
		return ep_fail(err, rc, 0, "%s: %s", g->name, why.text);
	const struct ep_segment_end *e = &g->ends[g->has_end[0] ? 0 : 1];
	g->min_ns = e->min_ns;
	g->max_ns = e->max_ns;
	return 0;
}

/* The file of minutes may be gone; one that is another's counts as gone. */
static void open_minutes(struct ep_segment *g)
{
	uint8_t b[EP_MINUTES_BEGIN];
	const struct ep_segment_end *e = &g->ends[g->has_end[0] ? 0 : 1];
	g->minutes_fd = open(g->minutes_path, O_RDONLY | O_CLOEXEC);
	if (g->minutes_fd < 0)
		return;
	g->minutes_bytes = size_of(g->minutes_fd);
	if (read_at(g->minutes_fd, 0, b, sizeof(b), NULL) == 0 && !memcmp(b, "EPRMIN1\n", 8) &&
	    !memcmp(b + 8, e->id, EP_SEGMENT_ID_BYTES))
		return;
	ep_log_warn("store: %s does not belong to its segment and is left out", g->minutes_path);
	(void)close(g->minutes_fd); /* only read */
	g->minutes_fd = -1;
}

static int open_files(struct ep_segment *g, struct ep_err *err)
{
	g->fd = open(g->path, O_RDONLY | O_CLOEXEC);
	if (g->fd < 0)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s can't be opened: %s",
			       g->path, strerror(errno));
	g->bytes = size_of(g->fd);
	EP_TRY(read_ends(g, err));
	open_minutes(g);
	return 0;
}

static char *path_of(const char *dir, const char *name, const char *suffix)
{
	size_t n = strlen(dir) + strlen(name) + strlen(suffix) + 2;
	char *s = ep_alloc(n);
	if (s)
		snprintf(s, n, "%s/%s%s", dir, name, suffix);
	return s;
}

int ep_segment_open(const char *dir, const char *name, const char *quarantine,
		    struct ep_segment **ret_g, struct ep_err *err)
{
	struct ep_segment *g = ep_zalloc(sizeof(*g));
	if (!g)
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment");
	pthread_mutex_init(&g->lock, NULL);
	g->fd = g->minutes_fd = -1;
	g->quarantine = quarantine;
	g->name = ep_strdup(name);
	g->path = path_of(dir, name, EP_SEGMENT_SUFFIX);
	g->minutes_path = path_of(dir, name, EP_MINUTES_SUFFIX);
	int rc = g->name && g->path && g->minutes_path
			 ? open_files(g, err)
			 : ep_fail(err, -ENOMEM, 0, "no memory for a segment");
	if (rc < 0) {
		ep_segment_close(g);
		return rc;
	}
	*ret_g = g;
	return 0;
}

void ep_segment_unload(struct ep_segment *g)
{
	for (uint32_t i = 0; g->dicts && i < g->x.n_services; i++)
		ep_dict_free(g->dicts[i]);
	ep_free(g->dicts);
	g->dicts = NULL;
	ep_segment_index_fini(&g->x);
	g->loaded = false; /* what was set aside stays so */
}

void ep_segment_close(struct ep_segment *g)
{
	if (!g)
		return;
	ep_segment_unload(g);
	if (g->fd >= 0)
		(void)close(g->fd); /* only read */
	if (g->minutes_fd >= 0)
		(void)close(g->minutes_fd); /* only read */
	pthread_mutex_destroy(&g->lock);
	ep_free(g->bad);
	ep_free(g->path);
	ep_free(g->minutes_path);
	ep_free(g->name);
	ep_free(g);
}

/* --- tables --------------------------------------------------------------------------------- */

/* The index comes last before its end, with its checksum. */
static int read_index(struct ep_segment *g, const struct ep_segment_end *e, struct ep_err *err)
{
	if (e->index_len < 4 || e->index_len > MAX_INDEX || e->index_raw_len > MAX_INDEX ||
	    e->index_at > g->bytes || e->index_len > g->bytes - e->index_at)
		return ep_fail(err, -EBADMSG, 0, "its index lies outside");
	uint8_t *packed ep_auto_mem = ep_alloc(e->index_len);
	uint8_t *raw ep_auto_mem = ep_alloc(e->index_raw_len + 1);
	ep_auto(ep_zstd) z = ep_zstd_new();
	if (!packed || !raw || !z)
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment's index");
	EP_TRY(read_at(g->fd, e->index_at, packed, e->index_len, err));
	size_t n = e->index_len - 4;
	if (ep_crc32c(0, packed, n) != ep_load_u32(packed + n))
		return ep_fail(err, -EBADMSG, e->index_at, "its index has a wrong checksum");
	EP_TRY(ep_zstd_unpack_with(z, packed, n, raw, e->index_raw_len, err));
	return ep_segment_index_decode(raw, e->index_raw_len, g->bytes, e->minutes_len, &g->x, err);
}

static int load(struct ep_segment *g, struct ep_err *err)
{
	int rc = -EBADMSG;
	for (int i = 0; i < 2 && rc < 0 && rc != -ENOMEM; i++) {
		if (!g->has_end[i])
			continue;
		rc = read_index(g, &g->ends[i], err);
		if (rc == -EBADMSG)
			ep_log_warn("store: one of two indexes of %s is damaged: %s", g->name,
				    err ? err->text : "");
	}
	EP_TRY(rc);
	g->dicts = ep_zalloc(((size_t)g->x.n_services + 1) * sizeof(*g->dicts));
	if (!g->bad)
		g->bad = ep_zalloc((size_t)g->x.n_blocks + 1);
	if (!g->dicts || !g->bad) {
		ep_segment_unload(g);
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment");
	}
	return 0;
}

int ep_segment_load(struct ep_segment *g, struct ep_err *err)
{
	struct ep_err fault = {0};
	if (g->loaded)
		return 0;
	if (g->failed)
		return ep_fail(err, g->failed, 0, "%s is damaged", g->name);
	int rc = load(g, &fault);
	if (rc == -EBADMSG) {
		ep_log_error("store: %s can't be read and is left out: %s", g->path, fault.text);
		g->failed = rc;
	}
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", fault.text);
	g->loaded = true;
	return 0;
}

size_t ep_segment_memory(const struct ep_segment *g)
{
	size_t bytes = g->x.arena ? ep_arena_used(g->x.arena) : 0;
	for (uint32_t i = 0; g->dicts && i < g->x.n_services; i++) {
		struct ep_dict *d = atomic_load(&g->dicts[i]);
		bytes += d ? ep_dict_bytes(d) : 0; /* it does not grow */
	}
	return bytes;
}

/* A record that is lost is skipped: what it named is called damaged. */
static int read_records(struct ep_segment *g, uint32_t service, struct ep_dict *d,
			struct ep_err *err)
{
	const struct ep_segment_service *s = &g->x.services[service];
	for (uint32_t i = s->first_record; i < s->first_record + s->n_records; i++) {
		const struct ep_segment_record *r = &g->x.records[i];
		struct ep_err fault = {0};
		uint8_t *p ep_auto_mem = ep_alloc(r->len + 1);
		if (!p)
			return ep_fail(err, -ENOMEM, 0, "no memory for a dictionary");
		int rc = read_at(g->fd, r->at, p, r->len, &fault);
		if (!rc)
			rc = ep_dict_unpack(d, (struct ep_slice){(char *)p, r->len}, &fault);
		if (rc == -ENOMEM)
			return ep_fail(err, rc, 0, "%s", fault.text);
		if (rc < 0)
			ep_log_warn("store: dictionary record %u of service %u in %s is skipped: %s",
				    i - s->first_record, service, g->name, fault.text);
	}
	struct ep_err fault = {0};
	int rc = ep_dict_fill(d, &s->mark, &fault);
	if (rc == -EBADMSG)
		ep_log_warn("store: service %u in %s: %s", service, g->name, fault.text);
	return rc == -ENOMEM ? ep_fail(err, rc, 0, "%s", fault.text) : 0;
}

int ep_segment_dict(struct ep_segment *g, uint32_t service, struct ep_dict **ret_d,
		    struct ep_err *err)
{
	struct ep_dict *d = atomic_load_explicit(&g->dicts[service], memory_order_acquire);
	if (!d) {
		ep_auto(ep_dict) made = ep_dict_new();
		if (!made)
			return ep_fail(err, -ENOMEM, 0, "no memory for a dictionary");
		EP_TRY(read_records(g, service, made, err));
		if (atomic_compare_exchange_strong(&g->dicts[service], &d, made))
			d = ep_take(&made);
	}
	*ret_d = d;
	return 0;
}

/* --- blocks --------------------------------------------------------------------------------- */

int ep_segment_block(struct ep_segment *g, uint32_t number, struct ep_block *b, struct ep_err *err)
{
	const struct ep_segment_block *v = &g->x.blocks[number];
	const struct ep_segment_group *group = &g->x.groups[v->group];
	struct ep_block_place sums = {g->fd, v->at + v->head_len, v->sums_len};
	struct ep_block_place minutes = {g->minutes_fd, v->minutes_at, v->minutes_len};
	uint8_t *head ep_auto_mem = ep_alloc(v->head_len + 1);
	if (!head)
		return ep_fail(err, -ENOMEM, 0, "no memory to read a block");
	EP_TRY(read_at(g->fd, v->at, head, v->head_len, err));
	EP_TRY(ep_block_open(b, head, v->head_len, sums, minutes, err));
	if (b->n_points != v->n_points || b->n_cols != group->n_cols)
		return ep_fail(err, -EBADMSG, v->at, "a block does not fit its index");
	return 0;
}

static int verify_blocks(struct ep_segment *g, struct ep_block *b, struct ep_err *err)
{
	for (uint32_t i = 0; i < g->x.n_blocks; i++) {
		EP_TRY(ep_segment_block(g, i, b, err));
		EP_TRY(ep_block_verify(b, err));
	}
	return 0;
}

static int verify_records(struct ep_segment *g, struct ep_err *err)
{
	for (uint32_t i = 0; i < g->x.n_records; i++) {
		const struct ep_segment_record *r = &g->x.records[i];
		uint8_t *p ep_auto_mem = ep_alloc(r->len + 1);
		if (!p)
			return ep_fail(err, -ENOMEM, 0, "no memory to check a segment");
		EP_TRY(read_at(g->fd, r->at, p, r->len, err));
		if (r->len < 4 || ep_crc32c(0, p, r->len - 4) != ep_load_u32(p + r->len - 4))
			return ep_fail(err, -EBADMSG, r->at, "a dictionary record has a wrong checksum");
	}
	return 0;
}

int ep_segment_verify(struct ep_segment *g, struct ep_err *err)
{
	struct ep_block b;
	if (!g->has_end[0] || !g->has_end[1])
		return ep_fail(err, -EBADMSG, 0, "one of its ends is damaged");
	for (int i = 0; i < 2; i++) {
		ep_segment_unload(g);
		EP_TRY(read_index(g, &g->ends[i], err));
	}
	EP_TRY(verify_records(g, err));
	if (ep_block_init(&b) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory to check a segment");
	int rc = verify_blocks(g, &b, err);
	ep_block_fini(&b);
	ep_segment_unload(g);
	return rc;
}

/* --- set aside ------------------------------------------------------------------------------ */

bool ep_segment_is_bad(struct ep_segment *g, uint32_t block, int which)
{
	pthread_mutex_lock(&g->lock);
	bool bad = g->bad[block] & which;
	pthread_mutex_unlock(&g->lock);
	return bad;
}

/* The copy is for the curious; the block is skipped whether it can be made or not. */
static void keep_copy(const struct ep_segment *g, uint32_t block, int which)
{
	const struct ep_segment_block *v = &g->x.blocks[block];
	bool minutes = which == EP_SEGMENT_MINUTES;
	uint64_t n = minutes ? v->minutes_len : v->head_len + v->sums_len;
	char path[4096];
	uint8_t *p ep_auto_mem = ep_alloc(n + 1);
	(void)mkdir(g->quarantine, 0750); /* mostly there already */
	snprintf(path, sizeof(path), "%s/%s.%s.%u", g->quarantine, g->name,
		 minutes ? "minutes" : "sums", block);
	int fd = p ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640) : -1;
	if (fd < 0)
		return;
	ssize_t k = pread(minutes ? g->minutes_fd : g->fd, p, n,
			  (off_t)(minutes ? v->minutes_at : v->at));
	if (k > 0 && write(fd, p, (size_t)k) < 0)
		ep_log_warn("store: %s can't be written", path);
	(void)close(fd); /* nothing depends on it */
}

void ep_segment_set_aside(struct ep_segment *g, uint32_t block, int which, const char *why)
{
	pthread_mutex_lock(&g->lock);
	bool first = !(g->bad[block] & which);
	g->bad[block] |= (uint8_t)which;
	pthread_mutex_unlock(&g->lock);
	if (!first)
		return;
	ep_log_warn("store: block %u of %s is damaged and its %u profiles are skipped: %s", block,
		    g->name, g->x.blocks[block].n_points, why);
	keep_copy(g, block, which);
}
