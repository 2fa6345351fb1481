/*
 * object.c - binaries of a profile, each with the mapping through which it is seen.
 * See object.h.
 */
#include "symbol/object.h"

#include "symbol/base.h"
#include "symbol/binary.h"
#include "symbol/locate.h"
#include "symbol/objdump.h"
#include "symbol/rename.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECTS = 65536, MAX_FRAMES = 512, MAX_SYMBOL_TEXT = 256 << 20 };

struct ep_object {
	struct ep_objects *in;
	struct ep_binary *binary; /* in->binaries' */
	struct ep_base_mapping mapping;
	struct ep_objdump *objdump;	  /* owned; NULL: not started */
	struct ep_object_symbol *symbols; /* owned; of the last question */
	const char **symbol_names;	  /* owned; likewise */
	struct ep_arena *symbol_text;	  /* owned; likewise, of readable ones */
};

struct ep_objects {
	struct ep_debugfile_places places;
	char *search_path, *servers, *cache, *tools, *binary; /* owned; may be NULL */
	const struct ep_notes *notes;
	bool is_located;
	struct ep_binary **binaries; /* owned */
	size_t n_binaries, cap_binaries;
	struct ep_object **objects; /* owned */
	size_t n_objects, cap_objects;
	struct ep_debuginfo_frame frames[MAX_FRAMES];
};

static bool copy(const char *s, char **ret)
{
	*ret = s ? ep_strdup(s) : NULL;
	return !s || *ret;
}

int ep_objects_new(const struct ep_objects_options *o, struct ep_objects **ret_objects,
		   struct ep_err *err)
{
	ep_auto(ep_objects) all = ep_zalloc(sizeof(*all));
	if (!all || !copy(o->search_path, &all->search_path) ||
	    !copy(o->servers, &all->servers) || !copy(o->cache, &all->cache) ||
	    !copy(o->tools, &all->tools) || !copy(o->binary, &all->binary))
		return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
	all->notes = o->notes;
	all->places = (struct ep_debugfile_places){.search_path = all->search_path,
						   .servers = all->servers,
						   .cache = all->cache,
						   .download = o->download,
						   .notes = o->notes};
	*ret_objects = ep_take(&all);
	return 0;
}

static void free_object(struct ep_object *o)
{
	ep_objdump_free(o->objdump);
	ep_free(o->symbols);
	ep_free(o->symbol_names);
	ep_arena_free(o->symbol_text);
	ep_free(o);
}

void ep_objects_free(struct ep_objects *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->n_objects; i++)
		free_object(all->objects[i]);
	for (size_t i = 0; i < all->n_binaries; i++)
		ep_binary_free(all->binaries[i]);
	ep_free(all->objects);
	ep_free(all->binaries);
	ep_free(all->search_path);
	ep_free(all->servers);
	ep_free(all->cache);
	ep_free(all->tools);
	ep_free(all->binary);
	ep_free(all);
}

char *ep_objects_cache_path(void)
{
	char path[4096];
	const char *own = getenv("DEBUGINFOD_CACHE_PATH"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");
	int n = -1;
	if (own && *own)
		return ep_strdup(own);
	if (xdg && *xdg)
		n = snprintf(path, sizeof(path), "%s/debuginfod_client", xdg);
	else if (home && *home)
		n = snprintf(path, sizeof(path), "%s/.cache/debuginfod_client", home);
	return n > 0 && n < (int)sizeof(path) ? ep_strdup(path) : NULL;
}

bool ep_objects_can_open(const char *path)
{
	ep_auto(ep_elffile) f = NULL;
	return ep_elffile_open(path, &f, NULL) == 0;
}

/* ---- opening ---- */

static bool grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 8;
	void **p = array, *bigger = ep_realloc(*p, more * size);
	if (!bigger)
		return false;
	*p = bigger;
	*cap = more;
	return true;
}

/* The binary of a file, opened before or now; takes the file over. */
static int keep_binary(struct ep_objects *all, struct ep_elffile **f, struct ep_binary **ret_b,
		       struct ep_err *err)
{
	for (size_t i = 0; i < all->n_binaries; i++) {
		struct ep_elffile *known = ep_binary_file(all->binaries[i]);
		if (strcmp(ep_elffile_path(known), ep_elffile_path(*f)) == 0) {
			*ret_b = all->binaries[i];
			return 0;
		}
	}
	if (!grow(&all->binaries, all->n_binaries, &all->cap_binaries, sizeof(*all->binaries)))
		return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
	struct ep_binary *b;
	EP_TRY(ep_binary_wrap(*f, &all->places, &b, err));
	(void)ep_take(f); /* the binary's now */
	all->binaries[all->n_binaries++] = b;
	*ret_b = b;
	return 0;
}

