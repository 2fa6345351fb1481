/*
 * nine_endpoint.c - is /debug/pprof private, are its captures limited: by asking it, as
 * anybody on this machine could.
 */
#include "proof/nine.h"

#include "codec/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOT "/debug/pprof/"

enum { LONGEST_OK_S = 300, BEGUN_MS = 300 };

/* One that answers as /debug/pprof does. */
struct endpoint {
	const struct ep_knock_address *at;
	int status; /* without a token */
};

static bool is_list(const char *body)
{
	return strstr(body, "\"profiles\"") || strstr(body, "/debug/pprof");
}

static bool is_endpoint(const struct ep_knock_address *a, int *ret_status)
{
	ep_auto_buf body;
	ep_buf_init(&body, 1 << 18);
	*ret_status = ep_knock_get(a, ROOT "?format=json", NULL, &body);
	return (*ret_status == 200 && is_list(ep_buf_cstr(&body))) || *ret_status == 401 ||
	       *ret_status == 403;
}

static bool has_port(const struct ep_knock_address *a, const char *http)
{
	const char *mine = strrchr(a->text, ':'), *wanted = strrchr(http, ':');
	return mine && wanted && !strcmp(mine, wanted);
}

/*
 * Where EVERPROF_HTTP names a port, that one is asked and no other; else each address
 * that the service listens at.
 */
static bool find(const struct ep_here *h, struct endpoint *ret)
{
	bool named = *h->http && strcmp(h->http, "mounted") != 0;
	const char *port = strrchr(h->http, ':');
	bool any_port = named && port && !strcmp(port, ":0");
	for (unsigned i = 0; i < h->n_addresses; i++) {
		const struct ep_knock_address *a = &h->addresses[i];
		bool is_unix = a->sa.ss_family == AF_UNIX;
		if (named && !any_port && !is_unix && !has_port(a, h->http))
			continue;
		if (is_endpoint(a, &ret->status)) {
			ret->at = a;
			return true;
		}
	}
	return false;
}

/* ---- private -------------------------------------------------------------------------------- */

static void private_socket(const struct ep_knock_address *a, struct ep_nine_reply *reply)
{
	struct stat st;
	const char *path = ((const struct sockaddr_un *)&a->sa)->sun_path;
	if (stat(path, &st) < 0) {
		ep_nine_set(reply, EP_REPLY_UNKNOWN, "%s can't be looked at", a->text);
		return;
	}
	bool ok = !(st.st_mode & 0077);
	ep_nine_set(reply, ok ? EP_REPLY_YES : EP_REPLY_NO, "%s has mode %04o", a->text,
		    st.st_mode & 07777);
	if (!ok)
		ep_nine_todo(reply, "chmod 0600, or a token file");
}

static void private(const struct endpoint *e, struct ep_nine_reply *reply)
{
	struct ep_knock_address other;
	const struct ep_knock_address *a = e->at;
	if (a->sa.ss_family == AF_UNIX) {
		private_socket(a, reply);
		return;
	}
	if (e->status == 401 || e->status == 403) {
		ep_nine_set(reply, EP_REPLY_YES, "%s answers %d without a token", a->text, e->status);
		return;
	}
	if (ep_knock_is_loopback(a)) {
		ep_nine_set(reply, EP_REPLY_YES, "%s is of this machine alone", a->text);
		return;
	}
	/* One that is mounted in the program's own server tells peers apart. */
	bool elsewhere = ep_knock_is_any(a) && ep_knock_elsewhere(a, &other);
	const struct ep_knock_address *from = elsewhere ? &other : a;
	int status = elsewhere ? ep_knock_get(from, ROOT "?format=json", NULL, NULL) : e->status;
	ep_nine_set(reply, status == 200 ? EP_REPLY_NO : EP_REPLY_YES,
		    status == 200 ? "%s answers whoever reaches it, without a token (%d)"
				  : "%s answers %d to who is not on this machine",
		    from->text, status);
	if (status == 200)
		ep_nine_todo(reply, "EVERPROF_HTTP=127.0.0.1:PORT, or EVERPROF_TOKEN_FILE");
}

/* A status, or why there is none. */
static const char *words(int status, char buf[32])
{
	if (status > 0)
		snprintf(buf, 32, "%d", status);
	else
		snprintf(buf, 32, "%s", status == -ETIMEDOUT ? "not soon" : "not at all");
	return buf;
}

/* ---- clamped -------------------------------------------------------------------------------- */

/* What its list says, to who has the token. */
struct list {
	int status;
	int64_t limit_s; /* of `seconds`; 0: it does not say */
	char open[EP_SHELF_TEXT];
};

static bool is_open_things(struct ep_slice name, int64_t count)
{
	static const char *const others[] = {"allocs", "block",	     "cmdline", "goroutine", "heap",
					     "mutex",  "profile",    "scopes",	"symbol",    "threadcreate",
					     "threads", "trace",     "wall"};
	if (ep_slice_is(name, "tasks")) /* it is there before the first one */
		return count > 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (ep_slice_is(name, others[i]))
			return false;
	return true;
}

