/* meter.c - see meter.h. */
#include "tenant/meter.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tenant/tenant.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_SLOTS = 256, MAX_SLOTS = 1 << 22, MAX_NAMES = 256 };
#define SEEN_NS (3600 * EP_NS_PER_S)
#define DAY_NS (86400 * EP_NS_PER_S)

/* Hashes seen in this period and in the one before; 0 is no hash. */
struct seen {
	uint64_t *now, *before;
	uint32_t n_slots, n_slots_before;
	uint32_t n, n_before; /* n_before: of those not in `now` */
	uint64_t turned_ns;
};

struct values {
	uint64_t name; /* hash of the label's name */
	struct seen seen;
};

struct ep_meter {
	pthread_mutex_t lock;
	double level; /* bytes that may still come; below 0: a debt */
	uint64_t level_ns;
	bool is_filled;
	uint64_t day, bytes_today, bytes, refused;
	struct seen series;
	struct values *values;
	unsigned n_values;
};

struct ep_meter *ep_meter_new(void)
{
	struct ep_meter *m = ep_zalloc(sizeof(*m));
	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

static void free_seen(struct seen *s)
{
	ep_free(s->now);
	ep_free(s->before);
}

void ep_meter_free(struct ep_meter *m)
{
	if (!m)
		return;
	free_seen(&m->series);
	for (unsigned i = 0; i < m->n_values; i++)
		free_seen(&m->values[i].seen);
	ep_free(m->values);
	pthread_mutex_destroy(&m->lock);
	ep_free(m);
}

void ep_meter_advice(const struct ep_tenant *t, const char *limit, char *ret_text, unsigned n)
{
	(void)snprintf(ret_text, n, "raise it with tenants: %.64s: %s: (or limits: %s:) in --config",
		       t->name, limit, limit);
}

/* --- bytes ------------------------------------------------------------------------------ */

static double burst_of(const struct ep_limits *l)
{
	return l->burst ? (double)l->burst : 10 * (double)l->rate;
}

/* Bring the level and the day up to now. */
static void catch_up(struct ep_meter *m, const struct ep_limits *l, uint64_t now_ns,
		     uint64_t wall_ns)
{
	double burst = burst_of(l);
	if (!m->is_filled)
		m->level = burst;
	else if (now_ns > m->level_ns)
		m->level += (double)(now_ns - m->level_ns) / (double)EP_NS_PER_S * (double)l->rate;
	if (m->level > burst)
		m->level = burst;
	m->is_filled = true;
	if (!m->level_ns || now_ns > m->level_ns)
		m->level_ns = now_ns;
	if (wall_ns / DAY_NS != m->day) {
		m->day = wall_ns / DAY_NS;
		m->bytes_today = 0;
	}
}

static int admit(struct ep_tenant *t, uint64_t wall_ns, uint64_t *ret_retry_s, struct ep_err *err)
{
	struct ep_meter *m = t->meter;
	const struct ep_limits *l = &t->limits;
	char advice[160];
	if (l->rate && m->level <= 0) {
		double wait = -m->level / (double)l->rate;
		*ret_retry_s = (uint64_t)wait + 1;
		ep_meter_advice(t, "rate", advice, sizeof(advice));
		return ep_fail(err, -EAGAIN, 0,
			       "rate: %.0f bytes over what %llu bytes/s allow; try again in %llu s, or %s",
			       -m->level, (unsigned long long)l->rate,
			       (unsigned long long)*ret_retry_s, advice);
	}
	if (l->daily && m->bytes_today >= l->daily) {
		*ret_retry_s = (DAY_NS - wall_ns % DAY_NS) / EP_NS_PER_S + 1;
		ep_meter_advice(t, "daily", advice, sizeof(advice));
		return ep_fail(err, -EAGAIN, 0,
			       "daily: %llu bytes today, the limit is %llu; it begins anew at 00:00 UTC; "
			       "%s",
			       (unsigned long long)m->bytes_today, (unsigned long long)l->daily,
			       advice);
	}
	return 0;
}

int ep_meter_admit(struct ep_tenant *t, uint64_t now_ns, uint64_t wall_ns, uint64_t *ret_retry_s,
		   struct ep_err *err)
{
	struct ep_meter *m = t->meter;
	pthread_mutex_lock(&m->lock);
	catch_up(m, &t->limits, now_ns, wall_ns);
	int rc = admit(t, wall_ns, ret_retry_s, err);
	m->refused += rc < 0;
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void ep_meter_charge(struct ep_tenant *t, uint64_t n_bytes, uint64_t now_ns, uint64_t wall_ns)
{
	struct ep_meter *m = t->meter;
	pthread_mutex_lock(&m->lock);
	catch_up(m, &t->limits, now_ns, wall_ns);
	m->level -= (double)n_bytes;
	m->bytes += n_bytes;
	m->bytes_today += n_bytes;
	pthread_mutex_unlock(&m->lock);
}

/* --- series and label values --------------------------------------------------------------- */

static bool holds(const uint64_t *slots, uint32_t n_slots, uint64_t hash)
{
	for (uint32_t i = 0; slots && i < n_slots; i++) {
		uint64_t h = slots[(hash + i) & (n_slots - 1)];
		if (h == hash)
			return true;
		if (!h)
			return false;
	}
	return false;
}

static void put(uint64_t *slots, uint32_t n_slots, uint64_t hash)
{
	uint64_t i = hash;
	while (slots[i & (n_slots - 1)])
		i++;
	slots[i & (n_slots - 1)] = hash;
}

static int grow(struct seen *s)
{
	uint32_t n = s->n_slots ? s->n_slots * 2 : FIRST_SLOTS;
	uint64_t *fresh = n > MAX_SLOTS ? NULL : ep_zalloc(n * sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_slots; i++)
		if (s->now[i])
			put(fresh, n, s->now[i]);
	ep_free(s->now);
	s->now = fresh;
	s->n_slots = n;
	return 0;
}

static void turn(struct seen *s, uint64_t now_ns)
{
	if (s->turned_ns && now_ns - s->turned_ns < SEEN_NS)
		return;
	bool long_ago = now_ns - s->turned_ns >= 2 * SEEN_NS;
	ep_free(s->before);
	s->before = s->now;
	s->n_slots_before = s->n_slots;
	s->n_before = s->n;
	s->now = NULL;
	s->n_slots = s->n = 0;
	if (long_ago) {
		ep_free(s->before);
		s->before = NULL;
		s->n_slots_before = s->n_before = 0;
	}
	s->turned_ns = now_ns;
}

/* 0, -E2BIG over the limit, -ENOMEM. */
static int see(struct seen *s, uint64_t hash, int64_t limit, uint64_t now_ns)
{
	hash |= !hash;
	turn(s, now_ns);
	if (holds(s->now, s->n_slots, hash))
		return 0;
	bool known = holds(s->before, s->n_slots_before, hash);
	if (!known && limit && s->n + s->n_before >= limit)
		return -E2BIG;
	if (s->n * 2 >= s->n_slots && grow(s) < 0)
		return -ENOMEM;
	put(s->now, s->n_slots, hash);
	s->n++;
	s->n_before -= known;
	return 0;
}

static struct values *values_of(struct ep_meter *m, uint64_t name)
{
	for (unsigned i = 0; i < m->n_values; i++)
		if (m->values[i].name == name)
			return &m->values[i];
	struct values *grown = m->n_values == MAX_NAMES
				       ? NULL
				       : ep_realloc(m->values, (m->n_values + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	m->values = grown;
	grown[m->n_values] = (struct values){.name = name};
	return &grown[m->n_values++];
}

static int check_sizes(const struct ep_tenant *t, const struct ep_meter_label *v, unsigned n,
		       struct ep_err *err)
{
	const struct ep_limits *l = &t->limits;
	char advice[160];
	if (l->label_names && n > l->label_names) {
		ep_meter_advice(t, "label-names", advice, sizeof(advice));
		return ep_fail(err, -EINVAL, 0,
			       "max_label_names_per_series (label-names): %u labels, the limit is "
			       "%lld; %s",
			       n, (long long)l->label_names, advice);
	}
	for (unsigned i = 0; i < n; i++) {
		int shown = v[i].name.n > 40 ? 40 : (int)v[i].name.n;
		if (l->label_name_size && v[i].name.n > l->label_name_size) {
			ep_meter_advice(t, "label-name-size", advice, sizeof(advice));
			return ep_fail(err, -EINVAL, 0,
				       "label_name_too_long (label-name-size): %zu bytes, the limit is "
				       "%llu; %s",
				       v[i].name.n, (unsigned long long)l->label_name_size, advice);
		}
		if (l->label_value_size && v[i].value.n > l->label_value_size) {
			ep_meter_advice(t, "label-value-size", advice, sizeof(advice));
			return ep_fail(err, -EINVAL, 0,
				       "label_value_too_long (label-value-size): %.*s has %zu bytes, the "
				       "limit is %llu; %s",
				       shown, v[i].name.p, v[i].value.n,
				       (unsigned long long)l->label_value_size, advice);
		}
	}
	return 0;
}

static int check_values(struct ep_tenant *t, const struct ep_meter_label *v, unsigned n,
			uint64_t now_ns, struct ep_err *err)
{
	char advice[160];
	for (unsigned i = 0; t->limits.label_values && i < n; i++) {
		struct values *of = values_of(t->meter, ep_hash64(v[i].name.p, v[i].name.n));
		int rc = of ? see(&of->seen, ep_hash64(v[i].value.p, v[i].value.n),
				  t->limits.label_values, now_ns)
			    : -E2BIG;
		if (rc == -ENOMEM)
			return ep_fail(err, rc, 0, "no memory to count label values");
		if (rc == 0)
			continue;
		int shown = v[i].name.n > 40 ? 40 : (int)v[i].name.n;
		ep_meter_advice(t, "label-values", advice, sizeof(advice));
		return ep_fail(err, -EAGAIN, 0,
			       "label-values: %.*s has %u values within the hour, the limit is %lld; %s",
			       shown, v[i].name.p, of ? of->seen.n + of->seen.n_before : 0,
			       (long long)t->limits.label_values, advice);
	}
	return 0;
}

int ep_meter_labels(struct ep_tenant *t, const struct ep_meter_label *labels, unsigned n,
		    uint64_t hash, uint64_t now_ns, struct ep_err *err)
{
	struct ep_meter *m = t->meter;
	char advice[160];
	EP_TRY(check_sizes(t, labels, n, err));
	pthread_mutex_lock(&m->lock);
	int rc = check_values(t, labels, n, now_ns, err);
	if (rc == 0 && t->limits.series) {
		rc = see(&m->series, hash, t->limits.series, now_ns);
		ep_meter_advice(t, "series", advice, sizeof(advice));
		if (rc == -E2BIG)
			rc = ep_fail(err, -EAGAIN, 0,
				     "series: %u label sets within the hour, the limit is %lld; %s",
				     m->series.n + m->series.n_before, (long long)t->limits.series,
				     advice);
		else if (rc < 0)
			rc = ep_fail(err, rc, 0, "no memory to count series");
	}
	m->refused += rc < 0;
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void ep_meter_get_stats(struct ep_tenant *t, struct ep_meter_stats *ret_stats)
{
	struct ep_meter *m = t->meter;
	pthread_mutex_lock(&m->lock);
	*ret_stats = (struct ep_meter_stats){m->bytes, m->bytes_today, m->refused,
					     m->series.n + m->series.n_before};
	pthread_mutex_unlock(&m->lock);
}
