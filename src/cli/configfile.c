/*
 * configfile.c - see configfile.h.  Knows nothing of any command.
 */
#include "cli/configfile.h"

#include "base/clock.h"
#include "base/mem.h"

#include <ctype.h>
#include <string.h>
#include <yaml.h>

enum { MAX_FILE = 1 << 20, COMMENT_WIDTH = 92 };

/* One file being read. */
struct reading {
	const char *path;
	yaml_document_t doc;
	struct ep_err *err;
};

static unsigned line_of(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

static const char *text_of(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

static bool is_key(const struct ep_flag *g)
{
	return strcmp(g->name, "config") != 0 && strcmp(g->name, "print-config") != 0;
}

static const struct ep_flag *find_key(const struct ep_flag *rows, const char *key)
{
	for (const struct ep_flag *g = rows; g && g->name; g++)
		if (is_key(g) && !strcmp(g->name, key))
			return g;
	return NULL;
}

static const struct ep_flag_section *find_section(const struct ep_flag_section *s, const char *key)
{
	for (; s && s->name; s++)
		if (!strcmp(s->name, key))
			return s;
	return NULL;
}

static size_t add_name(char *to, size_t n, size_t at, const char *name)
{
	int m = snprintf(to + at, n - at, "%s%s", at ? ", " : "", name);
	return at + (m > 0 && (size_t)m < n - at ? (size_t)m : 0);
}

/* Those at this place of the file, as many as a sentence holds. */
static int no_such_key(struct reading *r, const yaml_node_t *at, const struct ep_flag *rows,
		       const struct ep_flag_section *sections)
{
	char names[120] = "";
	size_t n = 0, before;
	for (const struct ep_flag *g = rows; g && g->name; g++)
		if (is_key(g)) {
			before = n;
			n = add_name(names, sizeof(names), n, g->name);
			names[n] = '\0';
			if (n == before)
				break;
		}
	for (; sections && sections->name; sections++)
		n = add_name(names, sizeof(names), n, sections->name);
	names[n] = '\0';
	return ep_fail(r->err, -EBADMSG, line_of(at),
		       "%s:%u: there is no key \"%.40s\" here; there are %s; --print-config shows "
		       "all",
		       r->path, line_of(at), text_of(at), names);
}

/*
 * A copy for the life of the program: variables point to it.  The list keeps it
 * reachable, so that a leak checker sees it is meant.
 */
static char *keep(const char *value)
{
	struct kept {
		struct kept *next;
		char text[];
	};
	static struct kept *all;
	size_t n = strlen(value) + 1;
	struct kept *k = ep_alloc(sizeof(*k) + n);
	if (!k)
		return NULL;
	memcpy(k->text, value, n);
	k->next = all;
	all = k;
	return k->text;
}

static int set_key(struct reading *r, const struct ep_flag *g, const yaml_node_t *v)
{
	if (v->type != YAML_SCALAR_NODE)
		return ep_fail(r->err, -EBADMSG, line_of(v), "%s:%u: %s wants %s, not a list or section",
			       r->path, line_of(v), g->name, ep_flags_wants(g->kind));
	const char *text = text_of(v);
	if (g->kind == EP_FLAG_STRING) {
		bool none = !*text || (v->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
				       (!strcmp(text, "~") || !strcmp(text, "null")));
		char *kept = none ? NULL : keep(text);
		if (!kept && !none)
			return ep_fail(r->err, -ENOMEM, 0, "no memory for %s", r->path);
		*(const char **)g->to = kept;
		return 0;
	}
	if (ep_flags_set(g, text) < 0)
		return ep_fail(r->err, -EBADMSG, line_of(v), "%s:%u: %s wants %s, not \"%.60s\"",
			       r->path, line_of(v), g->name, ep_flags_wants(g->kind), text);
	return 0;
}

/* An empty value ("limits:" and nothing) is an empty section. */
static int check_map(struct reading *r, const yaml_node_t *v, const char *name)
{
	if (v->type == YAML_MAPPING_NODE || (v->type == YAML_SCALAR_NODE && !*text_of(v)))
		return 0;
	return ep_fail(r->err, -EBADMSG, line_of(v),
		       "%s:%u: %s is a section: its keys stand below it, indented", r->path,
		       line_of(v), name);
}

static int check_twice(struct reading *r, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
	const yaml_node_t *k = yaml_document_get_node(&r->doc, pair->key);
	if (k->type != YAML_SCALAR_NODE)
		return ep_fail(r->err, -EBADMSG, line_of(k), "%s:%u: a key is a word", r->path,
			       line_of(k));
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
		const yaml_node_t *other = yaml_document_get_node(&r->doc, p->key);
		if (!strcmp(text_of(other), text_of(k)))
			return ep_fail(r->err, -EBADMSG, line_of(k),
				       "%s:%u: %s stands at line %u already", r->path, line_of(k),
				       text_of(k), line_of(other));
	}
	return 0;
}

static int read_map(struct reading *r, const yaml_node_t *map, const struct ep_flag *rows,
		    const struct ep_flag_section *sections);

static int read_members(struct reading *r, const yaml_node_t *map,
			const struct ep_flag_section *s)
{
	if (map->type != YAML_MAPPING_NODE)
		return 0;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		EP_TRY(check_twice(r, map, p));
		const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		const yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);
		EP_TRY(check_map(r, v, text_of(k)));
		struct ep_err why = {0};
		const struct ep_flag *rows = s->member(s->arg, text_of(k), &why);
		if (!rows)
			return ep_fail(r->err, -EBADMSG, line_of(k), "%s:%u: %s: %s", r->path,
				       line_of(k), s->name, why.text);
		EP_TRY(read_map(r, v, rows, NULL));
	}
	return 0;
}

