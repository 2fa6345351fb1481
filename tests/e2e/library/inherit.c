/* inherit.c - what labels do threads begin with?  One line for each way to make one. */
#include <everprof.h>

#include <stdio.h>

static const everprof_labels *mine;

static void *say(void *name)
{
	printf("%s %s\n", (const char *)name, everprof_labels_current() == mine ? "mine" : "none");
	return NULL;
}

static int one(int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *),
	       const char *name)
{
	pthread_t t;
	int rc = create(&t, NULL, say, (void *)name);
	return rc ? rc : pthread_join(t, NULL);
}

int main(void)
{
	if (everprof_start(NULL) < 0)
		return 1;
	mine = everprof_labels_derive(NULL, "job", "7");
	(void)everprof_labels_attach(mine);
	int rc = one(pthread_create, "plain") | one(everprof_thread_create, "ours");
	everprof_labels_attach(NULL);
	return rc;
}
