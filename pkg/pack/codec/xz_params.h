/* pack/codec/xz_params.h - the parameters of an xz encoder, shared by xz.c (which defines these functions) and
 * xz_find.c. */
#pragma once

#include <lzma.h>

#include "pack/codec/codec.h"

enum { XZ_FILTERS_MAX = 3 /* before LZMA2 */ };

/* The parameters, as liblzma takes them. Points into itself: do not copy after pack_xz_end_filters(). */
struct pack_xz_params {
    bool threaded; /* each block states its sizes, as the threaded encoder writes it */
    lzma_check check;
    unsigned filters_n; /* before LZMA2 */
    lzma_filter filters[XZ_FILTERS_MAX + 2];
    lzma_options_bcj bcj[XZ_FILTERS_MAX];
    lzma_options_delta delta[XZ_FILTERS_MAX];
    lzma_options_lzma lzma;
    uint64_t block_bytes;
};

/* Appends a filter; `value` is its start offset, or the distance of a delta filter. */
void pack_xz_add_filter(struct pack_xz_params *params, lzma_vli id, uint32_t value);
/* Appends LZMA2 and the end of the list. */
void pack_xz_end_filters(struct pack_xz_params *params);
/* Writes the parameters to setup->params. */
void pack_xz_format(const struct pack_xz_params *params, struct pack_setup *setup);
