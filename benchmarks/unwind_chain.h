/* unwind_chain.h - see unwind_chain.c. */
#ifndef EP_BENCH_UNWIND_CHAIN_H
#define EP_BENCH_UNWIND_CHAIN_H

typedef void chain_fn(void *arg);

unsigned chain_call(chain_fn *fn, void *arg);

#endif
