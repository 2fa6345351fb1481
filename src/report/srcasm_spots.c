/* srcasm_spots.c - the samples of weblist, by address.  See srcasm_in.h. */
#include "report/srcasm_in.h"

#include "report/asm.h"
#include "report/callgraph.h"
#include "report/wrap.h"

#include "base/mem.h"
#include "base/sort.h"

/* --- the pass --------------------------------------------------------------------- */

/* What the pass knows of a location. */
struct place {
	uint32_t spot;
	uint64_t last; /* when it was met last; 0: never */
};

struct pass {
	const struct ep_report *r;
	const struct ep_profile *p;
	struct ep_srcasm_spots *to;
	struct ep_err *err;
	struct place *places;
	int8_t *functions; /* does it match?  -1: not asked yet */
	int8_t *mappings;
	bool by_address; /* the argument is one as well */
	uint64_t address;
	uint64_t next_made_up;
	uint64_t clock;
};

static int no_memory(struct pass *pass)
{
	return ep_fail(pass->err, -ENOMEM, 0, "out of memory");
}

static int is_match(struct pass *pass, ep_str s)
{
	return ep_regex_match(pass->r->argument, pass->p->strings[s], pass->err);
}

static int function_matches(struct pass *pass, uint32_t function)
{
	const struct ep_function *f = &pass->p->functions[function];
	int8_t *known = &pass->functions[function];
	if (*known >= 0)
		return *known;
	int rc = is_match(pass, f->name);
	if (rc == 0)
		rc = is_match(pass, f->system_name);
	if (rc == 0)
		rc = is_match(pass, f->filename);
	EP_TRY(rc);
	return *known = rc > 0;
}

static int mapping_matches(struct pass *pass, uint32_t mapping)
{
	if (mapping == EP_NONE)
		return 0;
	if (pass->mappings[mapping] < 0) {
		int rc = is_match(pass, pass->p->mappings[mapping].filename);
		EP_TRY(rc);
		pass->mappings[mapping] = rc > 0;
	}
	return pass->mappings[mapping];
}

static int mark(struct pass *pass, uint32_t location, const struct ep_line *line)
{
	const struct ep_function *f = &pass->p->functions[line->function];
	struct ep_srcasm_spot *spot = &pass->to->at[pass->places[location].spot];
	struct ep_slice none = {0};
	if (spot->location == EP_NONE)
		spot->location = location;
	if (ep_namemap_put(&pass->to->interest, pass->p->strings[f->name], none) < 0 ||
	    ep_namemap_put(&pass->to->interest, pass->p->strings[f->system_name],
			   none) < 0)
		return no_memory(pass);
	return 0;
}

/* A location met for the first time: is there a match in it? */
static int look_at(struct pass *pass, uint32_t location)
{
	const struct ep_location *l = &pass->p->locations[location];
	const struct ep_line *lines = &pass->p->lines[l->first_line];
	struct ep_srcasm_spot *spot = &pass->to->at[pass->places[location].spot];
	if (l->address == 0)
		spot->address = pass->next_made_up++;
	if (pass->by_address && spot->address == pass->address)
		return l->n_lines ? mark(pass, location, &lines[l->n_lines - 1]) : 0;
	int file = mapping_matches(pass, l->mapping);
	EP_TRY(file);
	for (uint32_t i = 0; i < l->n_lines; i++) {
		int rc = i == 0 && file ? 1 : function_matches(pass, lines[i].function);
		EP_TRY(rc);
		if (rc)
			EP_TRY(mark(pass, location, &lines[i]));
	}
	return 0;
}

static int add_sample(struct pass *pass, uint32_t sample)
{
	const struct ep_sample *s = &pass->p->samples[sample];
	const uint32_t *stack = ep_profile_stack(pass->p, s);
	int64_t value = ep_callgraph_mean(ep_report_value(pass->r, sample),
					  ep_report_divisor(pass->r, sample));
	for (uint32_t i = s->n_locations; i-- > 0;) {
		struct place *place = &pass->places[stack[i]];
		if (place->last == 0)
			EP_TRY(look_at(pass, stack[i]));
		place->last = ++pass->clock;
		struct ep_srcasm_spot *spot = &pass->to->at[place->spot];
		/* Each time it is met: a recursive one may have more than 100 %. */
		spot->cum = ep_wrap_add(spot->cum, value);
		if (i == 0)
			spot->flat = ep_wrap_add(spot->flat, value);
	}
	return 0;
}

