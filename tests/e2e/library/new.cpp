// new.cpp - operator new in its forms; prints the bytes that stay.
#include <cstdio>
#include <new>

struct alignas(64) Wide {
	char bytes[640];
};

__attribute__((noinline)) long keep()
{
	static void *volatile kept[4] = {new char[1000], new int(1), new Wide, new (std::nothrow) char[77]};
	(void)kept;
	return 1000 + 4 + 640 + 77;
}

__attribute__((noinline)) void drop()
{
	delete new Wide;
	delete[] new char[5000];
}

int main()
{
	long n = keep();
	drop();
	std::printf("%ld\n", n);
}
