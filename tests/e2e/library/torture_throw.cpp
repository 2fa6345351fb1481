// torture_throw.cpp - exceptions through deep stacks, on all threads, while libraries come
// and go; caught, rethrown and carried elsewhere.  torture_throw KIND SECONDS [LIBRARY]
#include "torture.h"

#include <condition_variable>
#include <dlfcn.h>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::mutex shared;

static __attribute__((noinline)) int deep(int n, int how)
{
	std::string local(static_cast<size_t>(n) * 7, 'x'); // something to destroy on the way
	std::unique_lock<std::mutex> lock(shared, std::defer_lock);
	if (n == 3)
		lock.lock();
	if (n == 0) {
		if (how % 2)
			throw std::runtime_error("a long message that does not fit into small strings");
		throw how;
	}
	return deep(n - 1, how) + static_cast<int>(local.size());
}

static void throwing(double end)
{
	for (int n = 0; before(end); n++) {
		try {
			try {
				deep(n % 60, n);
			} catch (const std::exception &) {
				throw;
			}
		} catch (const std::exception &e) {
			CHECK(e.what()[0] == 'a');
		} catch (int how) {
			CHECK(how == n);
		}
		if (n % 500 == 0) {
			auto f = std::async(std::launch::async, [] { return deep(9, 1); });
			try {
				f.get();
				CHECK(false);
			} catch (const std::runtime_error &) {
			}
		}
	}
}

int main(int argc, char **argv)
{
	CHECK(argc > 3);
	start_library();
	double end = end_after(atof(argv[2]));
	std::vector<std::thread> threads;
	for (int i = 0; i < 3; i++)
		threads.emplace_back(throwing, end);
	while (before(end)) {
		void *h = dlopen(argv[3], RTLD_NOW);
		CHECK(h);
		auto work = reinterpret_cast<void (*)(double)>(dlsym(h, "library_work"));
		CHECK(work);
		work(0.003);
		dlclose(h);
	}
	for (auto &t : threads)
		t.join();
	puts("done");
}
