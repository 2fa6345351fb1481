/* websettings.c - see websettings.h. */
#include "pprof/websettings.h"

#include "fetch/fetch.h"
#include "pprof/ui.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 4 << 20, MAX_CONFIGS = 1000 };

struct config {
	struct ep_slice name;
	struct ep_vars vars;
};

struct settings {
	struct ep_arena *arena;
	struct config *v;
	uint32_t n;
};

static void settings_fini(struct settings *s)
{
	ep_arena_free(s->arena);
}

/* --- reading ------------------------------------------------------------------------------ */

/* What a field is in the file when it is not there: Go's zero. */
static bool is_zero(const struct ep_vars_field *f, const char *text)
{
	return !*text || !strcmp(text, "0") || (f->kind == EP_VARS_BOOL && !strcmp(text, "false"));
}

static void set_zero(struct ep_vars *v, const struct ep_vars_field *f)
{
	void *to = (char *)v + f->offset;
	switch (f->kind) {
	case EP_VARS_BOOL:
		*(bool *)to = false;
		break;
	case EP_VARS_INT:
		*(int *)to = 0;
		break;
	case EP_VARS_FLOAT:
		*(double *)to = 0;
		break;
	case EP_VARS_STRING:
		*(const char **)to = "";
		break;
	case EP_VARS_CHOICE:
		break; /* the default: the reference never leaves `sort` out */
	}
}

static int read_field(struct ep_vars *v, const struct ep_vars_field *f, const struct ep_json *value,
		      struct ep_err *err)
{
	char text[64];
	struct ep_slice s = {text, 0};
	bool yes;
	double d;
	if (f->kind == EP_VARS_BOOL) {
		s = ep_slice_of(ep_json_bool(value, &yes) && yes ? "true" : "false");
	} else if (f->kind == EP_VARS_STRING || f->kind == EP_VARS_CHOICE) {
		if (!ep_json_str(value, &s))
			return 0;
	} else if (ep_json_double(value, &d)) {
		s.n = (size_t)snprintf(text, sizeof(text), f->kind == EP_VARS_INT ? "%.0f" : "%.17g", d);
	} else {
		return 0;
	}
	if (f->kind == EP_VARS_CHOICE && !s.n)
		return 0;
	return ep_vars_set(v, ep_slice_of(f->name), s, err);
}

static int read_config(struct settings *to, const struct ep_json *o, struct ep_err *err)
{
	struct config *c = &to->v[to->n];
	struct ep_slice name;
	if (!ep_json_str(ep_json_get(o, "name"), &name))
		return 0;
	ep_vars_init(&c->vars, to->arena);
	c->name = (struct ep_slice){ep_arena_copy(to->arena, name.p, name.n), name.n};
	if (!c->name.p)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		const struct ep_json *value = ep_json_get(o, f->name);
		if (!f->is_saved)
			continue;
		set_zero(&c->vars, f);
		if (value)
			EP_TRY(read_field(&c->vars, f, value, err));
	}
	to->n++;
	return 0;
}

static int parse(struct settings *s, struct ep_slice text, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	int rc = ep_json_parse(text, &root, err);
	if (rc < 0) {
		ep_err_context(err, "could not parse settings");
		return rc;
	}
	const struct ep_json *list = ep_json_get(root, "configs");
	for (size_t i = 0; i < ep_json_n(list) && s->n < MAX_CONFIGS; i++)
		EP_TRY(read_config(s, ep_json_at(list, i), err));
	return 0;
}

static int settings_read(const struct ep_web *w, struct settings *s, struct ep_err *err)
{
	ep_auto_buf text;
	ep_buf_init(&text, MAX_FILE + 1);
	*s = (struct settings){.arena = ep_arena_new(0)};
	s->v = s->arena ? ep_arena_array(s->arena, struct config, MAX_CONFIGS + 1) : NULL;
	if (!s->v)
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	if (!*w->settings_path)
		return ep_fail(err, -ENOENT, 0, "neither $XDG_CONFIG_HOME nor $HOME are defined");
	if (access(w->settings_path, F_OK) < 0)
		return 0;
	int rc = ep_fetch_file(w->settings_path, MAX_FILE, &text, err);
	if (rc < 0) {
		ep_err_context(err, "could not read settings");
		return rc;
	}
	return parse(s, (struct ep_slice){(const char *)text.data, text.len}, err);
}

