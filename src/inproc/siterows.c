/* siterows.c - see siterows.h. */
#include "inproc/siterows.h"

#include "inproc/code.h"
#include "inproc/sig/desk.h"

void ep_siterows_add(struct ep_tally *t, const struct ep_sites *sites, const struct ep_site *s,
		 const char *age, const int64_t values[EP_TALLY_VALUES])
{
	static struct ep_tally_frame frames[EP_SIG_MAX_FRAMES]; /* under the drain lock */
	struct ep_tally_row row = {.labels = s->labels, .age = age};
	for (uint32_t i = 0; i < s->n_frames; i++) {
		uint64_t f = sites->frames[s->first_frame + i];
		uint32_t id = ep_desk_frame_id(f);
		uint64_t address = ep_desk_frame_address(f);
		if (id == EP_DESK_NO_ID) /* of a library that was opened a moment before */
			id = ep_code_find(0, address);
		frames[i] = (struct ep_tally_frame){address, id};
	}
	for (int i = 0; i < EP_TALLY_VALUES; i++)
		row.values[i] = values[i];
	ep_tally_add(t, frames, s->n_frames, &row);
}

const char *ep_siterows_age(uint32_t seconds)
{
	static const struct {
		uint32_t below_s;
		const char *name;
	} steps[] = {{10, "< 10s"}, {60, "10s - 1m"}, {600, "1m - 10m"}, {3600, "10m - 1h"},
		     {86400, "1h - 24h"}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (seconds < steps[i].below_s)
			return steps[i].name;
	return "> 24h";
}
