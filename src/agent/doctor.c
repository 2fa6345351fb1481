/*
 * doctor.c - see doctor.h.
 */
#include "agent/doctor.h"

#include "agent/caps.h"
#include "agent/load.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FIRST_PID_NS 0xeffffffcu

static bool try_event(pid_t pid, int cpu, bool kernel)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 100000000,
		.disabled = 1,
		.exclude_kernel = !kernel,
		.exclude_hv = 1,
	};
	int fd =
		syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int read_paranoid(void)
{
	int v = -2;
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	if (!f)
		return v;
	if (fscanf(f, "%d", &v) != 1)
		v = -2;
	fclose(f);
	return v;
}

/* Without the right to them, the kernel writes zeroes for addresses. */
static bool read_kallsyms(void)
{
	unsigned long long at = 0;
	FILE *f = fopen("/proc/kallsyms", "re");
	if (!f)
		return false;
	char line[512];
	for (int i = 0; !at && i < 100 && fgets(line, sizeof(line), f); i++)
		(void)!sscanf(line, "%llx", &at); /* a line without one leaves it 0 */
	fclose(f);
	return at != 0;
}

static unsigned count_processes(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc");
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));)
		n += isdigit((unsigned char)e->d_name[0]) != 0;
	closedir(d);
	return n;
}

static bool in_child_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != FIRST_PID_NS;
}

static enum ep_sampling best_of(const struct ep_doctor *d)
{
	if (d->can_bpf)
		return EP_SAMPLING_BPF;
	if (d->can_perf_cpu)
		return EP_SAMPLING_PERF_ALL;
	return d->can_perf_self ? EP_SAMPLING_PERF_OWN : EP_SAMPLING_NONE;
}

void ep_doctor_look(struct ep_doctor *ret_d)
{
	struct ep_doctor d = {.paranoid = read_paranoid()};
	struct utsname u;
	if (uname(&u) == 0)
		snprintf(d.kernel, sizeof(d.kernel), "%.63s", u.release);
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	d.n_cpus = n_cpus > 0 ? (unsigned)n_cpus : 1;
	d.has_btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
	d.is_root = geteuid() == 0;
	d.in_pid_namespace = in_child_namespace();
	struct ep_err err = {0};
	d.bpf_errno = -ep_load_try(&d.by_tables, &err);
	d.can_bpf = d.bpf_errno == 0;
	d.can_perf_cpu = try_event(-1, 0, false);
	d.can_perf_self = try_event(0, -1, false);
	d.can_kernel_stacks = d.can_bpf || try_event(0, -1, true);
	d.can_kallsyms = read_kallsyms();
	d.caps = ep_caps_effective();
	d.can_read_others = ep_caps_have(CAP_SYS_PTRACE);
	d.can_see_others = access("/proc/1", F_OK) == 0;
	d.n_processes = count_processes();
	d.sampling = best_of(&d);
	*ret_d = d;
}

static const char *why_no_bpf(const struct ep_doctor *d)
{
	if (!d->bpf_errno)
		return "eBPF is switched off";
	if (d->bpf_errno == EACCES)
		return d->is_root ? "eBPF is forbidden here, even to root"
				  : "this user may not use eBPF";
	if (!d->has_btf)
		return "this kernel has no type information (BTF) for eBPF";
	return "this kernel can't run the eBPF probe";
}

static const char *remedy(const struct ep_doctor *d)
{
	if (!d->bpf_errno)
		return "leave out --no-bpf";
	if (d->bpf_errno != EACCES)
		return d->has_btf ? "run a kernel of 5.8 or later"
				  : "run a kernel built with CONFIG_DEBUG_INFO_BTF";
	if (!d->is_root)
		return "start everprof with sudo";
	return "give it CAP_BPF and CAP_PERFMON";
}

