/* sketch.c - see sketch.h. */
#include "sketch.h"

#include "profile/build.h"
#include "profile/view.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 64, TEXT = 8192 };

/* --- reading ---------------------------------------------------------------------- */

static uint32_t read_function(struct ep_build *b, const char *name)
{
	char file[80];
	snprintf(file, sizeof(file), "%s.zz", name);
	struct ep_function f = {.name = ep_build_cstr(b, name),
				.system_name = ep_build_cstr(b, name),
				.filename = ep_build_cstr(b, file),
				.start_line = 1};
	return ep_build_function(b, &f);
}

/* "b+c@lib"; every frame has an address of its own, by its text. */
static uint32_t read_location(struct ep_build *b, char *text)
{
	struct ep_line lines[MAX];
	uint32_t n = 0, mapping = EP_NONE;
	uint64_t address = 0x1000;
	for (const char *c = text; *c; c++)
		address = address * 31 + (unsigned char)*c;
	char *object = strchr(text, '@');
	if (object) {
		*object++ = '\0';
		mapping = ep_build_mapping(
			b, &(struct ep_mapping){.start = 0, .limit = UINT64_MAX,
						.filename = ep_build_cstr(b, object)});
	}
	char *names[MAX], *save;
	for (char *s = strtok_r(text, "+", &save); s; s = strtok_r(NULL, "+", &save))
		names[n++] = s;
	if (n == 1 && !strcmp(names[0], "?"))
		n = 0;
	for (uint32_t i = 0; i < n; i++)
		lines[i] = (struct ep_line){read_function(b, names[n - 1 - i]), 7, 3};
	return ep_build_location(b, address % 0xffffff, mapping, lines, n);
}

static uint32_t read_stack(struct ep_build *b, char *text, uint32_t *stack)
{
	char *frames[MAX], *save;
	uint32_t n = 0;
	for (char *s = strtok_r(text, ";", &save); s; s = strtok_r(NULL, ";", &save))
		frames[n++] = s;
	if (n == 1 && !strcmp(frames[0], "-"))
		return 0;
	for (uint32_t i = 0; i < n; i++)
		stack[i] = read_location(b, frames[n - 1 - i]);
	return n;
}

static struct ep_label read_label(struct ep_build *b, char *text)
{
	char *value = strpbrk(text, "=#");
	assert_non_null(value);
	bool is_string = *value == '=';
	*value++ = '\0';
	struct ep_label l = {.key = ep_build_cstr(b, text)};
	if (is_string) {
		l.str = ep_build_cstr(b, value);
	} else {
		char *unit;
		l.num = strtoll(value, &unit, 10);
		l.num_unit = ep_build_cstr(b, unit);
	}
	return l;
}

static void read_sample(struct ep_build *b, char *line)
{
	uint32_t stack[MAX], n_labels = 0;
	struct ep_label labels[MAX];
	char *save, *text = strtok_r(line, " ", &save), *value = strtok_r(NULL, " ", &save);
	assert_non_null(value);
	uint32_t n = read_stack(b, text, stack);
	for (char *s = strtok_r(NULL, " ", &save); s; s = strtok_r(NULL, " ", &save))
		labels[n_labels++] = read_label(b, s);
	int64_t v = strtoll(value, NULL, 10);
	ep_build_sample(b, stack, n, labels, n_labels, &v);
}

struct ep_profile *sketch(const char *text)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "n", "count");
	char copy[TEXT], *save;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		read_sample(b, s);
	struct ep_profile *p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

/* --- writing ---------------------------------------------------------------------- */

static char *add(char *at, struct ep_slice s)
{
	return at + sprintf(at, "%.*s", EP_SLICE_ARG(s));
}

static char *add_location(char *at, const struct ep_profile *p, const struct ep_location *l)
{
	if (!l->n_lines)
		at += sprintf(at, "?");
	for (uint32_t i = l->n_lines; i; i--) {
		const struct ep_line *line = &p->lines[l->first_line + i - 1];
		at = add(at, p->strings[p->functions[line->function].name]);
		at += sprintf(at, "%s", i > 1 ? "+" : "");
	}
	if (l->mapping != EP_NONE) {
		at += sprintf(at, "@");
		at = add(at, p->strings[p->mappings[l->mapping].filename]);
	}
	return at;
}

static char *add_label(char *at, const struct ep_profile *p, const struct ep_label *l)
{
	at += sprintf(at, " ");
	at = add(at, p->strings[l->key]);
	if (l->str) {
		at += sprintf(at, "=");
		return add(at, p->strings[l->str]);
	}
	at += sprintf(at, "#%" PRId64, l->num);
	return add(at, p->strings[l->num_unit]);
}

static void write_to(char *at, const struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		if (!s->n_locations)
			at += sprintf(at, "-");
		for (uint32_t k = s->n_locations; k; k--) {
			at = add_location(at, p,
					  &p->locations[ep_profile_stack(p, s)[k - 1]]);
			at += sprintf(at, "%s", k > 1 ? ";" : "");
		}
		at += sprintf(at, " %" PRId64, ep_profile_values(p, i)[0]);
		for (uint32_t k = 0; k < s->n_labels; k++)
			at = add_label(at, p, &p->labels[s->first_label + k]);
		at += sprintf(at, "\n");
	}
	*at = '\0';
}

const char *sketch_of(const struct ep_profile *p)
{
	static char text[TEXT];
	write_to(text, p);
	return text;
}

static char before[TEXT];

struct ep_profile *sketch_view(const struct ep_profile *p)
{
	write_to(before, p);
	struct ep_profile *v = ep_view_new(p, 0);
	assert_non_null(v);
	return v;
}

void sketch_expect(struct ep_profile *base, struct ep_profile *view, const char *text)
{
	assert_string_equal(sketch_of(view), text);
	ep_profile_free(view);
	assert_string_equal(sketch_of(base), before);
	ep_profile_free(base);
}