/* One pass over the pairs: sections with members last, since those begin as the rest says. */
static int read_pairs(struct reading *r, const yaml_node_t *map, const struct ep_flag *rows,
		      const struct ep_flag_section *sections, bool members)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top; p++) {
		EP_TRY(check_twice(r, map, p));
		const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		const yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);
		const struct ep_flag *g = find_key(rows, text_of(k));
		const struct ep_flag_section *s = find_section(sections, text_of(k));
		if (g) {
			EP_TRY(set_key(r, g, v));
			continue;
		}
		if (!s)
			return no_such_key(r, k, rows, sections);
		if (members != (s->member != NULL))
			continue;
		EP_TRY(check_map(r, v, s->name));
		EP_TRY(s->member ? read_members(r, v, s) : read_map(r, v, s->rows, NULL));
	}
	return 0;
}

static int read_map(struct reading *r, const yaml_node_t *map, const struct ep_flag *rows,
		    const struct ep_flag_section *sections)
{
	if (map->type != YAML_MAPPING_NODE)
		return 0; /* empty */
	EP_TRY(read_pairs(r, map, rows, sections, false));
	return sections ? read_pairs(r, map, rows, sections, true) : 0;
}

/* "key = value" looks like a text to YAML. */
static int wrong_form(struct reading *r, const yaml_node_t *root)
{
	const char *text = root->type == YAML_SCALAR_NODE ? text_of(root) : "";
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
	const char *eq = text + n + strspn(text + n, " \t");
	if (n && *eq == '=') {
		const char *value = eq + 1 + strspn(eq + 1, " \t");
		return ep_fail(r->err, -EBADMSG, line_of(root),
			       "%s:%u: this is \"key = value\"; the file is YAML: %.*s: %.*s",
			       r->path, line_of(root), (int)n, text, (int)strcspn(value, " \n"),
			       value);
	}
	return ep_fail(r->err, -EBADMSG, line_of(root), "%s:%u: wants lines \"key: value\"", r->path,
		       line_of(root));
}

static int read_document(struct reading *r, const struct ep_flags *f)
{
	const yaml_node_t *root = yaml_document_get_root_node(&r->doc);
	if (!root)
		return 0; /* nothing but comments */
	if (root->type != YAML_MAPPING_NODE)
		return wrong_form(r, root);
	return read_map(r, root, f->flags, f->sections);
}

static int parse(struct reading *r, const struct ep_flags *f, const char *text, size_t n)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return ep_fail(r->err, -ENOMEM, 0, "no memory for %s", r->path);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	int rc = 0;
	if (!yaml_parser_load(&parser, &r->doc)) {
		unsigned line = (unsigned)parser.problem_mark.line + 1;
		rc = ep_fail(r->err, -EBADMSG, line, "%s:%u: not YAML: %s", r->path, line,
			     parser.problem ? parser.problem : "malformed");
	} else {
		rc = read_document(r, f);
		yaml_document_delete(&r->doc);
	}
	yaml_parser_delete(&parser);
	return rc;
}

