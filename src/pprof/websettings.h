/*
 * websettings.h - named options of the page, in the reference's file and form.
 *
 * settings.json in $XDG_CONFIG_HOME/pprof or ~/.config/pprof holds of each name the
 * saved options that are not zero; both programs read what the other wrote.
 */
#ifndef EP_PPROF_WEBSETTINGS_H
#define EP_PPROF_WEBSETTINGS_H

#include "codec/json.h"
#include "pprof/webroom.h"

/* Append "configs": what is saved, each as the parameters of a URL; none when the file
 * can't be read, which "configs_error" then says. */
void ep_websettings_write(struct ep_web *w, struct ep_jsonw *j);

#endif