/* --- before it and after ---------------------------------------------------------- */

struct order {
	uint64_t key;
	uint32_t location;
};

static bool by_key(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct order *a = va, *b = vb;
	return a->key != b->key ? a->key < b->key : a->location < b->location;
}

/* Equal addresses are one spot; a location without an address is one of its own. */
static void make_spots(struct pass *pass, struct order *order)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < pass->p->n_locations; i++)
		order[i] = (struct order){pass->p->locations[i].address, i};
	ep_sort(order, pass->p->n_locations, sizeof(*order), by_key, NULL);
	for (uint32_t i = 0; i < pass->p->n_locations; i++) {
		if (i == 0 || order[i].key == 0 || order[i].key != order[i - 1].key)
			pass->to->at[n++] = (struct ep_srcasm_spot){
				.address = order[i].key, .location = EP_NONE};
		pass->places[order[i].location].spot = n - 1;
	}
	pass->to->n = n;
}

/* Names to show; where one linked name has several, the one met last. */
static int make_pretty(struct pass *pass, struct order *order)
{
	const struct ep_profile *p = pass->p;
	for (uint32_t i = 0; i < p->n_locations; i++)
		order[i] = (struct order){pass->places[i].last, i};
	ep_sort(order, p->n_locations, sizeof(*order), by_key, NULL);
	for (uint32_t i = 0; i < p->n_locations; i++) {
		const struct ep_location *l = &p->locations[order[i].location];
		for (uint32_t k = 0; k < l->n_lines && order[i].key; k++) {
			const struct ep_function *f =
				&p->functions[p->lines[l->first_line + k].function];
			if (ep_namemap_put(&pass->to->pretty,
					   p->strings[f->system_name],
					   p->strings[f->name]) < 0)
				return no_memory(pass);
		}
	}
	return 0;
}

static bool spot_before(const void *va, const void *vb, void *arg)
{
	(void)arg; /* the order needs nothing else */
	const struct ep_srcasm_spot *a = va, *b = vb;
	return a->address < b->address;
}

static int run(struct pass *pass, struct order *order)
{
	const struct ep_profile *p = pass->p;
	memset(pass->functions, -1, p->n_functions);
	memset(pass->mappings, -1, p->n_mappings);
	pass->next_made_up = 1;
	for (uint32_t i = 0; i < p->n_mappings; i++)
		if (p->mappings[i].limit > pass->next_made_up)
			pass->next_made_up = p->mappings[i].limit;
	pass->by_address = ep_asm_parse_address(pass->r->o.argument, &pass->address);
	make_spots(pass, order);
	for (uint32_t i = 0; i < p->n_samples; i++)
		EP_TRY(add_sample(pass, i));
	EP_TRY(make_pretty(pass, order));
	ep_sort(pass->to->at, pass->to->n, sizeof(*pass->to->at), spot_before, NULL);
	return 0;
}

int ep_srcasm_spots_init(struct ep_srcasm_spots *s, struct ep_arena *arena,
			 const struct ep_report *r, struct ep_err *err)
{
	const struct ep_profile *p = r->p;
	*s = (struct ep_srcasm_spots){
		.at = ep_arena_array(arena, struct ep_srcasm_spot, p->n_locations + 1)};
	struct pass pass = {
		.r = r,
		.p = p,
		.to = s,
		.err = err,
		.places = ep_arena_array(arena, struct place, p->n_locations + 1),
		.functions = ep_arena_array(arena, int8_t, p->n_functions + 1),
		.mappings = ep_arena_array(arena, int8_t, p->n_mappings + 1),
	};
	struct order *order = ep_arena_array(arena, struct order, p->n_locations + 1);
	if (!s->at || !pass.places || !pass.functions || !pass.mappings ||
	    !order)
		return no_memory(&pass);
	return run(&pass, order);
}

void ep_srcasm_spots_fini(struct ep_srcasm_spots *s)
{
	ep_namemap_fini(&s->interest);
	ep_namemap_fini(&s->pretty);
}