int ep_configfile_read(const struct ep_flags *f, const char *path, struct ep_err *err)
{
	struct reading r = {.path = path, .err = err};
	FILE *file = fopen(path, "re");
	if (!file)
		return ep_fail(err, -errno, 0, "%s can't be read: %s", path, strerror(errno));
	char *text = ep_alloc(MAX_FILE + 1);
	size_t n = text ? fread(text, 1, MAX_FILE + 1, file) : 0;
	bool failed = ferror(file);
	fclose(file);
	int rc = 0;
	if (!text)
		rc = ep_fail(err, -ENOMEM, 0, "no memory for %s", path);
	else if (failed)
		rc = ep_fail(err, -EIO, 0, "%s can't be read", path);
	else if (n > MAX_FILE)
		rc = ep_fail(err, -EBADMSG, 0, "%s is over %d bytes", path, MAX_FILE);
	else
		rc = parse(&r, f, text, n);
	ep_free(text);
	return rc;
}

/* --- printing ----------------------------------------------------------------------------- */

static void print_comment(const char *text, unsigned indent, FILE *to)
{
	unsigned at = 0;
	for (const char *s = text + strspn(text, " \n"); *s; s += strspn(s, " \n")) {
		unsigned n = (unsigned)strcspn(s, " \n");
		if (!at || at + 1 + n > COMMENT_WIDTH)
			at = (unsigned)fprintf(to, "%s%*s#", at ? "\n" : "", (int)indent, "");
		at += (unsigned)fprintf(to, " %.*s", (int)n, s);
		s += n;
	}
	fputc('\n', to);
}

static void print_quoted(const char *text, FILE *to)
{
	fputc('"', to);
	for (; text && *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			fprintf(to, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, to);
	fputc('"', to);
}

static void print_unit(uint64_t v, const char *const *names, const uint64_t *factors, FILE *to)
{
	unsigned i = 0;
	while (factors[i] > 1 && (!v || v % factors[i]))
		i++;
	fprintf(to, "%llu%s", (unsigned long long)(v / factors[i]), v ? names[i] : "");
}

static void print_value(const struct ep_flag *g, FILE *to)
{
	static const char *const times[] = {"h", "m", "s", "ms", "us", "ns"};
	static const uint64_t time_factors[] = {3600 * EP_NS_PER_S, 60 * EP_NS_PER_S, EP_NS_PER_S,
						EP_NS_PER_MS, 1000, 1};
	static const char *const sizes[] = {"GB", "MB", "KB", ""};
	static const uint64_t size_factors[] = {1ull << 30, 1ull << 20, 1ull << 10, 1};
	switch (g->kind) {
	case EP_FLAG_STRING:
		print_quoted(*(const char *const *)g->to, to);
		break;
	case EP_FLAG_DURATION:
		print_unit(*(const uint64_t *)g->to, times, time_factors, to);
		break;
	case EP_FLAG_SIZE:
		print_unit(*(const uint64_t *)g->to, sizes, size_factors, to);
		break;
	case EP_FLAG_INT:
		fprintf(to, "%lld", (long long)*(const int64_t *)g->to);
		break;
	case EP_FLAG_BOOL:
		fputs(*(const bool *)g->to ? "true" : "false", to);
		break;
	}
}

static void print_rows(const struct ep_flag *rows, unsigned indent, bool comments, FILE *to)
{
	for (const struct ep_flag *g = rows; g->name; g++) {
		if (!is_key(g))
			continue;
		if (comments)
			print_comment(g->help, indent, to);
		fprintf(to, "%*s%s: ", (int)indent, "", g->name);
		print_value(g, to);
		fputc('\n', to);
	}
}

static void print_members(const struct ep_flag_section *s, FILE *to)
{
	const char *name;
	const struct ep_flag *rows = s->nth(s->arg, 0, &name);
	fprintf(to, "%s:%s\n", s->name, rows ? "" : " {}");
	for (size_t i = 1; rows; rows = s->nth(s->arg, i++, &name)) {
		fputs("  ", to);
		print_quoted(name, to);
		fputs(":\n", to);
		print_rows(rows, 4, false, to);
	}
}

void ep_configfile_print(const struct ep_flags *f, FILE *to)
{
	fprintf(to, "# everprof %s: every setting with its value; flags given on the command line "
		    "win.\n",
		f->command);
	print_rows(f->flags, 0, true, to);
	for (const struct ep_flag_section *s = f->sections; s && s->name; s++) {
		fputc('\n', to);
		print_comment(s->help, 0, to);
		if (s->member) {
			print_members(s, to);
			continue;
		}
		fprintf(to, "%s:\n", s->name);
		print_rows(s->rows, 2, true, to);
	}
}