/* --- writing ------------------------------------------------------------------------------ */

static void add_value(struct ep_buf *out, const struct ep_vars_field *f, const char *text)
{
	if (f->kind == EP_VARS_STRING || f->kind == EP_VARS_CHOICE) {
		struct ep_jsonw w = ep_jsonw_to(out);
		ep_jsonw_str(&w, NULL, text);
	} else {
		ep_buf_add_str(out, text);
	}
}

/* With line breaks: people edit it. */
static void add_config(struct ep_buf *out, const struct config *c)
{
	struct ep_jsonw name = ep_jsonw_to(out);
	ep_buf_add_str(out, "    {\n      \"name\": ");
	ep_jsonw_slice(&name, NULL, c->name);
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		ep_auto_buf text;
		ep_buf_init(&text, MAX_FILE);
		if (!f->is_saved)
			continue;
		ep_vars_get(&c->vars, f, &text);
		if (is_zero(f, ep_buf_cstr(&text)))
			continue;
		ep_buf_printf(out, ",\n      \"%s\": ", f->name);
		add_value(out, f, ep_buf_cstr(&text));
	}
	ep_buf_add_str(out, "\n    }");
}

static int make_folder(const char *path, struct ep_err *err)
{
	char at[PATH_MAX], why[80];
	(void)snprintf(at, sizeof(at), "%s", path);
	*strrchr(at, '/') = '\0';
	for (char *p = at + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(at, 0700); /* the last one tells */
			*p = '/';
		}
	if (mkdir(at, 0700) == 0 || errno == EEXIST)
		return 0;
	return ep_fail(err, -EIO, 0, "failed to create settings directory: mkdir %s: %s", at,
		       ep_ui_errno(errno, why));
}

/* Whole or not at all: into a file beside it, which then takes its place. */
static int replace(const char *path, const struct ep_buf *b, struct ep_err *err)
{
	char beside[PATH_MAX], why[80];
	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return ep_fail(err, -EIO, 0, "failed to write settings: the path is too long");
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0;
	for (size_t at = 0; ok && at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);
		ok = n > 0 || (n < 0 && errno == EINTR);
		at += n > 0 ? (size_t)n : 0;
	}
	ok = ok && fsync(fd) == 0;
	int no = errno;
	if (fd >= 0 && close(fd) < 0 && ok) {
		no = errno;
		ok = false;
	}
	if (ok && rename(beside, path) < 0) {
		no = errno;
		ok = false;
	}
	return ok ? 0 : ep_fail(err, -EIO, 0, "failed to write settings: open %s: %s", path,
				ep_ui_errno(no, why));
}

static int settings_write(const struct ep_web *w, const struct settings *s, struct ep_err *err)
{
	ep_auto_buf out;
	ep_buf_init(&out, MAX_FILE);
	ep_buf_add_str(&out, "{\n  \"configs\": [");
	for (uint32_t i = 0; i < s->n; i++) {
		ep_buf_add_str(&out, i ? ",\n" : "\n");
		add_config(&out, &s->v[i]);
	}
	ep_buf_add_str(&out, s->n ? "\n  ]\n}" : "]\n}");
	if (ep_buf_failed(&out))
		return ep_fail(err, ep_buf_failed(&out), 0, "the settings are too large");
	EP_TRY(make_folder(w->settings_path, err));
	return replace(w->settings_path, &out, err);
}

/* --- requests ----------------------------------------------------------------------------- */

