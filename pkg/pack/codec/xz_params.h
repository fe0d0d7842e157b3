/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <lzma.h>

#include "pack/codec/codec.h"

enum { XZ_FILTERS_MAX = 3 /* before LZMA2 */ };

/* Points into itself: do not copy it once it has a filter. */
struct pack_xz_params {
    bool threaded;
    lzma_check check;
    unsigned filters_n;
    lzma_filter filters[XZ_FILTERS_MAX + 2];
    lzma_options_bcj bcj[XZ_FILTERS_MAX];
    lzma_options_delta delta[XZ_FILTERS_MAX];
    lzma_options_lzma lzma;
    uint64_t block_bytes;
};

/* `value`: the distance of a delta filter, the start offset of any other. */
void pack_xz_add_filter(struct pack_xz_params *params, lzma_vli id, uint32_t value);
void pack_xz_end_filters(struct pack_xz_params *params);
void pack_xz_format(const struct pack_xz_params *params, struct pack_setup *setup);