/* A NUL-terminated copy; ep_free() it. */
static char *text_of(const struct ep_profile *p, ep_str s)
{
	struct ep_slice t = ep_profile_str(p, s);
	char *c = ep_alloc(t.n + 1);
	if (c) {
		if (t.n)
			memcpy(c, t.p, t.n);
		c[t.n] = '\0';
	}
	return c;
}

static int find_file(struct ep_objects *all, const char *path, const char *build_id,
		     struct ep_elffile **ret_f, struct ep_err *err)
{
	struct ep_locate l = {all->search_path, path, build_id, all->notes};
	if (!all->is_located && ep_locate_find(&l, ret_f) == 0)
		return 0;
	struct ep_err why = {0};
	int rc = *path ? ep_elffile_open(path, ret_f, &why)
		       : ep_fail(&why, -ENOENT, 0, "no file name");
	const char *is = rc == 0 ? ep_elffile_build_id(*ret_f) : "";
	if (rc == 0 && (!*build_id || !*is || strcmp(is, build_id) == 0))
		return 0;
	if (rc == 0) {
		ep_elffile_free(*ret_f);
		*ret_f = NULL;
		rc = ep_fail(&why, -ENOENT, 0, "build ID mismatch");
	}
	/* Its debug information is enough to name things, and so is a copy. */
	if (*build_id && (ep_debugfile_by_id(build_id, "debuginfo", &all->places, ret_f,
					     NULL) == 0 ||
			  ep_debugfile_by_id(build_id, "executable", &all->places, ret_f,
					     NULL) == 0))
		return 0;
	return ep_fail(err, rc, why.pos, "%s", why.text);
}

/* "[kernel.kallsyms]_text" says which symbol a kernel's mapping starts at. */
static void find_kernel_symbol(struct ep_binary *b, const char *mapped, struct ep_base_mapping *m)
{
	static const char kernel[] = "[kernel.kallsyms]";
	const char *name = "_stext";
	uint64_t bias;
	if (!ep_base_wants_symbol(ep_elffile_path(ep_binary_file(b)), m))
		return;
	if (strncmp(mapped, kernel, sizeof(kernel) - 1) == 0 && mapped[sizeof(kernel) - 1])
		name = mapped + sizeof(kernel) - 1;
	const struct ep_elfsym *names = ep_binary_names(b, &bias);
	const struct ep_elfsym_symbol *s = names ? ep_elfsym_by_name(names, name) : NULL;
	m->has_kernel_symbol = s != NULL;
	m->kernel_symbol = s ? s->address + bias : 0;
}

static struct ep_object *known(const struct ep_objects *all, const struct ep_object *like)
{
	for (size_t i = 0; i < all->n_objects; i++) {
		struct ep_object *o = all->objects[i];
		if (o->binary == like->binary && o->mapping.start == like->mapping.start &&
		    o->mapping.limit == like->mapping.limit &&
		    o->mapping.offset == like->mapping.offset)
			return o;
	}
	return NULL;
}

static int keep_object(struct ep_objects *all, const struct ep_object *like,
		       struct ep_object **ret_o, struct ep_err *err)
{
	struct ep_object *o = known(all, like);
	if (!o) {
		if (all->n_objects == MAX_OBJECTS)
			return ep_fail(err, -E2BIG, 0, "more than %d mappings", MAX_OBJECTS);
		if (!grow(&all->objects, all->n_objects, &all->cap_objects,
			  sizeof(*all->objects)))
			return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
		o = ep_alloc(sizeof(*o));
		if (!o)
			return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
		*o = *like;
		all->objects[all->n_objects++] = o;
	}
	*ret_o = o;
	return 0;
}

int ep_objects_open(struct ep_objects *all, const struct ep_profile *p, uint32_t mapping,
		    struct ep_object **ret_o, struct ep_err *err)
{
	const struct ep_mapping *m = &p->mappings[mapping];
	ep_auto(ep_elffile) f = NULL;
	ep_auto_mem char *path = mapping == 0 && all->binary && !all->is_located
					 ? ep_strdup(all->binary)
					 : text_of(p, m->filename);
	ep_auto_mem char *id = text_of(p, m->build_id);
	if (!path || !id)
		return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
	EP_TRY(find_file(all, path, id, &f, err));
	struct ep_object o = {.in = all,
			      .mapping = {.start = m->start,
					  .limit = m->limit,
					  .offset = m->file_offset}};
	EP_TRY(keep_binary(all, &f, &o.binary, err));
	find_kernel_symbol(o.binary, path, &o.mapping);
	struct ep_err why = {0};
	int rc = ep_base_check(ep_elffile_elf(ep_binary_file(o.binary)), &o.mapping, &why);
	if (rc < 0)
		return ep_fail(err, rc, 0, "could not identify base for %s: %s", path, why.text);
	return keep_object(all, &o, ret_o, err);
}

