/*
 * everprof.h - continuous profiling from inside your program.
 *
 * Link with -leverprof (or run any program under `everprof run -- CMD`), call
 * everprof_start(NULL) once, and name what the program works on:
 *
 *     EVERPROF_LABELS("endpoint", path, "tenant", tenant) {
 *             handle(request);
 *     }
 *
 * The library samples each thread's CPU time with a timer and a signal handler
 * that takes no lock and allocates nothing.  One thread of its own folds the
 * samples and pushes a profile every ten seconds.  It never prints, never exits,
 * never changes a signal mask of yours, but for SIGPROF, which waits while a handler
 * runs on an alternate stack.  It uses SIGPROF; a program that has a
 * SIGPROF handler of its own keeps it, and gets no CPU profile (-EBUSY); all else runs.
 *
 * Plain C99 with the GNU attributes gcc and clang share, and C++.  C++ programs
 * may like everprof.hpp.
 *
 * Not covered: the heap of programs that are linked statically as a whole, and the time
 * between the last push and a death by signal.
 */
#ifndef EVERPROF_H
#define EVERPROF_H

#include <pthread.h>
#include <stddef.h>
#if defined(__cplusplus) && __cplusplus >= 201103L
#include <initializer_list>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define EVERPROF_VERSION_MAJOR 0
#define EVERPROF_VERSION_MINOR 1
#define EVERPROF_VERSION_PATCH 0

/* "0.1.0": the version of the library that runs, not of this header. */
const char *everprof_version(void);

/*
 * everprof_config - what a program says of itself.
 *
 * A field left NULL or 0 has its default.  The environment variable beside a
 * field wins over it: whoever starts the program has the last word.
 */
typedef struct everprof_config {
	const char *name;       /* EVERPROF_NAME: service; default the program's base name */
	const char *version;    /* EVERPROF_VERSION; default its build ID */
	/* EVERPROF_SERVER: http[s]://[USER:PASSWORD@]HOST:PORT; default: push nothing */
	const char *server;
	const char *token_file; /* EVERPROF_SERVER_TOKEN_FILE: a token, or USER:PASSWORD */
	const char *tenant;     /* EVERPROF_TENANT */
	const char *labels;     /* EVERPROF_LABELS: static labels, "k=v,k2=v2" */
	const char *types;      /* EVERPROF_TYPES: of "cpu,heap,mutex,block,threads,wall"; default "cpu,heap" */
	const char *out;        /* EVERPROF_OUT: the whole run's profile, written at exit */
	unsigned hz;            /* EVERPROF_HZ: samples a second of CPU time; default 100 */
	/*
	 * Called with one line whenever there is something an operator should
	 * know (a label key past its limit, SIGPROF taken by the program).
	 * From any thread, never from a signal handler; text lives for the call.
	 * EVERPROF_LOG=FILE appends the same lines to a file.  Default: silence.
	 */
	void (*message)(const char *text, void *user);
	void *user;
	size_t heap_bytes; /* EVERPROF_HEAP_BYTES: mean bytes between sampled ones; 524288 */
	size_t block_ns;   /* EVERPROF_BLOCK_NS: waiting between sampled waits; 10000 */
	/* EVERPROF_HTTP: serve /debug/pprof here, see everprof_http_config; "mounted": the
	 * program does, by everprof_http_handle() */
	const char *http;
	const char *http_token_file; /* EVERPROF_TOKEN_FILE */
	const char *server_ca; /* EVERPROF_SERVER_CA: authorities of https, PEM; the system's */
	size_t spool_bytes;    /* EVERPROF_SPOOL_BYTES: what waits on disk, at most; 64 MB */
	const char *duty; /* EVERPROF_DUTY: "10s/60s" samples CPU so long in so long; always */
} everprof_config;

/* Of everprof_start(); size tells an older program's struct from a newer one. */
int everprof_start_sized(const everprof_config *config, size_t size);

/*
 * everprof_start - begin to profile this process.
 *
 * in       config  NULL: everything from the environment.  Copied.
 * errors   -EINVAL  a value that can't be used; the message names it
 *          -EBUSY   the program has a SIGPROF handler of its own: all but the profiles of
 *                   CPU and wall time runs; CPU time is `lost` in the ledger
 *          -EAGAIN  no thread or no timer to be had
 *          -EACCES  `http` is not loopback, and there are no tokens; so -EINVAL of
 *                   `http`: all but /debug/pprof runs then
 *          -ENOMEM
 * returns  0, also when it already runs (under `everprof run`): nothing changes
 *          then.  Without a server and without `out` it returns 0 and sleeps.
 * threads  any thread; not signal-safe
 * cost     about a millisecond, one thread, some memory per running thread; with heap
 *          also the unwind tables of the loaded libraries, some 15 ms for libc
 *
 * A child made by fork() goes on by itself, with a profile of its own.
 */
