/* fuzz_objdump.c - what a disassembler may print about a hostile file. */
#include "base/mem.h"
#include "symbol/objdump.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = ep_alloc(n + 1);
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	struct ep_object_inst *insts = NULL;
	size_t n_insts = 0;
	if (ep_objdump_parse(text, n, &insts, &n_insts) == 0)
		for (size_t i = 0; i < n_insts; i++) {
			const char *all[] = {insts[i].text, insts[i].function,
					     insts[i].file};
			for (size_t k = 0; k < 3; k++) /* strings of the text, or "" */
				assert(!*all[k] ||
				       (all[k] >= text &&
					all[k] + strlen(all[k]) <= text + n));
			assert(insts[i].line >= 0 && insts[i].line <= UINT32_MAX);
		}
	ep_free(insts);
	ep_free(text);
	return 0;
}
