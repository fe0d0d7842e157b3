/* SPDX-License-Identifier: Apache-2.0 */
/* pack/codec/zst.h - the codec of .zst frames, through libzstd. The parameters of this codec are one byte for the level
 * and one byte for the flags. */
#pragma once

#include "pack/codec/codec.h"

enum pack_zstd_flags {
    ZST_CHECKSUM = 1,
    ZST_SIZE = 2, /* flag of a frame that states the size of its content */
    /* flag of an encoder with one worker thread, as in the zstd command; the worker cuts long content into jobs */
    ZST_WORKER = 4,
};

extern const struct pack_codec_ops pack_zstd_ops;

/* Finds the level and flags with which libzstd makes exactly search->packed. If search->quick is true, tries only the
 * levels 1 to 3. -ENOENT: found none. */
HF_MUST_USE int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err);
