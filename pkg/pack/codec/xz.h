/* SPDX-License-Identifier: Apache-2.0 */
/* pack/codec/xz.h - the codec of .xz streams, through liblzma. The streams use LZMA2 after at most three other filters.
 * Their framing is either the one that xz writes with threads or the one that xz writes without threads. */
#pragma once

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_xz_ops;

/* From the stream's headers and the presets of the xz command, finds parameters with which liblzma makes exactly
 * search->packed. -ENOENT: found none. */
HF_MUST_USE int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
