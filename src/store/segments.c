/*
 * segments.c - the folder of segments: what is there when the store opens.
 *
 * A segment under its name is whole.  What a crash left half made is removed; a head
 * whose segment is there goes, and a segment that can't be read is set aside when its
 * head is still there to make it again.
 */
#include "base/log.h"
#include "store/inside.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stem(const char *s)
{
	for (int i = 0; i < EP_STORE_STEM; i++)
		if (i == 8 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int compare(const struct ep_segment *a, const struct ep_segment *b)
{
	return strcmp(a->name, b->name);
}

int ep_store_add_segment(struct ep_store *s, struct ep_segment *g)
{
	struct ep_segment **v = ep_realloc(s->segments, ((size_t)s->n_segments + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->segments = v;
	uint32_t i = s->n_segments++;
	for (; i && compare(v[i - 1], g) > 0; i--)
		v[i] = v[i - 1];
	v[i] = g;
	s->stats.segments = s->n_segments;
	return 0;
}

static void path_in(char *to, size_t n, const char *dir, const char *stem, const char *suffix)
{
	snprintf(to, n, "%s/%.*s%s", dir, EP_STORE_STEM, stem, suffix);
}

/* The segment can be made again. */
static void set_aside(struct ep_store *s, const char *stem)
{
	char from[4096], to[4096];
	(void)mkdir(s->quarantine, 0750); /* mostly there already */
	path_in(from, sizeof(from), s->segments_dir, stem, EP_SEGMENT_SUFFIX);
	path_in(to, sizeof(to), s->quarantine, stem, EP_SEGMENT_SUFFIX);
	if (rename(from, to) < 0)
		ep_log_warn("store: %s can't be set aside", from);
}

static int open_segment(struct ep_store *s, const char *stem, struct ep_err *err)
{
	char name[64], head[4096];
	struct ep_segment *g = NULL;
	struct ep_err why = {0};
	snprintf(name, sizeof(name), "%.*s", EP_STORE_STEM, stem);
	path_in(head, sizeof(head), s->heads_dir, stem, ".head");
	bool has_head = access(head, F_OK) == 0;
	int rc = ep_segment_open(s->segments_dir, name, s->quarantine, &g, &why);
	if (rc == -ENOTSUP || rc == -ENOMEM || rc == -EACCES)
		return ep_fail(err, rc, 0, "%s", why.text);
	if (rc < 0) {
		ep_log_error("store: segment %s %s: %s", name,
			     has_head ? "is made again" : "can't be read and is left out", why.text);
		s->lost_segments += !has_head;
		if (has_head)
			set_aside(s, stem);
		return 0;
	}
	if (ep_store_add_segment(s, g) < 0) {
		ep_segment_close(g);
		return ep_fail(err, -ENOMEM, 0, "no memory for a segment");
	}
	if (has_head)
		ep_store_remove_head(head);
	return 0;
}

/* NNN.new.segment, NNN.new.minutes: never finished. */
static void remove_unfinished(const struct ep_store *s, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", s->segments_dir, name);
	(void)unlink(path); /* it is written over, or tried again */
}

int ep_store_open_segments(struct ep_store *s, struct ep_err *err)
{
	DIR *d = opendir(s->segments_dir);
	if (!d)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s can't be read",
			       s->segments_dir);
	int rc = 0;
	for (struct dirent *e; !rc && (e = readdir(d));) {
		if (strlen(e->d_name) < EP_STORE_STEM || !is_stem(e->d_name))
			continue;
		const char *rest = e->d_name + EP_STORE_STEM;
		if (!strcmp(rest, EP_SEGMENT_SUFFIX))
			rc = open_segment(s, e->d_name, err);
		else if (!strncmp(rest, ".new.", 5))
			remove_unfinished(s, e->d_name);
	}
	(void)closedir(d); /* only read */
	return rc;
}

void ep_store_close_segments(struct ep_store *s)
{
	for (uint32_t i = 0; i < s->n_segments; i++)
		ep_segment_close(s->segments[i]);
	ep_free(s->segments);
}
