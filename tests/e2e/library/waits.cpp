// waits.cpp - std::mutex and std::condition_variable, each waited for 20 ms.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex m, cm;
static std::condition_variable cv;
static bool held, ready;

__attribute__((noinline)) void wait_for_mutex()
{
	std::lock_guard<std::mutex> l(m);
	held = false;
}

__attribute__((noinline)) void wait_for_cond()
{
	std::unique_lock<std::mutex> l(cm);
	cv.wait(l, [] { return ready; });
}

__attribute__((noinline)) void hold()
{
	m.lock();
	held = true;
	std::thread t([] { wait_for_mutex(); });
	std::this_thread::sleep_for(std::chrono::milliseconds(25));
	m.unlock();
	t.join();
}

int main()
{
	hold();
	std::thread t([] { wait_for_cond(); });
	std::this_thread::sleep_for(std::chrono::milliseconds(25));
	{
		std::lock_guard<std::mutex> l(cm);
		ready = true;
	}
	cv.notify_one();
	t.join();
}
