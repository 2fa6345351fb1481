/* test_symbolize.c - which locations get names, by which mode, and what is said. */
#include "symbol/symbolize.h"

#include "base/buf.h"
#include "symbol/symbolz.h"
#include "../test.h"

#include <stdio.h>
#include <string.h>

static char notes_text[4096];

static void note(void *ctx, const char *text)
{
	(void)ctx;
	size_t n = strlen(notes_text);
	(void)snprintf(notes_text + n, sizeof(notes_text) - n, "%s\n", text);
}

static const struct ep_notes notes = {note, NULL};

/* One mapping of frames-gcc-5.elf, two locations in it: outer() and _start(). */
static struct ep_profile *make(const char *path)
{
	struct ep_profile *p = ep_profile_new(0);
	notes_text[0] = '\0';
	p->strings = ep_arena_array(p->arena, struct ep_slice, 2);
	p->strings[1] = ep_slice_of(path);
	p->n_strings = 2;
	p->mappings = ep_arena_array(p->arena, struct ep_mapping, 1);
	p->mappings[0] = (struct ep_mapping){
		.start = 0x401000, .limit = 0x402000, .file_offset = 0x1000, .filename = 1};
	p->n_mappings = 1;
	p->locations = ep_arena_array(p->arena, struct ep_location, 2);
	p->locations[0] = (struct ep_location){.address = 0x401000, .is_folded = true};
	p->locations[1] = (struct ep_location){.address = 0x401002};
	p->n_locations = 2;
	return p;
}

static int run(struct ep_profile *p, const char *mode, const struct ep_symbolize_remote *remote)
{
	struct ep_objects_options options = {.notes = &notes};
	ep_auto(ep_objects) objects = NULL;
	assert_int_equal(ep_objects_new(&options, &objects, NULL), 0);
	return ep_symbolize(p, ep_symbolize_parse(mode, &notes), objects, remote, &notes, NULL);
}

static struct ep_slice name_of(const struct ep_profile *p, uint32_t location)
{
	const struct ep_location *l = &p->locations[location];
	assert_true(l->n_lines > 0);
	return p->strings[p->functions[p->lines[l->first_line + l->n_lines - 1].function].name];
}

TEST(local_names_set_the_mappings_flags_and_unfold)
{
	ep_auto(ep_profile) p = make(ep_test_data_path("dwarf/frames-gcc-5.elf"));
	assert_int_equal(run(p, "", NULL), 0);
	assert_true(ep_slice_is(name_of(p, 0), "outer"));
	assert_int_equal(p->lines[p->locations[0].first_line].line, 15);
	assert_false(p->locations[0].is_folded);
	const struct ep_mapping *m = &p->mappings[0];
	assert_true(m->has_functions && m->has_filenames && m->has_line_numbers &&
		    m->has_inline_frames);
	assert_string_equal(notes_text, "");
}

TEST(fastlocal_gives_names_without_lines)
{
	ep_auto(ep_profile) p = make(ep_test_data_path("dwarf/frames-gcc-5.elf"));
	assert_int_equal(run(p, "fastlocal", NULL), 0);
	assert_true(ep_slice_is(name_of(p, 0), "outer"));
	assert_int_equal(p->lines[p->locations[0].first_line].line, 0);
	assert_true(p->mappings[0].has_functions && !p->mappings[0].has_line_numbers);
}

TEST(a_mapping_with_names_is_left_alone_without_force)
{
	ep_auto(ep_profile) p = make(ep_test_data_path("dwarf/frames-gcc-5.elf"));
	p->mappings[0].has_filenames = true;
	assert_int_equal(run(p, "local", NULL), 0);
	assert_int_equal(p->locations[0].n_lines, 0);
	assert_int_equal(run(p, "none", NULL), 0);
	assert_int_equal(p->locations[0].n_lines, 0);
	assert_int_equal(run(p, "local:force", NULL), 0);
	assert_true(p->locations[0].n_lines > 0);
}

