/* metrics.c - see metrics.h.  Names and types as Prometheus expects them. */
#include "server/metrics.h"

#include "store/store.h"
#include "tenant/meter.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void line(struct ep_buf *out, const char *name, const char *type, double value)
{
	ep_buf_printf(out, "# TYPE %s %s\n%s %.17g\n", name, type, name, value);
}

static unsigned count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;
	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0, all;
	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &all, &pages) != 2)
		pages = 0;
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void write_process(struct ep_buf *out)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) == 0)
		line(out, "process_cpu_seconds_total", "counter",
		     (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
			     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	line(out, "process_resident_memory_bytes", "gauge", resident_bytes());
	line(out, "process_open_fds", "gauge", count_files());
}

static void write_serve(const struct ep_metrics *m, struct ep_buf *out)
{
	struct ep_serve_stats s;
	ep_serve_get_stats(m->serve, &s);
	line(out, "everprof_http_connections_total", "counter", (double)s.connections_total);
	line(out, "everprof_http_connections", "gauge", (double)s.connections_now);
	line(out, "everprof_http_requests_in_flight", "gauge", (double)s.in_flight_now);
	line(out, "everprof_http_malformed_total", "counter", (double)s.refused_total);
	line(out, "everprof_http_timeouts_total", "counter", (double)s.timeouts_total);
	line(out, "everprof_http_body_bytes", "gauge", (double)s.bodies_bytes_now);
	ep_buf_add_str(out, "# TYPE everprof_http_responses_total counter\n");
	for (unsigned i = 1; i < 6; i++)
		ep_buf_printf(out, "everprof_http_responses_total{class=\"%uxx\"} %llu\n", i,
			      (unsigned long long)m->guard->by_class[i]);
}

static void write_ingest(const struct ep_metrics *m, struct ep_buf *out)
{
	struct ep_ingest_stats s;
	struct ep_store_stats t;
	uint64_t made, failed;
	ep_ingest_get_stats(m->ingest, &s);
	ep_rooms_stats(m->rooms, &t);
	ep_localsyms_counts(m->localsyms, &made, &failed);
	line(out, "everprof_ingest_profiles_total", "counter", (double)s.profiles);
	line(out, "everprof_ingest_rejected_total", "counter", (double)s.rejected);
	line(out, "everprof_ingest_samples_total", "counter", (double)s.samples);
	line(out, "everprof_ingest_bytes_total", "counter", (double)s.bytes);
	line(out, "everprof_store_appended_total", "counter", (double)t.appended);
	line(out, "everprof_store_refused_total", "counter", (double)t.refused);
	line(out, "everprof_store_commits_total", "counter", (double)t.commits);
	line(out, "everprof_symbol_tables_made_total", "counter", (double)made);
	line(out, "everprof_symbol_files_failed_total", "counter", (double)failed);
}

static const struct {
	const char *name, *type;
	size_t at;
} of_tenant[] = {
	{"everprof_tenant_bytes_total", "counter", offsetof(struct ep_meter_stats, bytes)},
	{"everprof_tenant_bytes_today", "gauge", offsetof(struct ep_meter_stats, bytes_today)},
	{"everprof_tenant_refused_total", "counter", offsetof(struct ep_meter_stats, refused)},
	{"everprof_tenant_series", "gauge", offsetof(struct ep_meter_stats, series)},
};

static void write_tenant_row(struct ep_tenant *t, size_t row, struct ep_buf *out)
{
	struct ep_meter_stats s;
	ep_meter_get_stats(t, &s);
	ep_buf_printf(out, "%s{tenant=\"%s\"} %llu\n", of_tenant[row].name, t->name,
		      (unsigned long long)*(const uint64_t *)((const char *)&s + of_tenant[row].at));
}

void ep_metrics_write_tenant(struct ep_tenant *t, struct ep_buf *out)
{
	for (size_t r = 0; r < sizeof(of_tenant) / sizeof(of_tenant[0]); r++) {
		ep_buf_printf(out, "# TYPE %s %s\n", of_tenant[r].name, of_tenant[r].type);
		write_tenant_row(t, r, out);
	}
}

static void write_tenants(const struct ep_metrics *m, struct ep_buf *out)
{
	struct ep_tenant *t;
	for (size_t r = 0; r < sizeof(of_tenant) / sizeof(of_tenant[0]); r++) {
		ep_buf_printf(out, "# TYPE %s %s\n", of_tenant[r].name, of_tenant[r].type);
		for (size_t i = 0; (t = ep_tenants_nth(m->tenants, i)); i++)
			write_tenant_row(t, r, out);
	}
}

void ep_metrics_write(const struct ep_metrics *m, struct ep_buf *out)
{
	write_process(out);
	write_serve(m, out);
	write_ingest(m, out);
	write_tenants(m, out);
}
