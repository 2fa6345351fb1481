/* result.c - freeing what queries hand out.  See result.h. */
#include "query/result.h"

#define FREE_OF(type, name)                                                    \
	void name(struct type *v)                                              \
	{                                                                      \
		if (v)                                                         \
			ep_arena_free(v->arena);                               \
	}

FREE_OF(ep_tree, ep_tree_free)
FREE_OF(ep_top, ep_top_free)
FREE_OF(ep_series, ep_series_free)
FREE_OF(ep_heatmap, ep_heatmap_free)
FREE_OF(ep_types, ep_types_free)
FREE_OF(ep_services, ep_services_free)
FREE_OF(ep_labels, ep_labels_free)
FREE_OF(ep_values, ep_values_free)
FREE_OF(ep_labelsets, ep_labelsets_free)

const char *ep_kind_name(enum ep_kind k)
{
	static const char *const names[] = {"root", "native", "kernel", "jit", "unnamed",
					     "lost", "label"};
	return names[k];
}