/* ---- locating ---- */

static int add_string(struct ep_profile *p, const char *s, ep_str *ret, struct ep_err *err)
{
	struct ep_slice *all = ep_arena_alloc(p->arena, (p->n_strings + 1) * sizeof(*all));
	char *text = ep_arena_copy(p->arena, s, strlen(s));
	if (!all || !text)
		return ep_fail(err, -ENOMEM, 0, "no memory for the name of a binary");
	memcpy(all, p->strings, p->n_strings * sizeof(*all));
	all[p->n_strings] = ep_slice_of(text);
	p->strings = all;
	*ret = p->n_strings++;
	return 0;
}

static int locate(struct ep_objects *all, struct ep_profile *p, struct ep_mapping *m,
		  struct ep_err *err)
{
	ep_auto_mem char *path = text_of(p, m->filename);
	ep_auto_mem char *id = text_of(p, m->build_id);
	ep_auto(ep_elffile) f = NULL;
	if (!path || !id)
		return ep_fail(err, -ENOMEM, 0, "no memory for binaries");
	struct ep_locate l = {all->search_path, path, id, all->notes};
	if (ep_locate_find(&l, &f) < 0)
		return 0;
	return add_string(p, ep_elffile_path(f), &m->filename, err);
}

static int add_mapping(struct ep_profile *p, struct ep_err *err)
{
	p->mappings = ep_arena_array(p->arena, struct ep_mapping, 1);
	if (!p->mappings)
		return ep_fail(err, -ENOMEM, 0, "no memory for a mapping");
	p->n_mappings = 1;
	for (uint32_t i = 0; i < p->n_locations; i++)
		p->locations[i].mapping = 0;
	return 0;
}

int ep_objects_locate(struct ep_objects *all, struct ep_profile *p, const char *build_id,
		      struct ep_err *err)
{
	for (uint32_t i = 0; i < p->n_mappings; i++)
		EP_TRY(locate(all, p, &p->mappings[i], err));
	if (!p->n_mappings)
		EP_TRY(add_mapping(p, err));
	if (all->binary)
		EP_TRY(add_string(p, all->binary, &p->mappings[0].filename, err));
	if (build_id && *build_id && !ep_profile_str(p, p->mappings[0].build_id).n)
		EP_TRY(add_string(p, build_id, &p->mappings[0].build_id, err));
	all->is_located = true;
	return 0;
}

/* ---- questions ---- */

const char *ep_object_path(const struct ep_object *o)
{
	return ep_elffile_path(ep_binary_file(o->binary));
}

const char *ep_object_build_id(const struct ep_object *o)
{
	return ep_elffile_build_id(ep_binary_file(o->binary));
}

bool ep_object_address(const struct ep_object *o, uint64_t process_address,
		       uint64_t *ret_address)
{
	uint64_t base;
	const struct ep_elf *e = ep_elffile_elf(ep_binary_file(o->binary));
	if (ep_base_find(e, &o->mapping, process_address, &base, NULL) < 0)
		return false;
	*ret_address = process_address - base;
	return true;
}

size_t ep_object_dwarf(struct ep_object *o, uint64_t address, struct ep_debuginfo_frame *ret_frames,
		       size_t max)
{
	return ep_binary_frames(o->binary, address, ret_frames, max);
}

static struct ep_object_frame of_dwarf(const struct ep_debuginfo_frame *f)
{
	return (struct ep_object_frame){
		.function = *f->linkage_name ? f->linkage_name : f->name,
		.file = f->file,
		.line = f->line,
		.column = f->column,
		.start_line = f->start_line};
}

size_t ep_object_frames(struct ep_object *o, uint64_t process_address,
			struct ep_object_frame *ret_frames, size_t max)
{
	uint64_t address;
	if (!max || !ep_object_address(o, process_address, &address))
		return 0;
	size_t n = ep_binary_frames(o->binary, address, o->in->frames,
				    max < MAX_FRAMES ? max : MAX_FRAMES);
	for (size_t i = 0; i < n; i++)
		ret_frames[i] = of_dwarf(&o->in->frames[i]);
	struct ep_gopcln_line go;
	if (!n && ep_binary_go_line(o->binary, address, &go)) {
		ret_frames[0] = (struct ep_object_frame){.function = go.function,
							 .file = go.file,
							 .line = go.line,
							 .start_line = go.start_line};
		return 1;
	}
	/* A symbol knows clones and parts of functions.  Of the file's own only: the
	 * reference does not look into those of a separate file. */
	const struct ep_elfsym_symbol *s = n ? ep_binary_own_symbol(o->binary, address)
					     : ep_binary_symbol(o->binary, address);
	if (!n && s)
		ret_frames[n++] = (struct ep_object_frame){.function = s->name, .file = s->file};
	else if (s)
		ret_frames[n - 1].function = s->name;
	return n;
}

