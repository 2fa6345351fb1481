/*
 * goflags.h - flags as Go programs take them: -f, --f, -f=v, -f v; a bool is -b or
 * -b=false; the first argument that is no flag ends them.
 *
 * Knows no flag itself: a caller says what a name stands for and takes its value.
 */
#ifndef EP_PPROF_GOFLAGS_H
#define EP_PPROF_GOFLAGS_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum ep_goflags_kind {
	EP_GOFLAGS_UNKNOWN,
	EP_GOFLAGS_BOOL,
	EP_GOFLAGS_INT,
	EP_GOFLAGS_FLOAT,
	EP_GOFLAGS_STRING,
};

struct ep_goflags_value {
	bool b;
	int64_t i;
	double f;
	const char *s; /* points into argv; the text of every kind */
};

struct ep_goflags {
	/* What the name stands for. */
	enum ep_goflags_kind (*kind)(void *ctx, struct ep_slice name);
	/* Take a value; a failure ends the parse. */
	int (*take)(void *ctx, struct ep_slice name, const struct ep_goflags_value *v,
		    struct ep_err *err);
	void *ctx;
};

/*
 * ep_goflags_parse - argv[1] and on.
 *
 * out      ret_rest  index of the first argument that is no flag, behind "--"
 * errors   -EINVAL with Go's sentence; -ENOENT an unknown name: ret_unknown has it;
 *          -ECANCELED -h or -help, unless kind() knows them
 */
int ep_goflags_parse(const struct ep_goflags *f, int argc, char **argv, int *ret_rest,
		     struct ep_slice *ret_unknown, struct ep_err *err);

/* Go's strconv.ParseInt(s, 0, 64) and ParseFloat; 0, -EINVAL, -E2BIG out of range. */
int ep_goflags_int(const char *s, int64_t *ret);
int ep_goflags_float(const char *s, double *ret);
/* Go's strconv.ParseBool. */
int ep_goflags_bool(const char *s, bool *ret);

#endif
