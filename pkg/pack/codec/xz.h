/* SPDX-License-Identifier: Apache-2.0 */
/* The codec for .xz streams, by liblzma: LZMA2 after at most three filters. */
#pragma once

#include "pack/codec/codec.h"

extern const struct pack_codec_ops pack_xz_ops;

/* -ENOENT: no setup makes search->packed. */
HF_MUST_USE int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
