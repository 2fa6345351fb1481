/*
 * flood.c - ids of requests as labels, which nobody should do, beside ten endpoints that
 * come later.  Ends when all of them are known by their names; 1 after a minute.
 */
#include <everprof.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The set the library makes of it: the same pointer as for "__other__", or its own. */
static int enter(const char *value)
{
	const everprof_labels *other = everprof_labels_derive(NULL, "request", "__other__");
	int known = 0;
	EVERPROF_LABELS("request", value)
		known = everprof_labels_current() != other;
	return known;
}

int main(void)
{
	char v[32];
	int known = 0;
	time_t end = time(NULL) + 60;
	if (everprof_start(NULL) < 0)
		return 1;
	for (long id = 0; known < 10 && time(NULL) < end;) {
		for (int i = 0; i < 1000; i++) {
			snprintf(v, sizeof(v), "id-%ld", id++);
			(void)enter(v);
		}
		known = 0;
		for (int e = 0; e < 10; e++)
			for (int i = 0; i < 20; i++) {
				snprintf(v, sizeof(v), "endpoint-%d", e);
				known += enter(v) && i == 0;
			}
	}
	return known != 10;
}
