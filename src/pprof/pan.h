/* pan.h - the script inside an SVG that lets mouse, wheel and keys move the picture. */
#ifndef EP_PPROF_PAN_H
#define EP_PPROF_PAN_H

extern const char ep_pan_script[];

#endif
