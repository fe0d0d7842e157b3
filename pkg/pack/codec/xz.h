/* pack/codec/xz.h - the codec of .xz streams, through liblzma. The streams use LZMA2 after at most three other filters.
 * Their framing is either the one that xz writes with threads or the one that xz writes without threads. */
#pragma once

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_xz_ops;

/* Finds parameters with which liblzma makes exactly search->packed. -ENOENT: no such parameters exist. */
HF_MUST_USE int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