static inline int everprof_start(const everprof_config *config)
{
	return everprof_start_sized(config, sizeof(everprof_config));
}

/*
 * everprof_stop - push what is left, write EVERPROF_OUT, and end.
 *
 * Waits five seconds at most (thirty with EVERPROF_OUT); what the server did not
 * take goes to the spool.  Called by itself at exit(), quick_exit(), _exit() and return from main.
 * returns  0; a second call does nothing and returns 0.  -EIO when EVERPROF_OUT
 *          could not be written.
 * threads  any thread; not signal-safe
 */
int everprof_stop(void);

/* ---- labels -------------------------------------------------------------- */

/*
 * A set of labels: immutable, shared, and never freed, so a pointer to one is
 * good for the life of the process: keep it in a request, put it in a queue.
 * Equal sets are one pointer.  NULL is the empty set.
 *
 * Bounds: 16 labels a set, keys of 64 bytes, values of 200 (longer ones are cut).
 * Past 256 values a key or 4,096 sets the rare ones become "__other__", counted, with
 * one message that names the key; a new one that is heavy takes the place of the
 * lightest, within some seconds.  Don't label with request ids.
 */
typedef struct everprof_labels everprof_labels;

/* The set in force on this thread.  Any thread; signal-safe. */
const everprof_labels *everprof_labels_current(void);

/*
 * everprof_labels_attach - make a set the thread's own from now on.
 *
 * in       set  NULL takes all labels off
 * out      the set that was in force
 * threads  any thread; signal-safe
 * cost     two nanoseconds with the call
 *
 * In the profile "scopes" a set that was not in force counts as entered, and takes until
 * the next attach.
 *
 * For event loops, thread pools, and after longjmp; elsewhere the scoped
 * EVERPROF_LABELS is safer.
 */
const everprof_labels *everprof_labels_attach(const everprof_labels *set);

/*
 * everprof_labels_derive_n - a set with some labels added or replaced.
 *
 * in       base  NULL: none
 *          n     number of strings that follow: key, value, key, value, …
 *                A pair with a NULL in it is left out.  Copied where new.
 * out      the set; `base` itself when memory is short, counted
 * threads  any thread; not signal-safe
 * cost     about 10 ns a pair and no allocation for a set that was made before
 */
const everprof_labels *everprof_labels_derive_n(const everprof_labels *base, unsigned n, ...);
/* The same from an array of n strings. */
const everprof_labels *everprof_labels_derive_v(const everprof_labels *base, unsigned n,
						const char *const *key_values);

/* everprof_labels_derive(base, "key", value, …): up to 8 pairs of strings; what is no
 * string is an error in C++, and a warning in C. */
#define everprof_labels_derive(base, ...)                                              \
	EVERPROF_DERIVE_((base), EVERPROF_COUNT_(__VA_ARGS__), __VA_ARGS__)

/*
 * EVERPROF_LABELS("key", value, …) { … }
 *
 * Runs the block with these labels added to the thread's set.  The set before is
 * restored however the block is left: its end, return, goto, a C++ exception.
 * `break` and `continue` leave this block only.  longjmp does not restore: attach
 * the right set after it.
 *
 * The profile "scopes" tells how often each set was entered, exactly, and how long that
 * took, scopes within included.
 */
#define EVERPROF_LABELS(...)                                                           \
	EVERPROF_SCOPE_(everprof_labels_derive(everprof_labels_current(), __VA_ARGS__))

/* EVERPROF_WITH(set) { … }: the same with a set made before; replaces, adds nothing. */
#define EVERPROF_WITH(set) EVERPROF_SCOPE_(set)

/*
 * everprof_thread_create - pthread_create() that carries the labels over.
 *
 * The new thread starts with the caller's set; with plain pthread_create it
 * starts with none.  Arguments and result are pthread_create's.
 */
int everprof_thread_create(pthread_t *thread, const pthread_attr_t *attr,
			   void *(*start)(void *), void *arg);

/* ---- custom profiles -------------------------------------------------------- */

