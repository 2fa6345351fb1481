/*
 * legacy.c - which format is it?  See legacy.h.
 *
 * The order and what ends it are the reference's: pprof first; an empty file and two
 * profiles in one are final; then the older formats, where each says "not mine" or
 * fails for good; then the foreign ones, which the reference does not know.
 */
#include "legacy/legacy.h"

#include "legacy/parsers.h"
#include "legacy/hint.h"
#include "legacy/plaintext.h"
#include "profile/decode.h"

#include <inttypes.h>

#define DEFAULT_MAX ((size_t)1 << 30)

/* Has the pprof decoder the last word? */
static bool is_final(int rc, const struct ep_err *err)
{
	return rc == -E2BIG || rc == -ENOMEM ||
	       !strcmp(err->text, EP_DECODE_CONCATENATED);
}

static ep_parser *const formats[] = {
	ep_cpuprof_parse,  ep_heaptext_parse,	ep_gocount_parse,
	ep_threadz_parse,  ep_contention_parse, ep_java_parse,
	ep_jemalloc_parse, ep_script_parse,	ep_folded_parse,
};

static int try_formats(struct ep_slice bytes, size_t max_bytes,
		       struct ep_profile **ret_p, struct ep_err *err)
{
	int rc = EP_PARSER_OTHER;
	for (size_t i = 0;
	     rc == EP_PARSER_OTHER && i < sizeof(formats) / sizeof(*formats); i++)
		rc = formats[i](bytes, max_bytes, ret_p, err);
	return rc;
}

/* Sentences of a profile that was read whole, but does not hold together: then it was
 * one, and the reference's word for that is another. */
static bool is_inconsistent(const struct ep_err *pprof)
{
	static const char *const beginnings[] = {
		"missing sample type", "mismatch: sample", "sample has nil location",
		"location id:",	       "found ",	   "multiple ",
	};
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (ep_plaintext_begins(ep_slice_of(pprof->text), beginnings[i]))
			return true;
	return false;
}

/* Of bytes that are nothing we know; `pprof` says why they are not that. */
static int unrecognized(struct ep_slice bytes, const struct ep_err *pprof,
			struct ep_err *err)
{
	const char *hint = ep_hint_of(bytes);
	if (hint)
		return ep_fail(err, -EBADMSG, 0,
			       "unrecognized profile format: it looks like %s", hint);
	return ep_fail(err, -EBADMSG, pprof->pos,
		       "unrecognized profile format: not pprof (%.80s at byte %" PRIu64
		       "), nor text of gperftools, jemalloc, Go or Java, folded stacks, "
		       "perf script",
		       pprof->text, pprof->pos);
}

/* Words before an error's text, which say what was being done. */
static int in_context(int rc, struct ep_err *err, const char *words)
{
	if (rc < 0)
		ep_err_context(err, "%s", words);
	return rc;
}

static int decode_plain(struct ep_buf *bytes, struct ep_profile **ret_p,
			struct ep_err *err)
{
	struct ep_err pprof = {0};
	int rc = ep_decode_take(bytes, ret_p, &pprof);
	if (rc == 0)
		return 0;
	bool inconsistent = is_inconsistent(&pprof);
	if (inconsistent || is_final(rc, &pprof))
		return in_context(ep_fail(err, rc, pprof.pos, "%s", pprof.text), err,
				  inconsistent ? "malformed profile"
					       : "parsing profile");
	struct ep_slice plain = {(char *)bytes->data, bytes->len};
	rc = try_formats(plain, bytes->max, ret_p, err);
	if (rc == EP_PARSER_OTHER)
		rc = unrecognized(plain, &pprof, err);
	return in_context(rc, err, "parsing profile");
}

int ep_legacy_decode(const void *data, size_t n, size_t max_bytes,
		     struct ep_profile **ret_p, struct ep_err *err)
{
	ep_auto_buf bytes = {0};
	int rc = ep_decode_unpack(data, n, max_bytes ? max_bytes : DEFAULT_MAX, &bytes,
				  err);
	if (rc == -EBADMSG || rc == -ENODATA)
		ep_err_context(err, "decompressing profile");
	EP_TRY(rc);
	if (!bytes.len)
		return ep_fail(err, -ENODATA, 0, "parsing profile: empty input file");
	return decode_plain(&bytes, ret_p, err);
}
