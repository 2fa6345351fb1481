/* mem_failing.h - the heap of these tests: mem.h, with a failure at will and a count.
 */
#ifndef EP_TEST_MEM_FAILING_H
#define EP_TEST_MEM_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation from now on fails, and no other; 0: none does. */
void mem_fail_at(size_t nth);
/* Has it?  From now on none fails. */
bool mem_failed(void);
/* Blocks that are not freed yet. */
size_t mem_n_live(void);

#endif