static void format_how(const struct ep_doctor *d, struct ep_buf *out)
{
	switch (d->sampling) {
	case EP_SAMPLING_BPF:
		ep_buf_printf(out, "CPU time is sampled with eBPF on %s%u CPU%s",
			      d->n_cpus > 1 ? "all " : "", d->n_cpus,
			      d->n_cpus > 1 ? "s" : "");
		return;
	case EP_SAMPLING_PERF_ALL:
		ep_buf_printf(
			out,
			"CPU time is sampled with perf events on every CPU, since %s",
			why_no_bpf(d));
		return;
	case EP_SAMPLING_PERF_OWN:
		ep_buf_printf(
			out,
			"CPU time of your own processes is sampled with perf events, "
			"since %s",
			why_no_bpf(d));
		return;
	case EP_SAMPLING_NONE:
		ep_buf_printf(out,
			      "CPU time can't be sampled from outside: %s, and "
			      "kernel.perf_event_paranoid is %d",
			      why_no_bpf(d), d->paranoid);
		return;
	}
}

static void format_sampling(const struct ep_doctor *d, struct ep_buf *out)
{
	format_how(d, out);
	if (d->sampling == EP_SAMPLING_BPF)
		ep_buf_printf(out, " (kernel %s)", d->kernel);
	else if (d->sampling == EP_SAMPLING_NONE && !d->is_root && d->paranoid > 2)
		ep_buf_add_str(out, "; for your own processes: sudo sysctl "
				    "kernel.perf_event_paranoid=2");
	else
		ep_buf_printf(out, "; for eBPF: %s", remedy(d));
	ep_buf_add_str(out, ".\n");
}

static void format_seen(const struct ep_doctor *d, struct ep_buf *out)
{
	if (d->sampling == EP_SAMPLING_NONE)
		ep_buf_add_str(
			out,
			"No process is seen; a program started with `everprof run` "
			"samples itself.\n");
	else if (d->sampling == EP_SAMPLING_PERF_OWN)
		ep_buf_printf(out,
			      "It sees the processes of this user only; for all: %s.\n",
			      d->is_root ? remedy(d) : "start everprof with sudo");
	else if (d->in_pid_namespace)
		ep_buf_printf(
			out,
			"It sees the %u processes of this container, and the rest of "
			"the "
			"machine as one, host-other; for all: run it in the host's PID "
			"namespace.\n",
			d->n_processes);
	else
		ep_buf_printf(out, "It sees every process of this machine: %u now.\n",
			      d->n_processes);
}

static void format_names(const struct ep_doctor *d, struct ep_buf *out)
{
	bool all = d->sampling <= EP_SAMPLING_PERF_ALL;
	if (d->sampling == EP_SAMPLING_NONE)
		ep_buf_add_str(out, "So there are no stacks to name.\n");
	else if (!d->can_kernel_stacks)
		ep_buf_add_str(
			out,
			"Stacks are of user code, not of the kernel; for both: start "
			"everprof with sudo.\n");
	else if (!d->can_kallsyms)
		ep_buf_add_str(
			out,
			"Stacks are of user and kernel code, kernel functions without "
			"names; for these: give it CAP_SYSLOG.\n");
	else if (all && !d->can_read_others)
		ep_buf_add_str(
			out,
			"Stacks are whole, but programs of other users can't be read "
			"for names; for these: give it CAP_SYS_PTRACE.\n");
	else if (d->sampling == EP_SAMPLING_BPF && d->by_tables)
		ep_buf_add_str(
			out,
			"Stacks are of user code by tables (no frame pointers needed) "
			"and of the kernel, all with names.\n");
	else
		ep_buf_add_str(
			out,
			"Stacks are of user code by frame pointers and of the kernel, "
			"all with names.\n");
}

void ep_doctor_format(const struct ep_doctor *d, struct ep_buf *out)
{
	format_sampling(d, out);
	format_seen(d, out);
	format_names(d, out);
}

void ep_doctor_sentence(const struct ep_doctor *d, struct ep_buf *out)
{
	format_how(d, out);
	if (d->sampling != EP_SAMPLING_BPF && d->sampling != EP_SAMPLING_NONE)
		ep_buf_printf(out, "; for more: %s", remedy(d));
	ep_buf_add_char(out, '.');
}

static const char *const sampling_names[] = {
	[EP_SAMPLING_BPF] = "ebpf",
	[EP_SAMPLING_PERF_ALL] = "perf-all",
	[EP_SAMPLING_PERF_OWN] = "perf-own",
	[EP_SAMPLING_NONE] = "none",
};

