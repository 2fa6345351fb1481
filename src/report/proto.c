/* proto.c - the report `proto`: what the filters leave, as a profile. */
#include "profile/encode.h"
#include "profile/view.h"
#include "report/reports.h"

static int divide_values(struct ep_report *r, struct ep_err *err)
{
	size_t n = (size_t)r->p->n_samples * r->p->n_sample_types;
	int64_t *values = ep_view_copy_bytes(r->p, r->p->values, n * sizeof(*values));
	if (!values)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	for (size_t i = 0; i < n; i++)
		values[i] = ep_units_divided(values[i], r->ratio);
	r->p->values = values;
	return 0;
}

int ep_proto_write(struct ep_report *r, struct ep_objects *objects, struct ep_buf *out,
		   struct ep_err *err)
{
	(void)objects;
	if (r->ratio > 0 && r->ratio != 1)
		EP_TRY(divide_values(r, err));
	return ep_encode_gzip(r->p, out, err);
}