static void read_names(const struct ep_json *profiles, struct list *ret)
{
	for (size_t i = 0; i < ep_json_n(profiles); i++) {
		const struct ep_json *row = ep_json_at(profiles, i);
		struct ep_slice name;
		int64_t count = 0;
		size_t at = strlen(ret->open);
		(void)ep_json_int(ep_json_get(row, "count"), &count); /* else 0 */
		if (ep_json_str(ep_json_get(row, "name"), &name) && is_open_things(name, count))
			snprintf(ret->open + at, sizeof(ret->open) - at, "%s%.*s", at ? ", " : "",
				 EP_SLICE_ARG(name));
	}
}

static void read_list(const struct ep_knock_address *a, const char *token, struct list *ret)
{
	ep_auto_buf body;
	ep_auto(ep_json) root = NULL;
	struct ep_err err = {0};
	ep_buf_init(&body, 1 << 18);
	*ret = (struct list){.status = ep_knock_get(a, ROOT "?format=json", token, &body)};
	if (ret->status != 200 ||
	    ep_json_parse((struct ep_slice){(const char *)body.data, body.len}, &root, &err) < 0)
		return;
	(void)ep_json_int(ep_json_get(ep_json_get(root, "limits"), "profile_seconds"),
			  &ret->limit_s); /* else 0 */
	read_names(ep_json_get(root, "profiles"), ret);
}

/*
 * Begin an hour, ask for another meanwhile, and leave.
 * out: status of the second; 0: the first was refused at once, which will do as well
 */
static int second_capture(const struct ep_knock_address *a, const char *token, int *ret_first)
{
	int first = ep_knock_ask(a, ROOT "profile?seconds=3600", token), status;
	if (first < 0)
		return first;
	*ret_first = ep_knock_answer(first, BEGUN_MS, NULL);
	status = *ret_first == -ETIMEDOUT ? ep_knock_get(a, ROOT "profile?seconds=1", token, NULL)
					  : 0;
	close(first);
	return status;
}

static void clamped(const struct endpoint *e, const char *token, const struct list *list,
		    struct ep_nine_reply *reply)
{
	int first = 0;
	char buf[32];
	int64_t limit = list->limit_s;
	if (list->status != 200) {
		ep_nine_set(reply, EP_REPLY_UNKNOWN, "%s answers %s%s", e->at->text,
			    words(list->status, buf),
			    token ? " to this token" : " without a token");
		ep_nine_todo(reply, "give this command one of its tokens: --debug-token-file FILE");
		return;
	}
	int second = second_capture(e->at, token, &first);
	bool busy = second == 429 || second == 503 || second == 500;
	if (limit > 0 && limit <= LONGEST_OK_S && busy) {
		ep_nine_set(reply, EP_REPLY_YES,
			    "%lld s at most; a second capture beside a first is answered %d",
			    (long long)limit, second);
	} else if (!second && first >= 400) {
		ep_nine_set(reply, EP_REPLY_YES, "seconds=3600 is answered %d", first);
	} else if (!second && first == 200) {
		ep_nine_set(reply, EP_REPLY_UNKNOWN, "%s answers seconds=3600 at once, with 200",
			    e->at->text);
	} else {
		ep_nine_set(reply, EP_REPLY_NO,
			    "seconds=3600 is begun, %s; a second capture beside it is answered %s",
			    limit > 0 ? "though it is clamped" : "and nothing says that it ends before",
			    words(second, buf));
		ep_nine_todo(reply, "let libeverprof serve it (EVERPROF_HTTP), which clamps and takes "
				    "one at a time");
	}
}

/* ---- both ----------------------------------------------------------------------------------- */

static void set_both(struct ep_nines *n, enum ep_reply reply, const char *text, const char *todo)
{
	ep_nine_set(&n->of[EP_NINE_PRIVATE], reply, "%s", text);
	ep_nine_set(&n->of[EP_NINE_CLAMPED], reply, "%s", text);
	ep_nine_todo(&n->of[EP_NINE_PRIVATE], "%s", todo);
}

void ep_nine_answer_endpoint(const struct ep_nine_facts *f, struct ep_nines *ret,
			     char ret_open[EP_SHELF_TEXT])
{
	struct list list;
	const struct ep_here *h = f->here;
	struct endpoint e = {.at = NULL};
	if (!h->n_pids)
		set_both(ret, EP_REPLY_UNKNOWN, "it does not run on this machine",
			 "ask on the machine where it runs");
	else if (find(h, &e)) {
		read_list(e.at, f->token, &list);
		memcpy(ret_open, list.open, sizeof(list.open));
		private(&e, &ret->of[EP_NINE_PRIVATE]);
		clamped(&e, f->token, &list, &ret->of[EP_NINE_CLAMPED]);
	} else if (h->hidden)
		set_both(ret, EP_REPLY_UNKNOWN, "its descriptors can't be read",
			 "ask as its user, or with sudo");
	else if (h->apart)
		set_both(ret, EP_REPLY_UNKNOWN, "it has a network of its own",
			 "ask inside its container");
	else
		set_both(ret, EP_REPLY_YES, "it serves none: nobody can ask", "");
}
