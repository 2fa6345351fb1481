/*
 * plt.h - the stubs that call functions of other libraries: "memcpy@plt".
 */
#ifndef EP_SYMBOL_PLT_H
#define EP_SYMBOL_PLT_H

#include "symbol/collect.h"

/*
 * ep_plt_add - a symbol for each stub of .plt, .plt.sec and .plt.got.
 *
 * A stub jumps through a slot, and a relocation says whose address goes there.
 * Where that can't be seen, and on other CPUs than x86-64, nothing is added.
 * in       e    hostile content is fine
 * errors   -E2BIG, -ENOMEM
 */
int ep_plt_add(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err);

#endif
