// scopes.cpp - labels of everprof.hpp end with their scope, exceptions included.
#include <everprof.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>

static void check(bool ok)
{
	if (!ok)
		std::abort();
}

static void fail_inside(const std::string &tenant)
{
	EVERPROF_LABELS("endpoint", "/buy", "tenant", tenant.c_str()) {
		everprof::labels deeper{"stage", std::string("pay")};
		check(everprof_labels_current() ==
		      everprof::derive(nullptr, "stage", "pay", "tenant", tenant, "endpoint", "/buy", "base", "1"));
		throw std::runtime_error("no");
	}
}

int main()
{
	const everprof_labels *base = everprof::derive(nullptr, "base", "1");
	everprof::with here{base};
	try {
		fail_inside("t7");
		check(false);
	} catch (const std::runtime_error &) {
	}
	check(everprof_labels_current() == base);
	return 0;
}
