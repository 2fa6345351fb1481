/* code.c - see code.h. */
#include "inproc/code.h"

#include "base/mem.h"
#include "elf/maps.h"
#include "inproc/fd.h"
#include "inproc/sig/ask.h"
#include "inproc/sig/desk.h"
#include "inproc/tables.h"
#include "inproc/threads.h"

#include <link.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_MAPPINGS = 16384,
	MAX_MODULES = 8192,
	PAGE = 4096,
};
enum state { TODO, BUSY, DONE };

/* A file's unwind table; mappings of one build ID share it. */
struct file {
	struct ep_tables_code code;
	enum state state;
	struct ep_tablefile table;
};

struct known {
	struct ep_code_mapping mapping;
	uint32_t file;
};

struct map {
	struct ep_sig_map sig;
	struct map *older;
	bool unused;
	uint32_t ids[]; /* of sig.modules->m[i]: mapping, or EP_CODE_NONE */
};

/* What a look found, before it is a map. */
struct found {
	struct ep_module m;
	uint32_t id;
};

static struct known *known;
static uint32_t n_known;
static struct file *files;
static uint32_t n_files;
static struct map *newest;
static uint32_t next_number = 1;
static unsigned long long seen_adds, seen_subs;
static uint32_t main_id = EP_CODE_NONE;
/* Guards files[].state between the drain lock and ep_code_compile_next(). */
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	struct found *v;
	uint32_t n, cap;
	bool failed;
} look;

/* ---- the registers of mappings and files ------------------------------------------ */

static bool grow(void **array, uint32_t n, size_t size)
{
	if (n & (n - 1) || (n && n < 16)) /* room for 16, then doubled at each power of two */
		return true;
	void *more = ep_realloc(*array, (n ? n * 2 : 16) * size);
	if (!more)
		return false;
	*array = more;
	return true;
}

static uint32_t intern_file(const struct dl_phdr_info *info, const char *path,
			    const char *build_id)
{
	uint64_t image = ep_compile_image_hash(info->dlpi_phdr, info->dlpi_phnum);
	for (uint32_t i = 0; i < n_files; i++) {
		const struct ep_tables_code *c = &files[i].code;
		if (c->key.image == image && !strcmp(c->key.build_id, build_id) &&
		    (*build_id || !strcmp(c->path, path)))
			return i;
	}
	struct ep_tables_code c = {.bias = info->dlpi_addr, .key.image = image};
	pthread_mutex_lock(&files_lock);
	if (!grow((void **)&files, n_files, sizeof(*files)) || !(c.path = ep_strdup(path))) {
		pthread_mutex_unlock(&files_lock);
		return EP_CODE_NONE;
	}
	memcpy(c.key.build_id, build_id, strlen(build_id) + 1);
	if (*path == '[') {
		c.segments = info->dlpi_phdr;
		c.n_segments = info->dlpi_phnum;
	}
	files[n_files] = (struct file){.code = c};
	pthread_mutex_unlock(&files_lock);
	return n_files++;
}

static uint32_t intern_mapping(const struct ep_code_mapping *m, uint32_t file)
{
	for (uint32_t i = n_known; i-- > 0;) {
		const struct ep_code_mapping *k = &known[i].mapping;
		if (k->start == m->start && k->limit == m->limit &&
		    k->file_offset == m->file_offset && !strcmp(k->build_id, m->build_id) &&
		    !strcmp(k->path, m->path))
			return i;
	}
	if (n_known == MAX_MAPPINGS || !grow((void **)&known, n_known, sizeof(*known)))
		return EP_CODE_NONE;
	known[n_known] = (struct known){*m, file};
	return n_known++;
}

/* ---- looking ------------------------------------------------------------------------ */

static void add_found(const struct ep_module *m, uint32_t id)
{
	if (look.n == MAX_MODULES)
		return;
	if (look.n == look.cap) {
		uint32_t cap = look.cap ? look.cap * 2 : 64;
		void *more = ep_realloc(look.v, cap * sizeof(*look.v));
		if (!more) {
			look.failed = true;
			return;
		}
		look.v = more;
		look.cap = cap;
	}
	look.v[look.n++] = (struct found){*m, id};
}

