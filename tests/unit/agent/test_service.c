#include "test.h"

#include "agent/service.h"

#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct ep_cgroup parse(const char *text)
{
	struct ep_cgroup c;
	ep_service_parse_cgroup(ep_slice_of(text), &c);
	return c;
}

TEST(service_finds_the_container_in_every_form_of_path)
{
	static const char *const forms[] = {
		"0::/system.slice/docker-" ID ".scope\n",
		"0::/docker/" ID "\n",
		"0::/../docker-" ID ".scope/init\n",
		"0::/kubepods.slice/kubepods-burstable.slice/"
		"kubepods-burstable-pod1_2.slice/"
		"cri-containerd-" ID ".scope\n",
		"0::/kubepods/besteffort/pod01234567-89ab/" ID "\n",
		"0::/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope/container\n",
		"0::/machine.slice/libpod-" ID ".scope/container\n",
		"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
		".scope/container\n",
		"0::/system.slice/nerdctl-" ID ".scope\n",
		"0::/default/" ID "\n",
		"12:cpu,cpuacct:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/\n",
		"0::/system.slice/containerd.service/"
		"kubepods-pod1.slice:cri-containerd:" ID "\n",
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct ep_cgroup c = parse(forms[i]);
		assert_string_equal(c.container_id, ID);
		assert_string_equal(c.unit, "");
	}
	assert_true(parse(forms[3]).is_kubernetes);
	assert_true(parse(forms[4]).is_kubernetes);
	assert_false(parse(forms[0]).is_kubernetes);
}

TEST(service_takes_the_name_of_a_machine)
{
	assert_string_equal(parse("0::/lxc.payload.web/system.slice\n").container_id,
			    "web");
	assert_string_equal(
		parse("0::/machine.slice/machine-my\\x2dbox.scope/payload\n")
			.container_id,
		"my-box");
}

TEST(service_a_container_minder_is_not_in_its_container)
{
	assert_string_equal(
		parse("0::/machine.slice/libpod-conmon-" ID ".scope\n").container_id,
		"");
}

TEST(service_takes_service_units_not_scopes_or_slices)
{
	assert_string_equal(parse("0::/system.slice/nginx.service\n").unit, "nginx");
	assert_string_equal(parse("0::/system.slice/pg@15-main.service/worker\n").unit,
			    "pg@15-main");
	assert_string_equal(parse("0::/system.slice/my\\x2dapp.service\n").unit,
			    "my-app");
	assert_string_equal(parse("0::/user.slice/user-0.slice/session-1.scope\n").unit,
			    "");
	assert_string_equal(
		parse("0::/user.slice/user-1.slice/user@1.service/init.scope\n").unit,
		"");
	assert_string_equal(
		parse("0::/user.slice/user-1.slice/user@1.service/app.slice/"
		      "syncthing.service\n")
			.unit,
		"syncthing");
	assert_string_equal(
		parse("4:memory:/x\n1:name=systemd:/system.slice/cron.service\n").unit,
		"cron");
	assert_string_equal(parse("0::/\n").unit, "");
	assert_string_equal(parse("garbage").unit, "");
	assert_string_equal(parse("").container_id, "");
}

TEST(service_own_name_wins_over_otel_and_nothing_else_is_read)
{
	static const char text[] =
		"PATH=/bin\0OTEL_SERVICE_NAME=otel\0EVERPROF_NAME=mine\0"
		"OTEL_SERVICE_NAME=again\0EVERPROF_VERSION=1.2\0";
	struct ep_service s = {.name = ""};
	ep_service_parse_environ((struct ep_slice){text, sizeof(text) - 1}, &s);
	assert_string_equal(s.name, "mine");
	assert_string_equal(s.version, "1.2");

	static const char otel[] = "EVERPROF_NAME=\0OTEL_SERVICE_NAME=otel";
	struct ep_service t = {.name = ""};
	ep_service_parse_environ((struct ep_slice){otel, sizeof(otel) - 1}, &t);
	assert_string_equal(t.name, "otel");
	assert_string_equal(t.version, "");
}

TEST(service_name_of_a_kubernetes_container_is_in_its_log_link)
{
	char name[64];
	assert_true(ep_service_parse_log_name("web-7d9_default_nginx-" ID ".log", ID,
					      name, sizeof(name)));
	assert_string_equal(name, "nginx");
	assert_false(ep_service_parse_log_name(
		"web_default_nginx-" ID ".log",
		"ffff456789abcdef0123456789abcdef0123456789abcdef"
		"0123456789abcdef",
		name, sizeof(name)));
	assert_false(ep_service_parse_log_name("x.log", ID, name, sizeof(name)));
}

TEST(service_of_this_very_process_is_its_executable)
{
	struct ep_service s;
	assert_true(ep_service_look((uint32_t)getpid(), "comm", false, &s));
	assert_true(s.name[0] != '\0');
}

TEST(service_of_a_process_that_is_gone_is_its_comm)
{
	struct ep_service s;
	assert_false(ep_service_look(0x7fffffff, "short", false, &s));
	assert_string_equal(s.name, "short");
}
