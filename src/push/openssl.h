/*
 * openssl.h - the functions of OpenSSL 3, found when the first https server is asked.
 *
 * Internal to push.  Nothing is linked: a process that pushes over http never loads it.
 */
#ifndef EP_PUSH_OPENSSL_H
#define EP_PUSH_OPENSSL_H

#include "base/err.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

/* One row a function, under its own name. */
#define EP_OPENSSL_FUNCTIONS(row)                                                      \
	row(OPENSSL_init_ssl) row(OpenSSL_version_num) row(OSSL_LIB_CTX_new)           \
	row(SSL_CTX_new_ex) row(SSL_CTX_free) row(SSL_CTX_ctrl) row(SSL_CTX_set_verify) \
	row(SSL_CTX_set_default_verify_paths) row(SSL_CTX_load_verify_file)            \
	row(TLS_client_method) row(SSL_new) row(SSL_free) row(SSL_ctrl)                \
	row(SSL_set_bio) row(SSL_set_connect_state) row(SSL_do_handshake)              \
	row(SSL_read_ex) row(SSL_write_ex) row(SSL_get_error) row(SSL_shutdown)        \
	row(SSL_set1_host) row(SSL_set_hostflags) row(SSL_get0_param)                  \
	row(X509_VERIFY_PARAM_set1_ip_asc) row(SSL_get_verify_result)                  \
	row(X509_verify_cert_error_string) row(SSL_set_alpn_protos) row(BIO_new)       \
	row(BIO_s_mem) row(BIO_read) row(BIO_write) row(BIO_free) row(ERR_clear_error) \
	row(ERR_get_error) row(ERR_reason_error_string)

struct ep_openssl {
#define EP_OPENSSL_POINTER(name) __typeof__(name) *name;
	EP_OPENSSL_FUNCTIONS(EP_OPENSSL_POINTER)
#undef EP_OPENSSL_POINTER
	OSSL_LIB_CTX *library; /* ours: algorithms and random numbers apart from the program's */
};

/*
 * ep_openssl_get - load it once for the process.
 *
 * NULL and a sentence when it is not there, is too old, or was shut down.  Any thread;
 * not signal-safe.  What it leaves alone of the program: docs/decisions/0309.
 */
const struct ep_openssl *ep_openssl_get(struct ep_err *err);
/* Was it loaded?  Any thread. */
bool ep_openssl_is_loaded(void);

#endif
