/* What frames-*.elf are made of, by tests/data/dwarf/make. */
static inline __attribute__((always_inline)) int inner(int x)
{
	return x * 3 + 1; /* line 4 */
}

static inline __attribute__((always_inline)) int middle(int x)
{
	int y = inner(x); /* line 9 */
	return y ^ 5;
}

__attribute__((noinline)) int outer(volatile int *p)
{
	return middle(*p); /* line 15 */
}

void _start(void)
{
	volatile int v = 7;
	outer(&v);
	for (;;)
		;
}
