/*
 * load.c - customers for the shop: a steady, skewed mix of requests.
 *
 *     shop-load [--port PORT] [--rate REQUESTS_A_SECOND] [--seconds N]
 *
 * Tenants follow a Zipf-like law: acme asks for half of everything.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { N_CUSTOMERS = 6 };

static int port = 8080;
static double rate = 300;
static volatile sig_atomic_t stopped;
static atomic_ulong n_answers, n_errors;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static unsigned next_random(unsigned *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static const char *pick_tenant(unsigned *s)
{
	static const char *const tenants[] = {"acme", "globex", "initech", "umbrella", "hooli"};
	unsigned r = next_random(s) % 100;
	return tenants[r < 50 ? 0 : r < 75 ? 1 : r < 88 ? 2 : r < 95 ? 3 : 4];
}

static int write_request(unsigned *s, char *out, size_t max)
{
	static const char *const queries[] = {"oak+lamp", "blue+glass+mug", "steel+knife", "round+rug"};
	unsigned r = next_random(s) % 100;
	char target[64];
	if (r < 50)
		snprintf(target, sizeof(target), "/search?q=%s", queries[next_random(s) % 4]);
	else if (r < 75)
		snprintf(target, sizeof(target), "/cart?q=%u", next_random(s) % 1000);
	else if (r < 95)
		snprintf(target, sizeof(target), "/checkout?q=%u", next_random(s) % 1000);
	else
		snprintf(target, sizeof(target), "/report");
	return snprintf(out, max, "GET %s HTTP/1.1\r\nHost: shop\r\nX-Tenant: %s\r\n\r\n", target,
			pick_tenant(s));
}

static int connect_shop(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = 5};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One whole answer: head, then as many bytes as Content-Length says. */
static int read_answer(int fd)
{
	char buf[32768];
	size_t n = 0;
	while (n < sizeof(buf) - 1) {
		ssize_t got = read(fd, buf + n, sizeof(buf) - 1 - n);
		if (got <= 0)
			return -1;
		n += (size_t)got;
		buf[n] = '\0';
		const char *end = strstr(buf, "\r\n\r\n");
		const char *length = strstr(buf, "Content-Length: ");
		if (end && length && n >= (size_t)(end + 4 - buf) + strtoul(length + 16, NULL, 10))
			return 0;
	}
	return -1;
}

static void *shop_for_a_while(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg * 977 + 1;
	int fd = -1;
	char request[256];
	long pause_ns = (long)(1e9 * N_CUSTOMERS / rate);
	while (!stopped) {
		struct timespec pause = {pause_ns / 1000000000, pause_ns % 1000000000};
		nanosleep(&pause, NULL);
		if (fd < 0 && (fd = connect_shop()) < 0) {
			n_errors++;
			sleep(1);
			continue;
		}
		int n = write_request(&seed, request, sizeof(request));
		if (write(fd, request, (size_t)n) == n && read_answer(fd) == 0) {
			n_answers++;
			continue;
		}
		n_errors++;
		close(fd);
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static const char usage[] =
	"usage: shop-load [--port PORT] [--rate N] [--seconds N]\n"
	"Customers for the shop on 127.0.0.1.\n"
	"  --port PORT    8080\n"
	"  --rate N       requests a second; 300\n"
	"  --seconds N    stop after that; until a signal\n";

/* Flags to options; -1: go on, else the exit code. */
static int parse_flags(int argc, char **argv, unsigned *seconds)
{
	for (int i = 1; i < argc; i += 2) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		char *end;
		double v = strtod(value, &end);
		bool good = end != value && !*end && v > 0 && v < 1e6;
		if (good && !strcmp(argv[i], "--port") && v < 65536)
			port = (int)v;
		else if (good && !strcmp(argv[i], "--rate"))
			rate = v;
		else if (good && !strcmp(argv[i], "--seconds"))
			*seconds = (unsigned)v;
		else {
			fprintf(stderr, "shop-load: can't use \"%s%s%s\"\n%s", argv[i],
				*value ? " " : "", value, usage);
			return 2;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	unsigned seconds = 0;
	int code = parse_flags(argc, argv, &seconds);
	if (code >= 0)
		return code;
	struct sigaction stop = {.sa_handler = on_stop};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGALRM, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (seconds)
		alarm(seconds);
	pthread_t t[N_CUSTOMERS];
	for (uintptr_t i = 0; i < N_CUSTOMERS; i++)
		if (pthread_create(&t[i], NULL, shop_for_a_while, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < N_CUSTOMERS; i++)
		pthread_join(t[i], NULL);
	printf("shop-load: %lu answers, %lu errors\n", atomic_load(&n_answers),
	       atomic_load(&n_errors));
	return 0;
}
