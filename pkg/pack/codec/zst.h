/* SPDX-License-Identifier: Apache-2.0 */
/* The codec of .zst frames, through libzstd; parameters: a byte for the level, one for flags. */
#pragma once

#include "pack/codec/codec.h"

enum pack_zstd_flags {
    ZST_CHECKSUM = 1,
    ZST_SIZE = 2,   /* the frame states its content's size */
    ZST_WORKER = 4, /* one worker thread, as in the zstd command; it cuts long content into jobs */
};

extern const struct pack_codec_ops pack_zstd_ops;

/* -ENOENT: none makes exactly search->packed. search->quick: only levels 1 to 3. */
HF_MUST_USE int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
