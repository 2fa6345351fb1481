/* openssl.c - see openssl.h. */
#include "push/openssl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LIBRARY "libssl.so.3"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ep_openssl table;
static const char *missing; /* what could not be had; NULL: all is there */
static _Atomic bool is_loaded;

/* glibc's, in libc.a alone.  A program linked statically as a whole can load libssl only
 * with a second libc beside its own, whose thread-specific values get mixed up. */
extern void __libc_setup_tls(void) __attribute__((weak));

/* A sanitizer ends the program that loads with RTLD_DEEPBIND. */
static bool has_sanitizer(void)
{
	return dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init") ||
	       dlsym(RTLD_DEFAULT, "__msan_init");
}

/*
 * Deep: a program that exports another OpenSSL's functions (linked statically, or
 * BoringSSL) must not have libssl call these.  Never unloaded: the program may have
 * come to use the same one meanwhile.
 */
static void *load_library(void)
{
	int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
	if (__libc_setup_tls)
		return NULL;
	return dlopen(LIBRARY, has_sanitizer() ? flags : flags | RTLD_DEEPBIND);
}

static void load(void)
{
#define ROW(name) {#name, &table.name},
	static const struct {
		const char *name;
		void *slot;
	} functions[] = {EP_OPENSSL_FUNCTIONS(ROW)};
#undef ROW
	void *lib = load_library();
	if (!lib) {
		missing = __libc_setup_tls ? LIBRARY " (the program is linked statically)" : LIBRARY;
		return;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(lib, functions[i].name);
		if (!f) {
			missing = functions[i].name;
			return;
		}
		memcpy(functions[i].slot, &f, sizeof(f));
	}
	atomic_store(&is_loaded, true);
}

bool ep_openssl_is_loaded(void)
{
	return atomic_load(&is_loaded);
}

const struct ep_openssl *ep_openssl_get(struct ep_err *err)
{
	(void)pthread_once(&once, load);
	if (missing) {
		(void)ep_fail(err, -ENOTSUP, 0,
			      "https needs OpenSSL 3, and %s can't be loaded%s", missing,
			      __libc_setup_tls ? "" : " (Debian: apt install libssl3)");
		return NULL;
	}
	/* Its configuration is read as the program's own first call would, since whoever
	 * is first does it for all; its end is left to the program. */
	if (!table.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) ||
	    (!table.library && !(table.library = table.OSSL_LIB_CTX_new()))) {
		table.ERR_clear_error();
		(void)ep_fail(err, -ENOTSUP, 0,
			      "the program has shut OpenSSL down, or its configuration is broken");
		return NULL;
	}
	return &table;
}