const char *ep_object_name(struct ep_object *o, uint64_t process_address)
{
	uint64_t address;
	if (!ep_object_address(o, process_address, &address))
		return NULL;
	const struct ep_elfsym_symbol *s = ep_binary_before(o->binary, address);
	struct ep_gopcln_line go;
	if (s)
		return s->name;
	return ep_binary_go_line(o->binary, address, &go) ? go.function : NULL;
}

/* ---- symbols ---- */

struct wish {
	ep_object_want_fn *want;
	void *ctx;
	uint64_t address;
	struct ep_arena *arena; /* for readable names */
	struct ep_buf *text;
};

/* A name as it is wanted: as linked, or one of its readable forms; NULL: it is not. */
static const char *as_wanted(const struct wish *w, const char *name)
{
	static const enum ep_demangle_mode modes[] = {
		EP_DEMANGLE_FULL, EP_DEMANGLE_TEMPLATES, EP_DEMANGLE_DEFAULT};
	if (!w->want)
		return w->address ? NULL : name;
	if (w->want(w->ctx, ep_slice_of(name)))
		return name;
	for (size_t i = 0; name[0] == '_' && i < sizeof(modes) / sizeof(*modes); i++) {
		ep_rename(name, modes[i], w->text);
		struct ep_slice s = {(const char *)w->text->data, w->text->len};
		if (ep_slice_is(s, name))
			break; /* it has none */
		if (w->want(w->ctx, s))
			return ep_arena_copy(w->arena, s.p, s.n);
	}
	return NULL;
}

/* Where the symbols of one address end in the table. */
static size_t group_end(const struct ep_elfsym *names, size_t i)
{
	size_t k = i + 1;
	while (k < names->n && names->s[k].address == names->s[i].address)
		k++;
	return k;
}

static void take_group(struct ep_object *o, const struct ep_elfsym *names, size_t i, size_t k,
		       uint64_t bias, const struct wish *w, size_t *n_symbols, size_t *n_names)
{
	uint64_t start = names->s[i].address + bias;
	/* Up to the next symbol, as nm's list has it, whatever the sizes. */
	uint64_t end = k < names->n ? names->s[k].address + bias - 1
				    : start + names->s[k - 1].size - 1;
	size_t first = *n_names;
	bool holds = w->address && w->address >= start && w->address <= end;
	if (!names->s[i].is_code)
		return;
	for (; i < k && (holds || *n_names == first); i++) {
		const char *name = holds ? names->s[i].name : as_wanted(w, names->s[i].name);
		if (name)
			o->symbol_names[(*n_names)++] = name;
	}
	if (*n_names > first)
		o->symbols[(*n_symbols)++] = (struct ep_object_symbol){
			o->symbol_names + first, *n_names - first, start, end};
}

int ep_object_symbols(struct ep_object *o, ep_object_want_fn *want, void *ctx, uint64_t address,
		      const struct ep_object_symbol **ret_symbols, size_t *ret_n,
		      struct ep_err *err)
{
	uint64_t bias;
	const struct ep_elfsym *names = ep_binary_names(o->binary, &bias);
	size_t n = names ? names->n : 0, n_symbols = 0, n_names = 0;
	ep_auto_buf text;
	ep_buf_init(&text, (size_t)32 << 20);
	ep_free(o->symbols);
	ep_free(o->symbol_names);
	ep_arena_free(o->symbol_text);
	o->symbols = ep_alloc((n + 1) * sizeof(*o->symbols));
	o->symbol_names = ep_alloc((n + 1) * sizeof(*o->symbol_names));
	o->symbol_text = ep_arena_new(MAX_SYMBOL_TEXT);
	if (!o->symbols || !o->symbol_names || !o->symbol_text)
		return ep_fail(err, -ENOMEM, 0, "no memory for %zu symbols", n);
	struct wish w = {want, ctx, address, o->symbol_text, &text};
	for (size_t i = 0; i < n;) {
		size_t k = group_end(names, i);
		take_group(o, names, i, k, bias, &w, &n_symbols, &n_names);
		i = k;
	}
	*ret_symbols = o->symbols;
	*ret_n = n_symbols;
	return 0;
}

int ep_object_disasm(struct ep_object *o, uint64_t start, uint64_t end, bool intel,
		     const struct ep_object_inst **ret_insts, size_t *ret_n, struct ep_err *err)
{
	if (!o->objdump)
		EP_TRY(ep_objdump_new(o->in->tools, &o->objdump, err));
	return ep_objdump_run(o->objdump, ep_object_path(o), start, end, intel, ret_insts, ret_n,
			      err);
}
