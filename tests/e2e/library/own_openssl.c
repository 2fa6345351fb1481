/*
 * A program with an OpenSSL of its own, which must find it as if we had never been there:
 * its configuration, its errors, its locks after a fork, its end.
 *
 *   own_openssl ours|theirs  who uses OpenSSL first
 */
#include <everprof.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

static void work(double seconds)
{
	for (clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC); clock() < end;)
		sink += sink * 3 + 1;
}

static int uses_openssl(void)
{
	unsigned char random[16];
	ERR_clear_error();
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	if (!c || RAND_bytes(random, sizeof(random)) != 1)
		return 0;
	/* As OPENSSL_CONF asks for. */
	int ok = SSL_CTX_get_min_proto_version(c) == TLS1_3_VERSION;
	SSL_CTX_free(c);
	return ok;
}

static int child_uses_openssl(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(uses_openssl() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(int argc, char **argv)
{
	int ours_first = argc > 1 && !strcmp(argv[1], "ours");
	if (!ours_first && !uses_openssl())
		return 2;
	ERR_put_error(ERR_LIB_USER, 0, 77, "here", 1);
	if (everprof_start(NULL) < 0)
		return 3;
	work(0.1);
	if (ours_first)
		everprof_stop(); /* the push of the end */
	if (ERR_GET_REASON(ERR_get_error()) != 77 || ERR_get_error())
		return 4;
	if (!uses_openssl())
		return 5;
	if (OSSL_PROVIDER_available(NULL, "legacy") || !OSSL_PROVIDER_available(NULL, "default"))
		return 6;
	for (int i = 0; i < 20; i++)
		if (!child_uses_openssl())
			return 7;
	puts("as ever");
	return 0;
}
