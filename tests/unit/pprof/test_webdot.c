#include "pprof/webdot.h"

#include "../test.h"

#include <stdlib.h>
#include <string.h>

static const char *mended(struct ep_buf *b, const char *text)
{
	ep_buf_init(b, 1 << 20);
	ep_buf_add_str(b, text);
	assert_int_equal(ep_webdot_mend(b), 0);
	return ep_buf_cstr(b);
}

TEST(webdot_takes_the_legend_out)
{
	struct ep_buf b;
	assert_string_equal(mended(&b, "digraph \"x\" {\nnode [a]\n"
				       "subgraph cluster_L { \"y\" [shape=box] }\nN1 [label=\"z\"]\n}\n"),
			    "digraph \"x\" {\nnode [a]\nN1 [label=\"z\"]\n}\n");
	ep_buf_fini(&b);
}

TEST(webdot_escapes_the_labels_of_samples_and_nothing_else)
{
	struct ep_buf b;
	assert_string_equal(
		mended(&b, "N1 [label=\"a\\\"b\" id=\"node1\" ]\n"
			   "N1_0 [label = \"k:\"v\\\"\\nl\" id=\"N1_0\" fontsize=8]\nN1 -> N1_0\n"),
		"N1 [label=\"a\\\"b\" id=\"node1\" ]\n"
		"N1_0 [label = \"k:\\\"v\\\"\\nl\" id=\"N1_0\" fontsize=8]\nN1 -> N1_0\n");
	ep_buf_fini(&b);
}

TEST(webdot_cuts_what_dot_cannot_read_between_characters)
{
	struct ep_buf b;
	char *text = malloc(40000);
	strcpy(text, "N1 [label=\"");
	for (int i = 0; i < 10000; i++)
		strcat(text + 10 + (size_t)i * 2, "\xc3\xa9"); /* é */
	strcat(text, "\" id=\"node1\"]\n");
	const char *out = mended(&b, text);
	assert_true(strlen(out) < 4200);
	assert_non_null(strstr(out, "\xc3\xa9\" id=\"node1\"]\n"));
	ep_buf_fini(&b);
	free(text);
}

TEST(webdot_takes_an_empty_text)
{
	struct ep_buf b;
	assert_string_equal(mended(&b, ""), "");
	ep_buf_fini(&b);
}
