/* SPDX-License-Identifier: Apache-2.0 */
/* The codec for .zst frames, by libzstd. Parameters: level and flags, a byte each. */
#pragma once

#include "pack/codec/codec.h"

enum pack_zstd_flags {
    ZST_CHECKSUM = 1,
    ZST_SIZE = 2,
    ZST_WORKER = 4, /* made with a worker thread, as by the zstd command */
};

extern const struct pack_codec_ops pack_zstd_ops;

/* -ENOENT: no setup makes search->packed. search->quick: levels 1 to 3 only. */
HF_MUST_USE int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
