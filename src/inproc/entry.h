/*
 * entry.h - where main() is in a program without symbols.
 */
#ifndef EP_INPROC_ENTRY_H
#define EP_INPROC_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * ep_entry_main - the addresses of main(), from the code at the entry point.
 *
 * Every distribution strips its programs, and main is in no dynamic table; but
 * the start-up code hands its address to libc, and .eh_frame_hdr knows where the
 * next function begins.
 *
 * returns  false when the start-up code is of another form
 * threads  any thread
 */
bool ep_entry_main(uint64_t *ret_start, uint64_t *ret_limit);

#endif
