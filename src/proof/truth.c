/* truth.c - see truth.h. */
#include "proof/truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell(int fd, const char *line, int n)
{
	if (n > 0)
		(void)!write(fd, line, (size_t)n); /* the reader sees what is missing */
}

void ep_truth_tell(int fd, const char *name, int64_t value)
{
	char line[96];
	tell(fd, line, snprintf(line, sizeof(line), "%.39s %lld\n", name, (long long)value));
}

void ep_truth_tell_phase(int fd, const char *word)
{
	char line[96];
	tell(fd, line, snprintf(line, sizeof(line), "phase %.39s\n", word));
}

static void take_line(struct ep_truth *t)
{
	char *space = strchr(t->pending, ' '), *end;
	if (!space || space - t->pending >= EP_TRUTH_NAME)
		return;
	*space = '\0';
	if (!strcmp(t->pending, "phase")) {
		snprintf(t->phase, sizeof(t->phase), "%.39s", space + 1);
		return;
	}
	errno = 0;
	long long v = strtoll(space + 1, &end, 10);
	if (errno || end == space + 1 || *end || t->n == EP_TRUTH_MAX)
		return;
	memcpy(t->facts[t->n].name, t->pending, (size_t)(space - t->pending) + 1);
	t->facts[t->n++].value = v;
}

void ep_truth_feed(struct ep_truth *t, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (t->n_pending + 1 < sizeof(t->pending))
				t->pending[t->n_pending++] = bytes[i];
			continue;
		}
		t->pending[t->n_pending] = '\0';
		take_line(t);
		t->n_pending = 0;
	}
}

bool ep_truth_find(const struct ep_truth *t, const char *name, int64_t *ret)
{
	for (size_t i = t->n; i-- > 0;)
		if (!strcmp(t->facts[i].name, name)) {
			*ret = t->facts[i].value;
			return true;
		}
	return false;
}

int64_t ep_truth_get(const struct ep_truth *t, const char *name)
{
	int64_t v = 0;
	(void)ep_truth_find(t, name, &v); /* else it stays 0 */
	return v;
}