static int save(struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	__attribute__((cleanup(settings_fini))) struct settings s = {0};
	struct config c = {.name = ep_slice_of(ep_http_param(x, "config", 0))};
	uint32_t i = 0;
	if (!c.name.n)
		return ep_fail(err, -EINVAL, 0, "invalid config name");
	EP_TRY(ep_webvars_read(w, x, &c.vars, err));
	EP_TRY(settings_read(w, &s, err));
	while (i < s.n && !ep_slice_eq(s.v[i].name, c.name))
		i++;
	if (i == MAX_CONFIGS)
		return ep_fail(err, -E2BIG, 0, "there are %d configs already", MAX_CONFIGS);
	s.v[i] = c;
	s.n += i == s.n;
	return settings_write(w, &s, err);
}

static int delete(struct ep_web *w, struct ep_http *x, struct ep_err *err)
{
	__attribute__((cleanup(settings_fini))) struct settings s = {0};
	struct ep_slice name = ep_slice_of(ep_http_param(x, "config", 0));
	uint32_t kept = 0;
	EP_TRY(settings_read(w, &s, err));
	for (uint32_t i = 0; i < s.n; i++)
		if (kept != i || !ep_slice_eq(s.v[i].name, name))
			s.v[kept++] = s.v[i];
	if (kept == s.n)
		return ep_fail(err, -ENOENT, 0, "config %.*s not found", EP_SLICE_ARG(name));
	s.n = kept;
	return settings_write(w, &s, err);
}

static void edit(struct ep_web *w, struct ep_http *x,
		 int (*fn)(struct ep_web *, struct ep_http *, struct ep_err *))
{
	struct ep_err err = {0};
	pthread_mutex_lock(&w->settings_lock);
	int rc = fn(w, x, &err);
	pthread_mutex_unlock(&w->settings_lock);
	if (rc >= 0) {
		x->status = 200;
		return;
	}
	ep_note(&w->session->notes, "%s", err.text);
	ep_http_fail(x, 400, "invalid_argument", "%s", err.text);
}

void ep_websettings_save(void *room, struct ep_http *x)
{
	edit(room, x, save);
}

void ep_websettings_delete(void *room, struct ep_http *x)
{
	edit(room, x, delete);
}

/* --- for the page --------------------------------------------------------------------------- */

/* {"f": "main", "trim": "f"}: what of it a URL carries, where it is not the default. */
static void write_params(struct ep_jsonw *j, const struct ep_vars *v)
{
	struct ep_vars defaults;
	ep_vars_init(&defaults, NULL);
	ep_jsonw_open(j, "params", '{');
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		ep_auto_buf now, otherwise;
		ep_buf_init(&now, MAX_FILE);
		ep_buf_init(&otherwise, MAX_FILE);
		if (!f->is_saved || !f->url)
			continue;
		ep_vars_get(v, f, &now);
		ep_vars_get(&defaults, f, &otherwise);
		if (!strcmp(ep_buf_cstr(&now), ep_buf_cstr(&otherwise)))
			continue;
		if (f->kind == EP_VARS_BOOL && now.len > 1)
			now.len = 1;
		ep_jsonw_str(j, f->url, ep_buf_cstr(&now));
	}
	ep_jsonw_close(j, '}');
}

void ep_websettings_write(struct ep_web *w, struct ep_jsonw *j)
{
	__attribute__((cleanup(settings_fini))) struct settings s = {0};
	struct ep_err err = {0};
	pthread_mutex_lock(&w->settings_lock);
	int rc = settings_read(w, &s, &err);
	pthread_mutex_unlock(&w->settings_lock);
	ep_jsonw_open(j, "configs", '[');
	for (uint32_t i = 0; rc >= 0 && i < s.n; i++) {
		ep_jsonw_open(j, NULL, '{');
		ep_jsonw_slice(j, "name", s.v[i].name);
		write_params(j, &s.v[i].vars);
		ep_jsonw_close(j, '}');
	}
	ep_jsonw_close(j, ']');
	if (rc < 0)
		ep_jsonw_str(j, "configs_error", err.text);
}