/*
 * A profile of things that are open: connections, descriptors, requests in flight,
 * cache entries, jobs.  Add a thing when it begins, remove it when it ends; whatever is
 * still there shows the stack and the labels it was added under.
 *
 *     static everprof_profile *conns;
 *     conns = everprof_profile_new("open_connections");      once
 *     everprof_profile_add(conns, c, 0);
 *     everprof_profile_remove(conns, c);                     on any thread
 *
 * It is at /debug/pprof/open_connections, and is pushed once a minute.  Profiles live as
 * long as the process.  None of the calls is signal-safe; all are for any thread, and
 * bear a NULL profile: what everprof_profile_new() could not make is empty.
 */
typedef struct everprof_profile everprof_profile;

/*
 * everprof_profile_new - a profile of this name.
 *
 * in       name  1 to 64 of letters, digits, '_', '-', '.'; copied
 * out      NULL with errno EEXIST when there is one of this name (of ours too: heap),
 *          EINVAL a bad name, ENOSPC over 128 profiles, ENOMEM
 */
everprof_profile *everprof_profile_new(const char *name);

/*
 * everprof_profile_add - a thing begins here.
 *
 * in       key   a pointer, or any number as one; by this it is known
 *          skip  callers to leave off: 0 for the function that calls this.  What is
 *                inlined is no caller: wrappers to be skipped are noinline
 * errors   -EEXIST  the key is in it already; nothing changes, it is counted
 *          -EINVAL  not a custom profile
 *          -ENOSPC  over 4 million things or 4,096 places; counted as lost
 * cost     a walk of the stack and some 50 ns
 */
int everprof_profile_add(everprof_profile *p, const void *key, unsigned skip);

/* everprof_profile_remove - it ends.  -ENOENT: the key is not in it; counted. */
int everprof_profile_remove(everprof_profile *p, const void *key);

/* Custom or built in ("heap"); NULL when there is none. */
everprof_profile *everprof_profile_lookup(const char *name);
/* Fills at most max; returns how many there are. */
size_t everprof_profile_list(everprof_profile **ret, size_t max);
const char *everprof_profile_name(const everprof_profile *p);
/* Things that are in it now. */
size_t everprof_profile_count(const everprof_profile *p);

/*
 * everprof_profile_write - write it as it is now.
 *
 * in       fd     where; written to its end, blocking
 *          debug  0: gzipped pprof, with function names; 1: text for people
 * errors   -EIO, -ENOMEM, -EINVAL (cpu has no snapshot)
 */
int everprof_profile_write(everprof_profile *p, int fd, int debug);

/* ---- tasks -------------------------------------------------------------------------- */

/*
 * A task is something the program works on: a request, a job, a download.  It may wait,
 * and go from thread to thread; what is open is at /debug/pprof/tasks, and is pushed once
 * a minute: where it began, under which labels, and how long ago.
 *
 *     everprof_task *t = everprof_task_begin("PlaceOrder");
 *     ...
 *     everprof_task_end(t);                                  on any thread
 */
typedef struct everprof_task everprof_task; /* its number; there is nothing behind it */

/*
 * everprof_task_begin - a task begins here.
 *
 * in       type  what kind of task: the label "task".  Bounded as all labels are.
 * out      NULL with 4 million open; counted.  A NULL task may be ended and attached.
 * threads  any thread; not signal-safe
 * cost     a walk of the stack and some 50 ns
 */
everprof_task *everprof_task_begin(const char *type);

/* everprof_task_end - it ends.  -ENOENT: it is not open; most likely it was ended before.
 * Nothing happens then but one message.  Any thread; not signal-safe. */
int everprof_task_end(everprof_task *task);

/*
 * everprof_task_attach - this thread works on the task from now on.
 *
 * in       task  NULL: on none
 * out      the one before
 *
 * Tasks that begin meanwhile carry its type as their label "parent_task".
 */
everprof_task *everprof_task_attach(everprof_task *task);

/* ---- CPU profiles on demand ---------------------------------------------------- */

/*
 * everprof_cpu_start - a CPU profile from here to everprof_cpu_stop(), beside the
 * continuous one, which loses nothing by it.
 *
 * in       fd  the profile is written here at the end; stays open
 * errors   -EBUSY   one is running already, or the program has a SIGPROF handler
 *          -EAGAIN  no timer or no thread to be had; -ENOMEM
 */
