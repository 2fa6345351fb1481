/*
 * frame.h - frames that come with names: of folded stacks and of `perf script`.
 */
#ifndef EP_LEGACY_FRAME_H
#define EP_LEGACY_FRAME_H

#include "profile/build.h"

struct ep_frame {
	struct ep_slice name;	/* empty: not known */
	struct ep_slice file;	/* source; may be empty */
	struct ep_slice binary; /* may be empty */
	uint64_t address;	/* 0: not known */
	int64_t line;		/* 0: not known */
};

/* The frame of one location; its binary becomes a mapping that holds any address. */
uint32_t ep_frame_location(struct ep_build *b, const struct ep_frame *f);

/* A mapping by the name of its file; EP_NONE when that is empty. */
uint32_t ep_frame_mapping(struct ep_build *b, struct ep_slice binary);
struct ep_line ep_frame_line(struct ep_build *b, const struct ep_frame *f);

/*
 * ep_frame_parse - a frame of a folded stack, as the tools write them:
 *
 *     name   name_[k]   name_[j]   name_[i]   name (file:line)   name (dir/file.ext)
 *     [binary <hex>]   [hex]   0xhex
 *
 * The slices are of the text.
 */
struct ep_frame ep_frame_parse(struct ep_slice text);

#endif
