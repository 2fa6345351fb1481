// guards.cpp - tasks and entries of profiles as objects.
#include <everprof.hpp>

#include <cstdio>
#include <stdexcept>

static everprof_profile *conns;

static size_t open_tasks()
{
	return everprof_profile_count(everprof_profile_lookup("tasks"));
}

static void work()
{
	everprof::task order("PlaceOrder");
	everprof::entry conn(conns);
	everprof::labels here("endpoint", std::string("/order"));
	everprof::task charge(std::string("Charge"));
	std::printf("inside: %zu tasks, %zu conns\n", open_tasks(), everprof_profile_count(conns));
	throw std::runtime_error("out");
}

int main()
{
	conns = everprof_profile_new("conns");
	try {
		work();
	} catch (const std::exception &) {
	}
	std::printf("outside: %zu tasks, %zu conns, %s\n", open_tasks(), everprof_profile_count(conns),
		    everprof_labels_current() ? "labels" : "no labels");
	return everprof_task_attach(nullptr) != nullptr;
}
