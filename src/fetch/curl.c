/* curl.c - see curl.h. */
#include "fetch/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ep_curl table;
static const char *missing; /* what could not be had; NULL: all is there */

static void load(void)
{
	static const struct {
		const char *name;
		void *slot;
	} functions[] = {
		{"curl_global_init", &table.global_init}, {"curl_easy_init", &table.easy_init},
		{"curl_easy_setopt", &table.setopt},	  {"curl_easy_perform", &table.perform},
		{"curl_easy_cleanup", &table.cleanup},	  {"curl_easy_strerror", &table.strerror},
	};
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		missing = "libcurl.so.4";
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
	if (table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		missing = "curl_global_init";
}

const struct ep_curl *ep_curl_get(struct ep_err *err)
{
	(void)pthread_once(&once, load);
	if (!missing)
		return &table;
	(void)ep_fail(err, -ENOTSUP, 0,
		      "URLs need libcurl, and %s can't be loaded; install it (Debian: apt "
		      "install libcurl4), or fetch the profile with another tool and name the "
		      "file",
		      missing);
	return NULL;
}