/* The facts, once, for both forms. */
struct fact {
	const char *key, *words;
	bool value;
};

enum { N_FACTS = 11 };

static void list_facts(const struct ep_doctor *d, struct fact ret[N_FACTS])
{
	const struct fact all[N_FACTS] = {
		{"btf", "kernel type information (BTF)", d->has_btf},
		{"root", "root", d->is_root},
		{"pid_namespace", "inside a PID namespace", d->in_pid_namespace},
		{"bpf", "eBPF probe loads", d->can_bpf},
		{"by_tables", "stacks without frame pointers", d->by_tables},
		{"perf_cpu", "perf events on a CPU", d->can_perf_cpu},
		{"perf_self", "perf events on own processes", d->can_perf_self},
		{"kernel_stacks", "kernel stacks", d->can_kernel_stacks},
		{"kallsyms", "kernel names", d->can_kallsyms},
		{"read_others", "reads other users' programs", d->can_read_others},
		{"see_others", "/proc shows other users' processes", d->can_see_others},
	};
	memcpy(ret, all, sizeof(all));
}

void ep_doctor_format_facts(const struct ep_doctor *d, struct ep_buf *out)
{
	struct fact facts[N_FACTS];
	list_facts(d, facts);
	ep_buf_printf(out, "  %-38s %s\n", "kernel", d->kernel);
	ep_buf_printf(out, "  %-38s %u\n", "CPUs", d->n_cpus);
	ep_buf_printf(out, "  %-38s %u\n", "processes shown", d->n_processes);
	ep_buf_printf(out, "  %-38s %s\n", "sampling", sampling_names[d->sampling]);
	ep_buf_printf(out, "  %-38s %d\n", "kernel.perf_event_paranoid", d->paranoid);
	ep_buf_printf(out, "  %-38s %016llx\n", "effective capabilities",
		      (unsigned long long)d->caps);
	for (int i = 0; i < N_FACTS; i++)
		ep_buf_printf(out, "  %-38s %s\n", facts[i].words,
			      facts[i].value ? "yes" : "no");
	if (d->bpf_errno)
		ep_buf_printf(out, "  %-38s %s\n", "eBPF says", strerror(d->bpf_errno));
}

static void add_json_string(struct ep_buf *out, const char *s)
{
	ep_buf_add_char(out, '"');
	for (; *s; s++)
		if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20)
			ep_buf_printf(out, "\\u%04x", (unsigned char)*s);
		else
			ep_buf_add_char(out, *s);
	ep_buf_add_char(out, '"');
}

/* The three lines as an array. */
static void add_json_lines(const struct ep_doctor *d, struct ep_buf *out)
{
	ep_auto_buf text;
	ep_buf_init(&text, 8192);
	ep_doctor_format(d, &text);
	char *line = (char *)text.data, *end;
	ep_buf_add_char(out, '[');
	for (bool first = true;
	     text.len &&
	     (end = memchr(line, '\n', text.data + text.len - (uint8_t *)line));
	     line = end + 1, first = false) {
		*end = '\0';
		if (!first)
			ep_buf_add_char(out, ',');
		add_json_string(out, line);
	}
	ep_buf_add_char(out, ']');
}

void ep_doctor_format_json(const struct ep_doctor *d, struct ep_buf *out)
{
	struct fact facts[N_FACTS];
	list_facts(d, facts);
	ep_buf_add_str(out, "{\"kernel\":");
	add_json_string(out, d->kernel);
	ep_buf_printf(
		out,
		",\"cpus\":%u,\"processes\":%u,\"sampling\":\"%s\",\"paranoid\":%d,"
		"\"capabilities\":\"%016llx\",\"bpf_errno\":%d",
		d->n_cpus, d->n_processes, sampling_names[d->sampling], d->paranoid,
		(unsigned long long)d->caps, d->bpf_errno);
	for (int i = 0; i < N_FACTS; i++)
		ep_buf_printf(out, ",\"%s\":%s", facts[i].key,
			      facts[i].value ? "true" : "false");
	ep_buf_add_str(out, ",\"sees\":");
	add_json_lines(d, out);
	ep_buf_add_str(out, "}\n");
}
