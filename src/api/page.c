/* page.c - the files of the web page, and the sign-in form before it. */
#include "api/room.h"

#include "api/assets.h"
#include "tenant/tenant.h"

#include <stdio.h>
#include <string.h>

static const struct ep_asset *find_asset(struct ep_slice path)
{
	if (ep_slice_is(path, "/index.html"))
		path = ep_slice_of("/");
	for (size_t i = 0; i < ep_n_assets; i++)
		if (ep_slice_is(path, ep_assets[i].path))
			return &ep_assets[i];
	return NULL;
}

/* If-None-Match is a list, and a proxy may have put W/ before our tag. */
static bool has_tag(struct ep_slice list, const char *tag)
{
	return list.n && memmem(list.p, list.n, tag, strlen(tag));
}

static void send_asset(struct ep_http *x, const struct ep_asset *f)
{
	x->status = 200;
	x->content_type = f->type;
	x->out_static = f->data;
	x->n_out_static = f->n;
	if (f->gzip && ep_http_takes_gzip(x)) {
		x->out_static = f->gzip;
		x->n_out_static = f->n_gzip;
		ep_http_set_header(x, "Content-Encoding", "gzip");
	}
}

void ep_api_file(struct ep_http *x, struct ep_slice path)
{
	const struct ep_asset *f = find_asset(path);
	if (!f) {
		ep_http_fail(x, 404, "not_found", "no such page or route");
		return;
	}
	/* Weak: the packed and the plain bytes share it. */
	char *etag = ep_arena_alloc(x->arena, strlen(f->etag) + 3);
	if (etag)
		(void)sprintf(etag, "W/%s", f->etag);
	ep_http_set_header(x, "ETag", etag);
	ep_http_set_header(x, "Cache-Control", "no-cache");
	if (f->gzip)
		ep_http_set_header(x, "Vary", "Accept-Encoding");
	if (has_tag(ep_http_header(x, "if-none-match"), f->etag))
		x->status = 304;
	else
		send_asset(x, f);
}

void ep_page_get(void *room, struct ep_http *x)
{
	(void)room;
	ep_api_file(x, x->path);
}

void ep_api_sign_in_page(struct ep_http *x, int status, const char *sentence)
{
	x->status = status;
	x->content_type = "text/html; charset=utf-8";
	ep_buf_clear(&x->out);
	ep_buf_printf(&x->out,
		      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
		      "<meta name=\"viewport\" content=\"width=device-width\">"
		      "<meta name=\"color-scheme\" content=\"light dark\">"
		      "<title>everprof: sign in</title></head><body><h1>everprof</h1><p>%s</p>"
		      "<form method=\"post\" action=\"/sign-in\"><label>Token "
		      "<input name=\"token\" type=\"password\" autocomplete=\"current-password\" "
		      "required autofocus></label> <button>Sign in</button></form></body></html>\n",
		      sentence);
}

static void set_cookie(struct ep_http *x, struct ep_slice token, const char *age)
{
	size_t n = token.n + 200;
	char *line = ep_arena_alloc(x->arena, n);
	if (!line)
		return;
	(void)snprintf(line, n, "%s=%.*s; Path=/; HttpOnly; SameSite=Strict%s%s",
		       EP_TENANT_COOKIE, EP_SLICE_ARG(token), age, x->is_tls ? "; Secure" : "");
	ep_http_set_header(x, "Set-Cookie", line);
}

/* The body is a form: token=… */
static struct ep_slice form_token(struct ep_http *x)
{
	struct ep_slice query = x->query;
	x->query = x->body.n < 4096 ? x->body : (struct ep_slice){0};
	const char *token = ep_http_param(x, "token", 0);
	x->query = query;
	return ep_slice_of(token);
}

void ep_page_sign_in(void *room, struct ep_http *x)
{
	struct ep_api *a = room;
	struct ep_slice token = form_token(x);
	if (a->cfg.knows_token && !a->cfg.knows_token(a->cfg.arg, x, token)) {
		ep_api_sign_in_page(x, 401, "That token is not one of this server's.");
		return;
	}
	x->status = 303;
	ep_http_set_header(x, "Location", "/");
	if (ep_api_asks_tokens(a))
		set_cookie(x, token, "; Max-Age=2592000");
}

void ep_page_sign_out(void *room, struct ep_http *x)
{
	(void)room;
	x->status = 303;
	ep_http_set_header(x, "Location", "/");
	set_cookie(x, (struct ep_slice){0}, "; Max-Age=0");
}