TEST(a_missing_file_is_said_once_for_all)
{
	ep_auto(ep_profile) p = make("/nowhere/a.out");
	assert_int_equal(run(p, "local", NULL), 0);
	assert_string_equal(
		notes_text,
		"Local symbolization failed for a.out: open /nowhere/a.out: no such file or "
		"directory\n"
		"Some binary filenames not available. Symbolization may be incomplete.\n"
		"Try setting PPROF_BINARY_PATH to the search path for local binaries.\n");
}

TEST(a_first_mapping_without_a_name_is_said)
{
	ep_auto(ep_profile) p = make("");
	assert_int_equal(run(p, "local", NULL), 0);
	assert_string_equal(notes_text, "Main binary filename not available.\n");
}

TEST(an_unknown_word_of_the_mode_is_said)
{
	notes_text[0] = '\0';
	struct ep_symbolize_mode m = ep_symbolize_parse("Local:foo:demangle=Full", &notes);
	assert_true(m.local && !m.remote && m.force && m.demangle == EP_DEMANGLE_FULL);
	assert_string_equal(
		notes_text,
		"ignoring unrecognized symbolization option: Local:foo:demangle=Full\n"
		"expecting -symbolize=[local|fastlocal|remote|none][:force][:demangle=[none|full|"
		"templates|default]\n");
}

static char asked_url[128], asked_body[128];

static int post(void *ctx, const char *url, struct ep_slice body, struct ep_buf *reply,
		struct ep_err *err)
{
	(void)ctx;
	(void)err;
	(void)snprintf(asked_url, sizeof(asked_url), "%s", url);
	(void)snprintf(asked_body, sizeof(asked_body), "%.*s", EP_SLICE_ARG(body));
	ep_buf_add_str(reply, "num_symbols: 1\n0x501000 _Z1fi\n0x501002\tg h\n0x501003 cut");
	return 0;
}

TEST(a_server_is_asked_for_addresses_as_it_knows_them)
{
	ep_auto(ep_profile) p = make("/nowhere/a.out");
	struct ep_symbolize_sources sources = {0};
	assert_int_equal(ep_symbolize_add_source(&sources, p,
						 "http://h:1/debug/pprof/profile?seconds=1",
						 NULL),
			 0);
	sources.s[0].start = 0x501000; /* the merged profile's addresses were moved */
	struct ep_symbolize_remote remote = {post, NULL, &sources};
	assert_int_equal(run(p, "remote", &remote), 0);
	assert_string_equal(asked_url, "http://h:1/debug/pprof/symbol");
	assert_string_equal(asked_body, "0x501000+0x501002");
	assert_true(ep_slice_is(name_of(p, 0), "f"));
	assert_true(ep_slice_is(name_of(p, 1), "g h"));
	assert_true(p->mappings[0].has_functions && !p->mappings[0].has_filenames);
	ep_symbolize_sources_fini(&sources);
}

TEST(the_page_to_ask_stands_beside_the_profile)
{
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	assert_true(ep_symbolz_url("http://h/pprof/heap", &out));
	assert_string_equal(ep_buf_cstr(&out), "http://h/pprof/symbol");
	assert_true(ep_symbolz_url("https://h:8/x/profilez?a=b/c", &out));
	assert_string_equal(ep_buf_cstr(&out), "https://h:8/x/symbolz");
	assert_true(ep_symbolz_url("http://h", &out));
	assert_string_equal(ep_buf_cstr(&out), "http://h/symbolz");
	assert_false(ep_symbolz_url("/tmp/file", &out));
}

TEST(a_nameless_mapping_is_called_by_its_url_only_meanwhile)
{
	ep_auto(ep_profile) p = make("");
	struct ep_symbolize_sources sources = {0};
	assert_int_equal(ep_symbolize_add_source(&sources, p, "http://h/x", NULL), 0);
	assert_true(ep_slice_is(p->strings[p->mappings[0].filename], "http://h/x"));
	ep_symbolize_forget_source(p);
	assert_int_equal(p->mappings[0].filename, 0);
	ep_symbolize_sources_fini(&sources);
}
