// A program with what listings are made of: inlined calls, templates, a namespace.
namespace mix {

template <typename T> struct Ring {
	T items[64];
	unsigned at;

	__attribute__((noinline)) T push(T x)
	{
		T old = items[at];
		items[at] = x + old / 3;
		at = (at + 1) % 64;
		return old;
	}
};

static inline unsigned stir(unsigned a, unsigned b)
{
	a ^= b << 5;
	return a * 2654435761u;
}

static inline unsigned twice(unsigned a, unsigned b)
{
	return stir(stir(a, b), b >> 7);	/* "a" & 'b' <c> */
}

__attribute__((noinline)) unsigned hash(const unsigned *v, unsigned n)
{
	unsigned h = 1;
	for (unsigned i = 0; i < n; i++)
		h = twice(h, v[i]);
	return h;
}

}

int main(int argc, char **argv)
{
	static mix::Ring<long> longs;
	static mix::Ring<unsigned> words;
	static unsigned v[1024];
	unsigned sum = argc;
	for (unsigned i = 0; i < 20000000; i++) {
		v[i % 1024] = sum;
		if (i % 256 == 0)
			sum += mix::hash(v, 1024);
		for (unsigned k = 0; k < 16; k++)
			sum += longs.push(i) + words.push(sum);
	}
	return sum == 42 ? argv[0][0] : 0;
}
