/* ledger.c - see ledger.h. */
#include "profile/ledger.h"

#include <inttypes.h>
#include <stdio.h>

static const char prefix[] = "#everprof ledger ";

void ep_ledger_format(const struct ep_ledger *l, char ret_text[EP_LEDGER_TEXT_MAX])
{
	int n = snprintf(ret_text, EP_LEDGER_TEXT_MAX,
			 "%sasked=%" PRIu64 " taken=%" PRIu64 " lost=%" PRIu64
			 " truncated=%" PRIu64,
			 prefix, l->asked, l->taken, l->lost, l->truncated);
	if (l->folded)
		n += snprintf(ret_text + n, EP_LEDGER_TEXT_MAX - (size_t)n,
			      " folded=%" PRIu64, l->folded);
	if (l->misused)
		n += snprintf(ret_text + n, EP_LEDGER_TEXT_MAX - (size_t)n,
			      " misused=%" PRIu64, l->misused);
	if (l->covered_ns)
		snprintf(ret_text + n, EP_LEDGER_TEXT_MAX - (size_t)n, " covered_ns=%" PRIu64,
			 l->covered_ns);
}

static bool parse_number(struct ep_slice s, uint64_t *ret)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

static bool take_word(struct ep_slice word, struct ep_ledger *l)
{
	struct {
		const char *key;
		uint64_t *to;
	} fields[] = {{"asked", &l->asked},
		      {"taken", &l->taken},
		      {"lost", &l->lost},
		      {"truncated", &l->truncated},
		      {"folded", &l->folded},
		      {"misused", &l->misused},
		      {"covered_ns", &l->covered_ns}};
	const char *eq = memchr(word.p, '=', word.n);
	if (!eq)
		return false;
	struct ep_slice key = {word.p, (size_t)(eq - word.p)};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (ep_slice_is(key, fields[i].key))
			return parse_number((struct ep_slice){eq + 1, word.n - key.n - 1},
					    fields[i].to);
	return true;
}

bool ep_ledger_parse(struct ep_slice comment, struct ep_ledger *ret)
{
	size_t n = sizeof(prefix) - 1;
	if (comment.n < n || memcmp(comment.p, prefix, n) != 0)
		return false;
	struct ep_ledger l = {0};
	while (n < comment.n) {
		const char *p = comment.p + n;
		const char *end = memchr(p, ' ', comment.n - n);
		size_t k = end ? (size_t)(end - p) : comment.n - n;
		if (k && !take_word((struct ep_slice){p, k}, &l))
			return false;
		n += k + 1;
	}
	*ret = l;
	return true;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void ep_ledger_add(struct ep_ledger *to, const struct ep_ledger *l)
{
	to->asked = add(to->asked, l->asked);
	to->taken = add(to->taken, l->taken);
	to->lost = add(to->lost, l->lost);
	to->truncated = add(to->truncated, l->truncated);
	to->folded = add(to->folded, l->folded);
	to->misused = add(to->misused, l->misused);
	to->covered_ns = add(to->covered_ns, l->covered_ns);
}

bool ep_ledger_of_profile(const struct ep_profile *p, struct ep_ledger *ret)
{
	struct ep_ledger sum = {0}, l;
	bool any = false;
	for (uint32_t i = 0; i < p->n_comments; i++) {
		if (!ep_ledger_parse(ep_profile_str(p, p->comments[i]), &l))
			continue;
		any = true;
		ep_ledger_add(&sum, &l);
	}
	if (any)
		*ret = sum;
	return any;
}
