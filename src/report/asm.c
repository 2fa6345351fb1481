/* asm.c - see asm.h.  Source: google/pprof report.go (annotateAssembly). */
#include "report/asm.h"

#include "report/callgraph.h"
#include "report/text.h"
#include "report/wrap.h"

#include <stdio.h>

enum { JSON_VERSION = 1 };

static void name_after(struct ep_asm_inst *inst, const struct ep_asm_sample *s)
{
	if (inst->file.n == 0 && s->file.n)
		inst->file = ep_text_base_name(s->file);
	if (inst->line == 0)
		inst->line = s->line;
	if (inst->function.n == 0)
		inst->function = s->function;
}

void ep_asm_annotate(const struct ep_object_inst *insts, size_t n_insts,
		     const struct ep_asm_sample *samples, size_t n_samples,
		     struct ep_asm_inst *ret_insts)
{
	size_t s = 0;
	for (size_t i = 0; i < n_insts; i++) {
		const struct ep_object_inst *in = &insts[i];
		struct ep_asm_inst *to = &ret_insts[i];
		int64_t flat_div = 0, cum_div = 0;
		uint64_t next = i + 1 < n_insts ? insts[i + 1].address : UINT64_MAX;
		*to = (struct ep_asm_inst){.address = in->address,
					   .text = in->text,
					   .function = ep_slice_of(in->function),
					   .line = in->line};
		if (*in->file)
			to->file = ep_text_base_name(ep_slice_of(in->file));
		for (; s < n_samples && samples[s].address < next; s++) {
			to->flat = ep_wrap_add(to->flat, samples[s].flat);
			flat_div = ep_wrap_add(flat_div, samples[s].flat_div);
			to->cum = ep_wrap_add(to->cum, samples[s].cum);
			cum_div = ep_wrap_add(cum_div, samples[s].cum_div);
			name_after(to, &samples[s]);
		}
		to->flat = ep_callgraph_mean(to->flat, flat_div);
		to->cum = ep_callgraph_mean(to->cum, cum_div);
	}
}

/* The base that a prefix names; *s goes past it. */
static unsigned take_base(const char **s)
{
	const char *p = *s;
	if (p[0] != '0' || p[1] == '\0')
		return 10;
	char c = p[1] | 0x20;
	unsigned base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 0;
	*s += base ? 2 : 1;
	return base ? base : 8;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

bool ep_asm_parse_address(const char *s, uint64_t *ret_address)
{
	unsigned base = take_base(&s);
	uint64_t n = 0;
	if (!*s)
		return false;
	for (; *s; s++)
		if (digit_of(*s) >= base || __builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, digit_of(*s), &n))
			return false;
	*ret_address = n;
	return true;
}

void ep_asm_json_head(struct ep_jsonw *w, const struct ep_report *r, const char *kind)
{
	ep_jsonw_str(w, "report", kind);
	ep_jsonw_int(w, "version", JSON_VERSION);
	ep_jsonw_slice(w, "type", r->sample_type);
	ep_jsonw_slice(w, "unit", r->sample_unit);
	char label[EP_UNITS_LABEL_MAX];
	ep_jsonw_int(w, "total", r->total);
	ep_jsonw_str(w, "total_text", ep_report_label(r, label, r->total));
}

static void json_value(struct ep_jsonw *w, const struct ep_report *r,
		       const char *const keys[2], int64_t value)
{
	char label[EP_UNITS_LABEL_MAX];
	ep_jsonw_int(w, keys[0], value);
	if (value)
		ep_jsonw_str(w, keys[1], ep_report_label(r, label, value));
}

void ep_asm_json_values(struct ep_jsonw *w, const struct ep_report *r, int64_t flat,
			int64_t cum)
{
	json_value(w, r, (const char *const[]){"flat", "flat_text"}, flat);
	json_value(w, r, (const char *const[]){"cum", "cum_text"}, cum);
}

void ep_asm_json_address(struct ep_jsonw *w, const char *key, uint64_t address)
{
	char hex[24];
	snprintf(hex, sizeof(hex), "0x%jx", (uintmax_t)address);
	ep_jsonw_str(w, key, hex);
}
