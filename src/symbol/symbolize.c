/*
 * symbolize.c - from the files of this machine, then from the server, then demangled.
 *
 * Which mappings are taken, what is replaced and what is said about the others are the
 * reference's rules: google/pprof, internal/symbolizer.  See symbolize.h.
 */
#include "symbol/symbolize.h"

#include "base/path.h"
#include "symbol/relabel.h"
#include "symbol/rename.h"
#include "symbol/symbolz.h"

#include <string.h>

enum { MAX_FRAMES = 512 };

/* ---- the mode ---- */

static bool is_word(struct ep_slice w, const char *s)
{
	return w.n == strlen(s) && strncasecmp(w.p, s, w.n) == 0;
}

/* false: not known. */
static bool take_word(struct ep_symbolize_mode *m, struct ep_slice w)
{
	static const char demangle[] = "demangle=";
	if (is_word(w, "none") || is_word(w, "no")) {
		m->none = true;
	} else if (is_word(w, "local")) {
		m->remote = false;
		m->local = true;
	} else if (is_word(w, "fastlocal")) {
		m->remote = false;
		m->local = m->fast = true;
	} else if (is_word(w, "remote")) {
		m->remote = true;
		m->local = false;
	} else if (is_word(w, "force")) {
		m->force = true;
	} else {
		size_t n = sizeof(demangle) - 1;
		if (w.n >= n && strncasecmp(w.p, demangle, n) == 0)
			w = (struct ep_slice){w.p + n, w.n - n};
		if (is_word(w, "default"))
			return true;
		if (is_word(w, "full"))
			m->demangle = EP_DEMANGLE_FULL;
		else if (is_word(w, "none")) /* not reached without the prefix */
			m->demangle = EP_DEMANGLE_NONE;
		else if (is_word(w, "templates"))
			m->demangle = EP_DEMANGLE_TEMPLATES;
		else
			return false;
		m->force = true;
	}
	return true;
}

struct ep_symbolize_mode ep_symbolize_parse(const char *mode, const struct ep_notes *notes)
{
	struct ep_symbolize_mode m = {.local = true, .remote = true};
	for (const char *p = mode; p && *p && !m.none;) {
		struct ep_slice w = {p, strcspn(p, ":")};
		if (w.n && !take_word(&m, w)) {
			ep_note(notes, "ignoring unrecognized symbolization option: %s", mode);
			ep_note(notes, "expecting -symbolize=[local|fastlocal|remote|none]"
				       "[:force][:demangle=[none|full|templates|default]");
		}
		p += w.n;
		p += *p == ':';
	}
	return m;
}

/* ---- which mappings ---- */

static bool begins(struct ep_slice s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && memcmp(s.p, with, n) == 0;
}

bool ep_symbolize_is_hopeless(struct ep_slice file)
{
	struct ep_slice base = ep_path_name(file);
	return begins(base, "[") || begins(base, "linux-vdso") || begins(file, "/dev/dri/") ||
	       ep_slice_is(file, "//anon");
}

/* A profile without a file's name is called by its URL. */
static bool is_url(struct ep_slice file)
{
	const char *colon = file.n ? memchr(file.p, ':', file.n) : NULL;
	size_t n = colon ? (size_t)(colon - file.p) : 0;
	for (size_t i = 0; i + 4 <= n; i++)
		if (strncasecmp(file.p + i, "http", 4) == 0)
			return true;
	return false;
}

struct work {
	struct ep_profile *p;
	struct ep_relabel *r;
	struct ep_objects *objects;
	const struct ep_notes *notes;
	struct ep_symbolize_mode mode;
	const uint32_t *order, *first; /* locations by mapping: order[first[m]…first[m+1]) */
	bool is_missing;
	struct ep_object_frame frames[MAX_FRAMES];
	struct ep_line lines[MAX_FRAMES];
};

static size_t ask(struct work *w, struct ep_object *o, uint64_t address)
{
	if (!w->mode.fast)
		return ep_object_frames(o, address, w->frames, MAX_FRAMES);
	const char *name = ep_object_name(o, address);
	if (!name)
		return 0;
	w->frames[0] = (struct ep_object_frame){.function = name, .file = ""};
	return 1;
}

static void name_location(struct work *w, struct ep_mapping *m, struct ep_object *o,
			  uint32_t location)
{
	struct ep_location *l = &w->p->locations[location];
	size_t n = ask(w, o, l->address);
	for (size_t i = 0; i < n; i++) {
		const struct ep_object_frame *f = &w->frames[i];
		m->has_functions |= *f->function != '\0';
		m->has_filenames |= *f->file != '\0';
		m->has_line_numbers |= f->line != 0;
		struct ep_function fn = {.filename = ep_relabel_string(w->r, ep_slice_of(f->file)),
					 .start_line = f->start_line};
		fn.name = fn.system_name = ep_relabel_string(w->r, ep_slice_of(f->function));
		w->lines[i] = (struct ep_line){ep_relabel_function(w->r, &fn), f->line, f->column};
	}
	if (!n)
		return;
	l->is_folded = false;
	m->has_inline_frames = true;
	ep_relabel_lines(w->r, location, w->lines, n);
}

