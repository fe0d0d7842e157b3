/* pack/codec/xz.h - .xz through liblzma: LZMA2 with at most three filters before it, written by xz with or without
 * threads. */
#pragma once

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_xz_ops;

/* Finds parameters with which liblzma makes exactly the same stream. -ENOENT: none. */
HF_MUST_USE int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
