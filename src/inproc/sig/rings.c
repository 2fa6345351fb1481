/* rings.c - see rings.h. */
#include "inproc/sig/rings.h"

struct ep_rings ep_rings;