/* "a.out (build ID 1234)", as notes call a binary. */
static void say_failed(struct work *w, const struct ep_mapping *m, const char *why)
{
	struct ep_slice name = ep_path_name(ep_profile_str(w->p, m->filename));
	struct ep_slice id = ep_profile_str(w->p, m->build_id);
	if (id.n)
		ep_note(w->notes, "Local symbolization failed for %.*s (build ID %.*s): %s",
			EP_SLICE_ARG(name), EP_SLICE_ARG(id), why);
	else
		ep_note(w->notes, "Local symbolization failed for %.*s: %s", EP_SLICE_ARG(name),
			why);
}

static bool is_wanted(struct work *w, uint32_t mapping)
{
	const struct ep_mapping *m = &w->p->mappings[mapping];
	struct ep_slice file = ep_profile_str(w->p, m->filename);
	if (w->first[mapping] == w->first[mapping + 1])
		return false;
	if (!w->mode.force && (m->has_functions || m->has_filenames || m->has_line_numbers))
		return false;
	if (!file.n) {
		if (mapping == 0)
			ep_note(w->notes, "Main binary filename not available.");
		else
			w->is_missing = true;
		return false;
	}
	return !ep_symbolize_is_hopeless(file) && (ep_profile_str(w->p, m->build_id).n || !is_url(file));
}

static void name_mapping(struct work *w, uint32_t mapping)
{
	struct ep_mapping *m = &w->p->mappings[mapping];
	struct ep_object *o;
	struct ep_err why = {0};
	if (!is_wanted(w, mapping))
		return;
	if (ep_objects_open(w->objects, w->p, mapping, &o, &why) < 0) {
		say_failed(w, m, why.text);
		w->is_missing = true;
		return;
	}
	for (uint32_t i = w->first[mapping]; i < w->first[mapping + 1]; i++)
		name_location(w, m, o, w->order[i]);
}

/* Locations by mapping, in the profile's order. */
static bool sort_locations(const struct ep_profile *p, uint32_t *order, uint32_t *first)
{
	for (uint32_t i = 0; i < p->n_locations; i++)
		if (p->locations[i].mapping != EP_NONE)
			first[p->locations[i].mapping + 1]++;
	for (uint32_t m = 0; m < p->n_mappings; m++)
		first[m + 1] += first[m];
	ep_auto_mem uint32_t *next = ep_alloc((p->n_mappings + 1) * sizeof(*next));
	if (!next)
		return false;
	memcpy(next, first, p->n_mappings * sizeof(*next));
	for (uint32_t i = 0; i < p->n_locations; i++)
		if (p->locations[i].mapping != EP_NONE)
			order[next[p->locations[i].mapping]++] = i;
	return true;
}

static int name_locally(struct work *w, struct ep_err *err)
{
	struct ep_profile *p = w->p;
	ep_auto_mem uint32_t *order = ep_alloc((p->n_locations + 1) * sizeof(*order));
	ep_auto_mem uint32_t *first = ep_zalloc((p->n_mappings + 2) * sizeof(*first));
	if (!order || !first || !sort_locations(p, order, first))
		return ep_fail(err, -ENOMEM, 0, "no memory to name a profile");
	w->order = order;
	w->first = first;
	for (uint32_t i = 0; i < p->n_mappings; i++)
		name_mapping(w, i);
	if (w->is_missing) {
		ep_note(w->notes, "Some binary filenames not available. Symbolization may be "
				  "incomplete.");
		ep_note(w->notes, "Try setting PPROF_BINARY_PATH to the search path for local "
				  "binaries.");
	}
	return 0;
}

static int run(struct work *w, const struct ep_symbolize_remote *remote, struct ep_err *err)
{
	if (w->mode.local && w->objects)
		EP_TRY(name_locally(w, err));
	if (w->mode.remote && remote)
		EP_TRY(ep_symbolz_run(w->r, w->mode.force, remote, err));
	ep_rename_all(w->r, w->mode.force, w->mode.demangle);
	return ep_relabel_finish(w->r, err);
}

int ep_symbolize(struct ep_profile *p, struct ep_symbolize_mode mode, struct ep_objects *objects,
		 const struct ep_symbolize_remote *remote, const struct ep_notes *notes,
		 struct ep_err *err)
{
	if (mode.none)
		return 0;
	struct ep_relabel r;
	ep_relabel_init(&r, p);
	ep_auto_mem struct work *w = ep_zalloc(sizeof(*w));
	if (!w)
		return ep_fail(err, -ENOMEM, 0, "no memory to name a profile");
	w->p = p;
	w->r = &r;
	w->objects = objects;
	w->notes = notes;
	w->mode = mode;
	int rc = run(w, remote, err);
	ep_relabel_fini(&r);
	return rc;
}