static void find_build_id(const struct dl_phdr_info *info, char *ret_hex)
{
	*ret_hex = '\0';
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_NOTE &&
		    ep_elf_note_build_id((const void *)(info->dlpi_addr + p->p_vaddr),
					 p->p_memsz, ret_hex) == 0)
			return;
	}
}

static void find_path(const struct dl_phdr_info *info, char path[PATH_MAX])
{
	ssize_t n = -1;
	if (strcmp(info->dlpi_name, "linux-vdso.so.1") == 0) {
		strcpy(path, "[vdso]");
		return;
	}
	if (!*info->dlpi_name) /* the program itself */
		n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (n >= 0)
		path[n] = '\0';
	else
		snprintf(path, PATH_MAX, "%s", info->dlpi_name);
}

static void add_object(const struct dl_phdr_info *info)
{
	char path[PATH_MAX];
	struct ep_code_mapping c;
	find_path(info, path);
	find_build_id(info, c.build_id);
	uint32_t file = intern_file(info, path, c.build_id);
	if (file == EP_CODE_NONE)
		return;
	c.path = files[file].code.path;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		uint64_t at = info->dlpi_addr + p->p_vaddr;
		c.start = at & ~(uint64_t)(PAGE - 1);
		c.limit = (at + p->p_memsz + PAGE - 1) & ~(uint64_t)(PAGE - 1);
		c.file_offset = p->p_offset - (at - c.start);
		uint32_t id = intern_mapping(&c, file);
		struct ep_module m = {
			.start = c.start, .limit = c.limit, .bias = info->dlpi_addr, .id = id};
		if (files[file].state == DONE)
			m.table = files[file].table.table;
		if (main_id == EP_CODE_NONE)
			main_id = id; /* the program comes first */
		add_found(&m, id);
	}
}

struct walk {
	bool force, changed;
};

static int on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct walk *w = arg;
	(void)size; /* adds and subs are there since glibc 2.4 */
	if (!w->changed && !w->force && info->dlpi_adds == seen_adds &&
	    info->dlpi_subs == seen_subs)
		return 1;
	w->changed = true;
	seen_adds = info->dlpi_adds;
	seen_subs = info->dlpi_subs;
	add_object(info);
	return 0;
}

static bool is_covered(uint64_t start, uint32_t n_objects)
{
	for (uint32_t i = 0; i < n_objects; i++)
		if (start >= look.v[i].m.start && start < look.v[i].m.limit)
			return true;
	return false;
}

/* Executable memory that the loader does not know: JITs, hand-mapped files. */
static void add_other_memory(void)
{
	static char buf[8192]; /* under the drain lock */
	struct ep_maps maps;
	struct ep_map m;
	uint32_t n_objects = look.n;
	int fd = ep_fd_open("/proc/self/maps", O_RDONLY);
	if (fd < 0)
		return;
	ep_maps_init(&maps, fd, buf, sizeof(buf));
	while (ep_maps_next(&maps, &m)) {
		if (ep_slice_is(m.path, "[stack]"))
			ep_threads_set_main_stack(m.limit);
		else if (m.read && m.write && !m.inode)
			ep_threads_set_stacks_in(m.start, m.limit);
		if (!m.exec || ep_slice_is(m.path, "[vsyscall]") ||
		    is_covered(m.start, n_objects))
			continue;
		add_found(&(struct ep_module){.start = m.start, .limit = m.limit,
					      .id = EP_CODE_NONE},
			  EP_CODE_NONE);
	}
	close(fd);
}

static int by_start(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	return (x->m.start > y->m.start) - (x->m.start < y->m.start);
}

/* Insertion: nearly sorted already, and qsort() may enter malloc. */
static void sort_found(void)
{
	for (uint32_t i = 1; i < look.n; i++) {
		struct found f = look.v[i];
		uint32_t j = i;
		for (; j > 0 && by_start(&look.v[j - 1], &f) > 0; j--)
			look.v[j] = look.v[j - 1];
		look.v[j] = f;
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < look.n; i++) /* no overlaps: the first one stays */
		if (n == 0 || look.v[i].m.start >= look.v[n - 1].m.limit)
			look.v[n++] = look.v[i];
	look.n = n;
}

/* ---- publishing ----------------------------------------------------------------------- */