int everprof_cpu_start(int fd);
/* -EINVAL: none runs; -EIO: it could not be written.  Blocks until it is. */
int everprof_cpu_stop(void);

/* ---- /debug/pprof ------------------------------------------------------------------ */

/*
 * The profiles over HTTP, as `go tool pprof` and `everprof pprof` fetch them:
 * /debug/pprof/ is a list, /debug/pprof/profile?seconds=N the CPU, /debug/pprof/NAME any
 * other.  docs/debug-pprof.md has the table of answers.
 *
 * Safe by default: on loopback or a Unix socket only, unless tokens are asked for; one
 * capture at a time (others get 429 at once); captures end after 60 seconds at most; no
 * command line, no environment; slow and hostile clients hold a small buffer and are cut
 * off in time.
 */
typedef struct everprof_http_config {
	/* "127.0.0.1:6060", "[::1]:6060", ":6060" (loopback), port 0 for any free one,
	 * "unix:/PATH" */
	const char *listen;
	/* Tokens, a line each, of at least 22 characters; all are good at once, and the file
	 * is read again when it changes.  NULL: none is asked for, and only this machine may
	 * ask. */
	const char *token_file;
	unsigned max_profile_seconds; /* 0: 60; of differences too */
	unsigned max_trace_seconds;   /* 0: 10 */
	int show_cmdline;	      /* 1: /debug/pprof/cmdline answers */
} everprof_http_config;

/*
 * everprof_http_start - a listener of its own, on a thread of its own.
 *
 * Nothing else is needed for it; with everprof_start(), before or after, its `types` are
 * there.
 *
 * errors   -EACCES  not loopback, and no tokens
 *          -EEXIST  one runs already
 *          -EINVAL  an address or a token file that can't be used; the message says why
 *          -EADDRINUSE, -EAGAIN, -ENOMEM
 */
static inline int everprof_http_start(const everprof_http_config *config);
int everprof_http_start_sized(const everprof_http_config *config, size_t size);
/* Waits for its thread.  Captures that run are cut off. */
void everprof_http_stop(void);
/* "127.0.0.1:41233" while it runs, else NULL. */
const char *everprof_http_address(void);

static inline int everprof_http_start(const everprof_http_config *config)
{
	return everprof_http_start_sized(config, sizeof(everprof_http_config));
}

/* A request that came in through the program's own server.  Strings may be NULL but for
 * method and path. */
typedef struct everprof_http_request {
	const char *method; /* "GET" */
	const char *path;   /* "/debug/pprof/heap", or what is behind the mount: "/heap" */
	const char *query;  /* "seconds=5" */
	const char *authorization, *accept; /* these headers */
	const char *peer;   /* numeric address of the client; NULL: unknown, a token is needed */
	const void *body;
	size_t n_body;
} everprof_http_request;

typedef struct everprof_http_writer {
	void *ctx;
	/* Once, first: headers are names and values in turn, NULL at the end.  A negative
	 * result ends the answer. */
	int (*head)(void *ctx, int status, const char *const *headers, size_t n_body);
	/* The body, in one or more pieces.  For HEAD too: leave it off. */
	int (*write)(void *ctx, const void *p, size_t n);
	/* Not 0 when the client has gone: a capture ends then.  May be NULL. */
	int (*gone)(void *ctx);
} everprof_http_writer;

/*
 * everprof_http_handle - answer a request on the calling thread.
 *
 * A capture blocks for its seconds.  Tokens are those of everprof_http_start() or of
 * EVERPROF_TOKEN_FILE; without them only a peer on loopback is answered.
 * returns  0, or what the writer returned; -EPIPE when the client had gone
 * threads  any; not signal-safe
 */
int everprof_http_handle(const everprof_http_request *request,
			 const everprof_http_writer *writer);

/* ---- what the macros are made of ------------------------------------------- */

/* A scope that was entered.  In two registers: what lies in memory is waited for when the
 * scope is short. */
typedef struct everprof_entered_ {
	const everprof_labels *before;
	unsigned long long since; /* of its time; 0: it is not timed */
} everprof_entered_;

everprof_entered_ everprof_scope_enter_(const everprof_labels *set);
void everprof_scope_leave_(const everprof_labels *before, unsigned long long since,
			   const everprof_labels *set);

typedef struct everprof_block_ {
	everprof_entered_ entered;
	const everprof_labels *set;
	int open, once;
} everprof_block_;

