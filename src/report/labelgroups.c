/* labelgroups.c - see labelgroups.h. */
#include "report/labelgroups.h"

#include "base/sort.h"

static int make_room(struct ep_labelgroups *l, uint32_t n)
{
	if (n <= l->cap)
		return 0;
	ep_labelgroups_fini(l);
	*l = (struct ep_labelgroups){.sorted = ep_alloc(n * sizeof(*l->sorted)),
				.groups = ep_alloc(n * sizeof(*l->groups)),
				.cap = n};
	if (l->sorted && l->groups)
		return 0;
	ep_labelgroups_fini(l);
	return -ENOMEM;
}

void ep_labelgroups_fini(struct ep_labelgroups *l)
{
	ep_free(l->sorted);
	ep_free(l->groups);
	*l = (struct ep_labelgroups){0};
}

struct order {
	const struct ep_keys *keys;
	const struct ep_label *labels; /* of the sample */
};

static uint32_t number_of(const struct order *o, uint32_t i)
{
	return ep_keys_number(o->keys, o->labels[i].key);
}

/* Indexes of labels: a tie keeps the order of the sample. */
static bool before(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	bool x_number = !o->labels[x].str, y_number = !o->labels[y].str;
	if (x_number != y_number)
		return y_number;
	uint32_t k = number_of(o, x), m = number_of(o, y);
	return k != m ? k < m : x < y;
}

/* Few labels, mostly in order already. */
static void sort(struct order *o, uint32_t *index, uint32_t n)
{
	enum { FEW = 16 };
	if (n > FEW) {
		ep_sort(index, n, sizeof(*index), before, o);
		return;
	}
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k && before(&index[k], &index[k - 1], o); k--) {
			uint32_t swap = index[k];
			index[k] = index[k - 1];
			index[k - 1] = swap;
		}
}

static void group(const struct ep_report *r, struct ep_labelgroups *l, uint32_t n)
{
	l->n_groups = l->n_strings = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t key = ep_keys_number(&r->keys, l->sorted[i].key);
		struct ep_labelgroup *last = l->n_groups ? &l->groups[l->n_groups - 1] : NULL;
		if (last && last->key == key && !last->values->str == !l->sorted[i].str) {
			last->n++;
			continue;
		}
		l->groups[l->n_groups++] = (struct ep_labelgroup){key, &l->sorted[i], 1};
		l->n_strings += l->sorted[i].str != 0;
	}
}

int ep_labelgroups_of(const struct ep_report *r, const struct ep_sample *s, struct ep_labelgroups *l)
{
	EP_TRY(make_room(l, s->n_labels));
	struct order o = {&r->keys, r->p->labels + s->first_label};
	/* The indexes lie where the groups come to lie: those are larger. */
	uint32_t *index = (uint32_t *)(void *)l->groups;
	for (uint32_t i = 0; i < s->n_labels; i++)
		index[i] = i;
	sort(&o, index, s->n_labels);
	for (uint32_t i = 0; i < s->n_labels; i++)
		l->sorted[i] = o.labels[index[i]];
	group(r, l, s->n_labels);
	return 0;
}
