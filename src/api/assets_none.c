/* assets_none.c - what `/` answers when everprof was built without its page. */
#include "api/assets.h"

static const unsigned char page[] =
	"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>everprof</title>"
	"<p>This everprof was built without its web page (meson option <code>ui</code>). "
	"The JSON API is at <a href=\"/api/v1/services\">/api/v1</a>.</p></html>\n";

const struct ep_asset ep_assets[] = {
	{"/", "text/html; charset=utf-8", page, sizeof(page) - 1, NULL, 0, "\"none\""},
};
const size_t ep_n_assets = sizeof(ep_assets) / sizeof(ep_assets[0]);
