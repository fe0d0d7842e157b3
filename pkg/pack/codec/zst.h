/* SPDX-License-Identifier: Apache-2.0 */
/* .zst frames, by libzstd; parameters: level and flags, a byte each. */
#pragma once

#include "pack/codec/codec.h"

enum pack_zstd_flags {
    ZST_CHECKSUM = 1,
    ZST_SIZE = 2,   /* states its content's size */
    ZST_WORKER = 4, /* a worker thread, as in the zstd command: long content becomes jobs */
};

extern const struct pack_codec_ops pack_zstd_ops;

/* -ENOENT: nothing makes search->packed. search->quick: levels 1 to 3. */
HF_MUST_USE int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
