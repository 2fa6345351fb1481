/*
 * json.h - reading JSON that strangers sent, and writing JSON.
 *
 * Reading is jansson behind a small read-only face: UTF-8 is checked, depth is
 * bounded, a string never holds a NUL.  Writing goes straight into a buffer with
 * commas where they belong; text that is not UTF-8 gets U+FFFD in its place.
 */
#ifndef EP_CODEC_JSON_H
#define EP_CODEC_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* --- reading ------------------------------------------------------------------ */

struct ep_json; /* a value; belongs to its document */

/*
 * ep_json_parse - one document.
 *
 * errors   -EBADMSG  err->pos is the offset; -ENOMEM
 * owns     the caller frees the root, and all in it, with ep_json_free()
 * threads  any thread; a document is read by many, freed by one
 */
int ep_json_parse(struct ep_slice text, struct ep_json **ret_root, struct ep_err *err);
void ep_json_free(struct ep_json *root);
EP_DEFINE_AUTO(ep_json);

/* All of these take NULL and answer NULL, 0 or false. */
bool ep_json_is_object(const struct ep_json *v);
bool ep_json_is_array(const struct ep_json *v);
bool ep_json_is_null(const struct ep_json *v);
const struct ep_json *ep_json_get(const struct ep_json *object, const char *key);
size_t ep_json_n(const struct ep_json *array);
const struct ep_json *ep_json_at(const struct ep_json *array, size_t i);
bool ep_json_str(const struct ep_json *v, struct ep_slice *ret_s);
/* A whole number, or a string of one (protobuf's JSON writes int64 so). */
bool ep_json_int(const struct ep_json *v, int64_t *ret_n);
/* A number, or a string of one. */
bool ep_json_double(const struct ep_json *v, double *ret_d);
bool ep_json_bool(const struct ep_json *v, bool *ret_b);

/* Walk an object:  for (void *it = ep_json_first(o, &k, &v); it; it = ep_json_next(...)) */
void *ep_json_first(const struct ep_json *object, const char **ret_key,
		    const struct ep_json **ret_v);
void *ep_json_next(const struct ep_json *object, void *it, const char **ret_key,
		   const struct ep_json **ret_v);

/* Is it UTF-8 all through (RFC 3629)? */
bool ep_json_is_utf8(struct ep_slice s);

/* --- writing ------------------------------------------------------------------ */

struct ep_jsonw {
	struct ep_buf *out; /* remembers a failure */
	bool needs_comma;
};

static inline struct ep_jsonw ep_jsonw_to(struct ep_buf *out)
{
	return (struct ep_jsonw){.out = out};
}

/* key NULL: an element of an array, or the document itself. */
void ep_jsonw_open(struct ep_jsonw *w, const char *key, char bracket); /* '{' or '[' */
void ep_jsonw_close(struct ep_jsonw *w, char bracket);                 /* '}' or ']' */
void ep_jsonw_slice(struct ep_jsonw *w, const char *key, struct ep_slice s);
void ep_jsonw_str(struct ep_jsonw *w, const char *key, const char *s);
void ep_jsonw_int(struct ep_jsonw *w, const char *key, int64_t n);
void ep_jsonw_uint(struct ep_jsonw *w, const char *key, uint64_t n);
/* As a string: protobuf's form of int64. */
void ep_jsonw_int_str(struct ep_jsonw *w, const char *key, int64_t n);
/* Whole numbers without a point; not finite: 0. */
void ep_jsonw_double(struct ep_jsonw *w, const char *key, double d);
void ep_jsonw_bool(struct ep_jsonw *w, const char *key, bool b);
void ep_jsonw_null(struct ep_jsonw *w, const char *key);
/* A key that is data: "TYPE": n */
void ep_jsonw_key(struct ep_jsonw *w, struct ep_slice key);

#endif