static bool same_as_newest(void)
{
	if (!newest || newest->sig.modules->n != look.n)
		return false;
	for (uint32_t i = 0; i < look.n; i++)
		if (newest->ids[i] != look.v[i].id ||
		    memcmp(&newest->sig.modules->m[i], &look.v[i].m, sizeof(look.v[i].m)))
			return false;
	return true;
}

static int publish(void)
{
	if (look.failed)
		return -ENOMEM;
	if (same_as_newest())
		return 0;
	struct map *map = ep_alloc(sizeof(*map) + look.n * sizeof(map->ids[0]));
	struct ep_modules *ms = ep_alloc(EP_MODULES_BYTES(look.n));
	if (!map || !ms) {
		ep_free(map);
		ep_free(ms);
		return -ENOMEM;
	}
	ms->n = look.n;
	for (uint32_t i = 0; i < look.n; i++) {
		ms->m[i] = look.v[i].m;
		map->ids[i] = look.v[i].id;
	}
	map->sig = (struct ep_sig_map){.number = next_number++, .modules = ms};
	map->older = newest;
	map->unused = false;
	newest = map;
	atomic_store(&ep_sig_map, &map->sig);
	return 1;
}

int ep_code_refresh(bool force)
{
	struct walk w = {.force = force || !newest};
	ep_tables_init();
	look.n = 0;
	look.failed = false;
	(void)dl_iterate_phdr(on_object, &w); /* returns what on_object did */
	if (!w.changed)
		return 0;
	add_other_memory();
	sort_found();
	return publish();
}

uint32_t ep_code_find(uint32_t map_number, uint64_t address)
{
	/* A library may have been opened since the last look: then the newest map has
	 * it, and an older one has nothing there. */
	const struct map *first = newest;
	for (const struct map *m = newest; m; m = m->older)
		if (m->sig.number == map_number)
			first = m;
	for (const struct map *m = first; m; m = m == newest ? NULL : newest) {
		const struct ep_module *hit = ep_modules_find(m->sig.modules, address);
		if (hit)
			return m->ids[hit - m->sig.modules->m];
	}
	return EP_CODE_NONE;
}

const struct ep_code_mapping *ep_code_mapping(uint32_t id)
{
	return &known[id].mapping;
}

uint32_t ep_code_n_mappings(void)
{
	return n_known;
}

const struct ep_code_mapping *ep_code_main(void)
{
	return main_id == EP_CODE_NONE ? NULL : &known[main_id].mapping;
}

static bool is_held(const struct map *map)
{
	uint32_t n = ep_threads_n_slots();
	for (uint32_t i = 0; i < n; i++)
		if (atomic_load(&ep_sig_threads[i]->hazard) == &map->sig)
			return true;
	return ep_desk_holds(&map->sig) || ep_ask_holds(&map->sig);
}

void ep_code_mark_old_maps(void)
{
	for (struct map *m = newest ? newest->older : NULL; m; m = m->older)
		m->unused = !is_held(m);
}

void ep_code_drop_marked_maps(void)
{
	for (struct map **at = newest ? &newest->older : NULL; at && *at;) {
		struct map *m = *at;
		if (!m->unused) {
			at = &m->older;
			continue;
		}
		*at = m->older;
		ep_free(m->sig.modules);
		ep_free(m);
	}
}

/* ---- unwind tables ----------------------------------------------------------------- */

bool ep_code_compile_next(void)
{
	struct ep_tables_code code = {.path = NULL};
	struct ep_tablefile table = {.table = NULL};
	uint32_t at = 0;
	pthread_mutex_lock(&files_lock);
	while (at < n_files && files[at].state != TODO)
		at++;
	if (at < n_files) {
		files[at].state = BUSY;
		code = files[at].code;
	}
	pthread_mutex_unlock(&files_lock);
	if (!code.path) {
		ep_tables_done();
		return false;
	}
	(void)ep_tables_get(&code, &table); /* no rows: frame pointers have to do */
	pthread_mutex_lock(&files_lock);
	files[at].table = table;
	files[at].state = DONE;
	pthread_mutex_unlock(&files_lock);
	return true;
}

void ep_code_attach(void)
{
	(void)ep_code_refresh(true); /* out of memory: the old map does */
}

void ep_code_child(void)
{
	pthread_mutex_init(&files_lock, NULL);
	for (uint32_t i = 0; i < n_files; i++)
		if (files[i].state == BUSY)
			files[i].state = TODO;
}
