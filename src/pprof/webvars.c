/* webvars.c - options in a URL, by the reference's names; see webroom.h. */
#include "pprof/webroom.h"

#include "net/connect.h"

#include <stdio.h>
#include <string.h>

/* A flag that a URL can carry stands in the URL, so that without it the page shows
 * everything; sample_index alone is what the page begins with. */
static bool is_of_url(const struct ep_vars_field *f)
{
	return f->url && strcmp(f->name, "sample_index") != 0;
}

static void copy_field(struct ep_vars *to, const struct ep_vars *from,
		       const struct ep_vars_field *f)
{
	static const size_t sizes[] = {[EP_VARS_BOOL] = sizeof(bool), [EP_VARS_INT] = sizeof(int),
				       [EP_VARS_FLOAT] = sizeof(double),
				       [EP_VARS_STRING] = sizeof(char *),
				       [EP_VARS_CHOICE] = sizeof(int)};
	memcpy((char *)to + f->offset, (const char *)from + f->offset, sizes[f->kind]);
}

int ep_webvars_read(const struct ep_web *w, struct ep_http *x, struct ep_vars *ret_v,
		struct ep_err *err)
{
	struct ep_vars v;
	ep_vars_init(&v, x->arena);
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		const char *value = f->url ? ep_http_param(x, f->url, 0) : NULL;
		struct ep_err why = {0};
		if (!is_of_url(f))
			copy_field(&v, &w->session->vars, f);
		if (!value || !*value)
			continue;
		int rc = ep_vars_set(&v, ep_slice_of(f->name), ep_slice_of(value), &why);
		if (rc < 0)
			return ep_fail(err, rc, 0, "error setting config field %s: %s", f->name,
				       why.text);
	}
	v.o.json = v.o.colour = false;
	v.o.width = 0;
	*ret_v = v;
	return 0;
}

static void add_escaped(struct ep_buf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    strchr("-_.~", c))
			ep_buf_add_char(out, (char)c);
		else
			ep_buf_printf(out, "%%%02X", c);
	}
}

void ep_webvars_query(const struct ep_web *w, struct ep_buf *out)
{
	struct ep_vars defaults;
	bool first = true;
	ep_vars_init(&defaults, NULL);
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		ep_auto_buf now, before;
		ep_buf_init(&now, 1 << 20);
		ep_buf_init(&before, 1 << 20);
		ep_vars_get(&w->session->vars, f, &now);
		ep_vars_get(&defaults, f, &before);
		if (!is_of_url(f) || !strcmp(ep_buf_cstr(&now), ep_buf_cstr(&before)))
			continue;
		ep_buf_printf(out, "%s%s=", first ? "?" : "&", f->url);
		if (f->kind == EP_VARS_BOOL)
			ep_buf_add_char(out, *ep_buf_cstr(&now));
		else
			add_escaped(out, ep_buf_cstr(&now));
		first = false;
	}
}

static void keep_line(void *lines, const char *text)
{
	ep_buf_add_str(lines, text);
	ep_buf_add_char(lines, '\n');
}

struct ep_notes ep_webvars_notes(struct ep_buf *lines)
{
	return (struct ep_notes){keep_line, lines};
}

void ep_webvars_fail(struct ep_http *x, int rc, const struct ep_err *err)
{
	const char *code = ep_connect_code_of(rc);
	/* The reference says 400 to whatever a report can't be made of. */
	int status = rc == -EINVAL || rc == -ENOENT ? 400 :
		     rc == -E2BIG		    ? 422 :
						      ep_connect_status(code);
	ep_http_fail(x, status, code, "%s", err->text[0] ? err->text : strerror(-rc));
}