static inline everprof_block_ *everprof_block_begin_(everprof_block_ *b,
						     const everprof_labels *set)
{
	b->set = set;
	b->entered = everprof_scope_enter_(set);
	b->open = b->once = 1;
	return b;
}

static inline void everprof_block_end_(everprof_block_ *b)
{
	if (b->open) /* else an exception left what was to be the set */
		everprof_scope_leave_(b->entered.before, b->entered.since, b->set);
}

/* The same by a function each, for other languages. */
typedef struct everprof_scope_ {
	const everprof_labels *before;
	int open, once;
	unsigned long long since;
	unsigned set, weight;
} everprof_scope_;

void everprof_scope_begin_(everprof_scope_ *s, const everprof_labels *set);
void everprof_scope_end_(everprof_scope_ *s);

/* A variable name of its own for each use, so that blocks nest without a warning. */
#define EVERPROF_SCOPE_(set) EVERPROF_SCOPE_2_(set, __COUNTER__)
#define EVERPROF_SCOPE_2_(set, n) EVERPROF_SCOPE_3_(set, n)
#define EVERPROF_SCOPE_3_(set, n)                                                      \
	EVERPROF_SCOPE_4_(set, everprof_scope_##n##_, everprof_scope_##n##_p_)
#define EVERPROF_SCOPE_4_(set, here, there)                                            \
	for (everprof_block_ here __attribute__((cleanup(everprof_block_end_))) =      \
		     EVERPROF_EMPTY_,                                                  \
			  *there __attribute__((unused)) =                             \
				  everprof_block_begin_(&here, (set));                 \
	     here.once; here.once = 0)

/* C++ calls no 0 a null pointer under -Wzero-as-null-pointer-constant; C has no {}. */
#ifdef __cplusplus
#define EVERPROF_EMPTY_ {}
#else
#define EVERPROF_EMPTY_ {{0, 0}, 0, 0, 0}
#endif

/* A call that is the last thing its caller does would be a jump (-O2), and the caller's frame
 * gone before we see it: something is to be done after it. */
static inline __attribute__((always_inline)) int everprof_stay_(int rc)
{
	__asm__ volatile("" : "+r"(rc));
	return rc;
}

static inline __attribute__((always_inline)) everprof_task *everprof_stay_task_(everprof_task *task)
{
	__asm__ volatile("" : "+r"(task));
	return task;
}

#define everprof_profile_add(p, key, skip)                                             \
	everprof_stay_(everprof_profile_add((p), (key), (skip)))
#define everprof_task_begin(type) everprof_stay_task_(everprof_task_begin(type))

/* The number of arguments; an odd one, or one over 16, is a compile error that says why. */
#define EVERPROF_ODD_ everprof_labels_come_in_pairs_of_key_and_value
#define EVERPROF_MANY_ everprof_labels_takes_8_pairs_at_most
#define EVERPROF_COUNT_(...)                                                           \
	EVERPROF_PICK_(__VA_ARGS__, EVERPROF_MANY_, EVERPROF_MANY_, EVERPROF_MANY_,    \
		       EVERPROF_MANY_, EVERPROF_MANY_, EVERPROF_MANY_, EVERPROF_MANY_, \
		       EVERPROF_MANY_, 16, EVERPROF_ODD_, 14, EVERPROF_ODD_, 12,       \
		       EVERPROF_ODD_, 10, EVERPROF_ODD_, 8, EVERPROF_ODD_, 6,          \
		       EVERPROF_ODD_, 4, EVERPROF_ODD_, 2, EVERPROF_ODD_, 0)
#define EVERPROF_PICK_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u,  \
		       v, w, x, count, ...)                                            \
	count

/* Through an array of strings: varargs would take a number for one, and crash on it. */
#if !defined(__cplusplus)
#define EVERPROF_DERIVE_(base, n, ...)                                                 \
	everprof_labels_derive_v(base, n, (const char *const[]){__VA_ARGS__})
#elif __cplusplus >= 201103L
static inline const everprof_labels *
everprof_labels_derive_list_(const everprof_labels *base, unsigned n,
			     std::initializer_list<const char *> key_values)
{
	return everprof_labels_derive_v(base, n, key_values.begin());
}
#define EVERPROF_DERIVE_(base, n, ...)                                                 \
	everprof_labels_derive_list_(base, n, {__VA_ARGS__})
#else
#define EVERPROF_DERIVE_(base, n, ...) everprof_labels_derive_n(base, n, __VA_ARGS__)
#endif

#ifdef __cplusplus
}
#endif

#endif
