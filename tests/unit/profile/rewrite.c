/*
 * rewrite.c - `pprof-rewrite [--merge] FILE... >OUT`: profiles of any format through our decoder and
 * encoder, several of them merged.  The end-to-end tests hold it against the reference.
 */
#include "legacy/legacy.h"
#include "profile/encode.h"
#include "profile/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100, MOST_BYTES = 100 << 20 };

static struct ep_profile *read_profile(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *data = malloc(MOST_BYTES);
	struct ep_profile *p = NULL;
	struct ep_err err = {0};
	if (f && data) {
		size_t n = fread(data, 1, MOST_BYTES, f);
		if (ep_legacy_decode(data, n, MOST_BYTES, &p, &err) < 0)
			fprintf(stderr, "%s: at %llu: %s\n", path, (unsigned long long)err.pos,
				err.text);
	}
	if (f)
		fclose(f);
	free(data);
	return p;
}

static int write_profile(const struct ep_profile *p)
{
	ep_auto_buf out;
	ep_buf_init(&out, MOST_BYTES);
	if (ep_encode_gzip(p, &out, NULL) < 0)
		return 1;
	return fwrite(out.data, 1, out.len, stdout) != out.len;
}

int main(int argc, char **argv)
{
	struct ep_profile *in[MOST] = {0};
	int first = argc > 1 && !strcmp(argv[1], "--merge") ? 2 : 1, n = 0;
	for (int i = first; i < argc && n < MOST; i++)
		if (!(in[n++] = read_profile(argv[i])))
			return 1;
	if (!n)
		return 2;
	if (first == 1 && n == 1)
		return write_profile(in[0]);
	struct ep_err err = {0};
	struct ep_profile *merged = NULL;
	if (ep_merge((const struct ep_profile *const *)in, (size_t)n, 0, &merged, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return write_profile(merged);
}
