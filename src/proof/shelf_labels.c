/* shelf_labels.c - labels and threads of a merged CPU profile; see shelf.h. */
#include "proof/shelf.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_PERCENT = 2 }; /* of the weight: a thread worth asking about */

/* What the profiler puts there itself. */
static const char *const not_own[] = {"pid",   "tid",	"comm",	 "age",	    "state",
				      "wait",  "stack", "thread", "thread_id", "thread_name",
				      "span_id", "trace_id", "profile_id", "service_name"};

static bool is_own(struct ep_slice key)
{
	for (size_t i = 0; i < sizeof(not_own) / sizeof(not_own[0]); i++)
		if (ep_slice_is(key, not_own[i]))
			return false;
	return true;
}

/* ---- values of each key --------------------------------------------------------------------- */

struct pair {
	struct ep_slice key, value;
	int64_t weight;
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = ep_slice_cmp(x->key, y->key);
	return c ? c : ep_slice_cmp(x->value, y->value);
}

struct key {
	struct ep_slice name;
	unsigned n_values;
	int64_t other;
};

static void add_name(struct ep_shelf_labels *l, const struct key *k)
{
	size_t at = strlen(l->names);
	snprintf(l->names + at, sizeof(l->names) - at, "%s%.*s (%u value%s)", at ? ", " : "",
		 EP_SLICE_ARG(k->name), k->n_values, k->n_values == 1 ? "" : "s");
}

static void end_key(struct ep_shelf_labels *l, const struct key *k)
{
	if (!k->n_values)
		return;
	add_name(l, k);
	if (k->other > l->other || (k->other == l->other && k->n_values > l->n_values)) {
		snprintf(l->widest, sizeof(l->widest), "%.*s", EP_SLICE_ARG(k->name));
		l->n_values = k->n_values;
		l->other = k->other;
	}
}

static void fold_pairs(struct pair *v, size_t n, struct ep_shelf_labels *l)
{
	struct key k = {.n_values = 0};
	qsort(v, n, sizeof(v[0]), by_pair);
	for (size_t i = 0; i < n; i++) {
		bool same_key = i && ep_slice_eq(v[i].key, v[i - 1].key);
		if (!same_key) {
			end_key(l, &k);
			k = (struct key){.name = v[i].key};
		}
		if (!same_key || !ep_slice_eq(v[i].value, v[i - 1].value))
			k.n_values++;
		if (ep_slice_is(v[i].value, "__other__"))
			k.other += v[i].weight;
	}
	end_key(l, &k);
}

/* ---- threads ---------------------------------------------------------------------------------- */

struct use {
	struct ep_slice pid, tid, comm;
	int64_t weight, labelled;
};

static int by_thread(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int c = ep_slice_cmp(x->pid, y->pid);
	return c ? c : ep_slice_cmp(x->tid, y->tid);
}

static void end_thread(struct ep_shelf_labels *l, const struct use *u)
{
	if (!u->tid.n || u->weight * 100 < l->weight * BUSY_PERCENT)
		return;
	l->n_threads++;
	if (u->labelled * 2 >= u->weight)
		return;
	l->n_without++;
	if (u->weight <= l->without_weight)
		return;
	l->without_weight = u->weight;
	snprintf(l->without, sizeof(l->without), "%.*s", EP_SLICE_ARG(u->comm.n ? u->comm : u->tid));
}

static void add_pid(struct ep_shelf_labels *l, struct ep_slice pid)
{
	char text[24];
	snprintf(text, sizeof(text), "%.*s", EP_SLICE_ARG(pid));
	int64_t n = atoll(text);
	if (n > 0 && l->n_pids < EP_SHELF_PIDS)
		l->pids[l->n_pids++] = n;
}

static void fold_threads(struct use *v, size_t n, struct ep_shelf_labels *l)
{
	struct use u = {.weight = 0};
	qsort(v, n, sizeof(v[0]), by_thread);
	for (size_t i = 0; i < n; i++) {
		if (!i || !ep_slice_eq(v[i].pid, v[i - 1].pid))
			add_pid(l, v[i].pid);
		if (i && by_thread(&v[i], &v[i - 1]) == 0) {
			u.weight += v[i].weight;
			u.labelled += v[i].labelled;
			continue;
		}
		end_thread(l, &u);
		u = v[i];
	}
	end_thread(l, &u);
}

/* ---- both ------------------------------------------------------------------------------------- */

/* One sample into a row of threads and rows of pairs; how many pairs. */
static size_t read_sample(const struct ep_profile *p, uint32_t i, struct use *u, struct pair *v)
{
	size_t n = 0;
	const struct ep_sample *s = &p->samples[i];
	*u = (struct use){.weight = ep_profile_values(p, i)[ep_profile_default_column(p)]};
	for (uint32_t j = 0; j < s->n_labels; j++) {
		const struct ep_label *l = &p->labels[s->first_label + j];
		struct ep_slice key = ep_profile_str(p, l->key), value = ep_profile_str(p, l->str);
		if (!l->str)
			continue;
		if (ep_slice_is(key, "pid"))
			u->pid = value;
		else if (ep_slice_is(key, "tid"))
			u->tid = value;
		else if (ep_slice_is(key, "comm"))
			u->comm = value;
		else if (is_own(key))
			v[n++] = (struct pair){key, value, u->weight};
	}
	u->labelled = n ? u->weight : 0;
	return n;
}

int ep_shelf_read_labels(const struct ep_profile *p, struct ep_shelf_labels *ret)
{
	size_t n_labels = 0, n = 0;
	for (uint32_t i = 0; i < p->n_samples; i++)
		n_labels += p->samples[i].n_labels;
	ep_auto_mem struct use *uses = ep_alloc((p->n_samples + 1) * sizeof(*uses));
	ep_auto_mem struct pair *pairs = ep_alloc((n_labels + 1) * sizeof(*pairs));
	if (!uses || !pairs)
		return -ENOMEM;
	*ret = (struct ep_shelf_labels){.n_samples = p->n_samples};
	for (uint32_t i = 0; i < p->n_samples; i++) {
		n += read_sample(p, i, &uses[i], pairs + n);
		ret->weight += uses[i].weight;
		ret->labelled += uses[i].labelled;
	}
	fold_threads(uses, p->n_samples, ret);
	fold_pairs(pairs, n, ret);
	return 0;
}
