/*
 * replay.c - main() of a fuzz target in builds without libFuzzer: runs each file
 * named, or each file of a folder named, once.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned n_run;

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	fseek(f, 0, SEEK_END);
	long n = ftell(f);
	rewind(f);
	/* Exactly as large as the input, so that a sanitizer sees any step beyond. */
	uint8_t *data = malloc(n > 0 ? (size_t)n : 1);
	if (!data || fread(data, 1, (size_t)n, f) != (size_t)n)
		exit(1);
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
	n_run++;
}

static void run_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char file[4096];
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		run_file(file);
	}
	if (d)
		closedir(d);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_dir(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%u inputs\n", n_run);
	return n_run ? 0 : 2;
}
