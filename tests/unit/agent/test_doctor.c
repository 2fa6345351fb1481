#include "test.h"

#include "agent/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char text[4096];

static const char *lines_of(const struct ep_doctor *d)
{
	struct ep_buf b;
	ep_buf_init(&b, sizeof(text));
	ep_doctor_format(d, &b);
	snprintf(text, sizeof(text), "%s", ep_buf_cstr(&b));
	ep_buf_fini(&b);
	return text;
}

static unsigned count_lines(const char *s)
{
	unsigned n = 0;
	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static struct ep_doctor best(void)
{
	return (struct ep_doctor){.kernel = "6.1.0",
				  .has_btf = true,
				  .is_root = true,
				  .can_bpf = true,
				  .can_perf_cpu = true,
				  .can_perf_self = true,
				  .can_kernel_stacks = true,
				  .can_kallsyms = true,
				  .can_read_others = true,
				  .can_see_others = true,
				  .paranoid = 2,
				  .n_cpus = 4,
				  .n_processes = 77,
				  .sampling = EP_SAMPLING_BPF};
}

TEST(doctor_says_three_lines_and_nothing_to_change_when_all_is_well)
{
	struct ep_doctor d = best();
	assert_string_equal(
		lines_of(&d),
		"CPU time is sampled with eBPF on all 4 CPUs (kernel 6.1.0).\n"
		"It sees every process of this machine: 77 now.\n"
		"Stacks are of user code by frame pointers and of the kernel, all with "
		"names.\n");
}

TEST(doctor_says_when_stacks_need_no_frame_pointers)
{
	struct ep_doctor d = best();
	d.by_tables = true;
	assert_non_null(strstr(lines_of(&d),
			       "\nStacks are of user code by tables (no frame pointers "
			       "needed) and of the kernel, all with names.\n"));
	d.sampling = EP_SAMPLING_PERF_ALL; /* these go by frame pointer */
	assert_non_null(strstr(lines_of(&d), "by frame pointers"));
}

TEST(doctor_tells_a_plain_user_to_use_sudo)
{
	struct ep_doctor d = {.kernel = "6.1.0",
			      .has_btf = true,
			      .can_perf_self = true,
			      .bpf_errno = EACCES,
			      .paranoid = 2,
			      .n_cpus = 1,
			      .sampling = EP_SAMPLING_PERF_OWN};
	assert_string_equal(lines_of(&d),
			    "CPU time of your own processes is sampled with perf "
			    "events, since this user may "
			    "not use eBPF; for eBPF: start everprof with sudo.\n"
			    "It sees the processes of this user only; for all: start "
			    "everprof with sudo.\n"
			    "Stacks are of user code, not of the kernel; for both: "
			    "start everprof with sudo.\n");
}

TEST(doctor_names_the_setting_when_nothing_is_possible)
{
	struct ep_doctor d = {.has_btf = true,
			      .bpf_errno = EACCES,
			      .paranoid = 3,
			      .n_cpus = 1,
			      .sampling = EP_SAMPLING_NONE};
	assert_non_null(
		strstr(lines_of(&d), "sudo sysctl kernel.perf_event_paranoid=2"));
	assert_int_equal(count_lines(text), 3);
}

TEST(doctor_names_the_missing_kernel_feature)
{
	struct ep_doctor d = best();
	d.can_bpf = d.has_btf = false;
	d.bpf_errno = ENOTSUP;
	d.sampling = EP_SAMPLING_PERF_ALL;
	assert_non_null(strstr(lines_of(&d), "CONFIG_DEBUG_INFO_BTF"));
}

TEST(doctor_tells_root_in_a_container_which_capabilities_to_give)
{
	struct ep_doctor d = best();
	d.can_bpf = d.can_perf_cpu = false;
	d.bpf_errno = EACCES;
	d.sampling = EP_SAMPLING_PERF_OWN;
	assert_non_null(strstr(lines_of(&d), "give it CAP_BPF and CAP_PERFMON"));
}

TEST(doctor_in_a_pid_namespace_says_what_becomes_of_the_outside)
{
	struct ep_doctor d = best();
	d.in_pid_namespace = true;
	assert_non_null(strstr(lines_of(&d), "host-other"));
	assert_int_equal(count_lines(text), 3);
}

TEST(doctor_has_three_lines_whatever_is_found)
{
	for (unsigned bits = 0; bits < 1u << 11; bits++) {
		struct ep_doctor d = {.kernel = "6",
				      .n_cpus = 1 + (bits & 1),
				      .has_btf = bits >> 1 & 1,
				      .is_root = bits >> 2 & 1,
				      .in_pid_namespace = bits >> 3 & 1,
				      .can_kernel_stacks = bits >> 4 & 1,
				      .can_kallsyms = bits >> 5 & 1,
				      .can_read_others = bits >> 6 & 1,
				      .bpf_errno = bits >> 7 & 1   ? EACCES
						   : bits >> 8 & 1 ? ENOTSUP
								   : 0,
				      .sampling = (enum ep_sampling)(bits >> 9 & 3)};
		assert_int_equal(count_lines(lines_of(&d)), 3);
	}
}

TEST(doctor_of_this_machine_agrees_with_itself)
{
	struct ep_doctor d;
	ep_doctor_look(&d);
	assert_true(d.n_cpus >= 1 && d.n_processes >= 1);
	assert_int_equal(d.can_bpf, d.bpf_errno == 0);
	assert_int_equal(d.can_bpf, d.sampling == EP_SAMPLING_BPF);
}

TEST(doctor_json_holds_the_three_lines)
{
	struct ep_doctor d = best();
	struct ep_buf b;
	ep_buf_init(&b, 65536);
	ep_doctor_format_json(&d, &b);
	const char *s = ep_buf_cstr(&b);
	assert_non_null(strstr(s, "\"sampling\":\"ebpf\""));
	assert_non_null(strstr(s, "\"sees\":[\"CPU time is sampled with eBPF"));
	assert_non_null(strstr(s, "all with names.\"]}\n"));
	ep_buf_fini(&b);
}
