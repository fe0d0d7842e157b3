/* SPDX-License-Identifier: Apache-2.0 */
/* pack/codec/xz_params.h - the parameters of an xz encoder, shared by xz.c (which defines these functions) and
 * xz_find.c. */
#pragma once

#include <lzma.h>

#include "pack/codec/codec.h"

enum { XZ_FILTERS_MAX = 3 /* maximum number of filters before LZMA2 */ };

/* The parameters in the form that liblzma takes. The struct contains pointers to its own members: do not copy it
 * after pack_xz_end_filters(). */
struct pack_xz_params {
    /* true if the header of each block states the sizes of the block, which is the framing that xz writes with
     * threads */
    bool threaded;
    lzma_check check;
    unsigned filters_n; /* number of filters before LZMA2 */
    lzma_filter filters[XZ_FILTERS_MAX + 2];
    lzma_options_bcj bcj[XZ_FILTERS_MAX];
    lzma_options_delta delta[XZ_FILTERS_MAX];
    lzma_options_lzma lzma;
    uint64_t block_bytes;
};

/* Appends a filter. `value` is the distance for a delta filter, and the start offset for any other filter. */
void pack_xz_add_filter(struct pack_xz_params *params, lzma_vli id, uint32_t value);
/* Appends LZMA2 and the end of the list of filters. */
void pack_xz_end_filters(struct pack_xz_params *params);
/* Writes the parameters to setup->params. */
void pack_xz_format(const struct pack_xz_params *params, struct pack_setup *setup);
