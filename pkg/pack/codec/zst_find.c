/* SPDX-License-Identifier: Apache-2.0 */
/* The level and flags of a zstd frame, read from its head and proven by compressing the content again. */
#include <errno.h>
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getCParams() */
#include <zstd.h>

#include "base/macros.h"
#include "pack/codec/stage.h"
#include "pack/codec/zst.h"

enum { SINGLE = 32, MAGIC_BYTES = 4, WINDOW_LOG_MIN = 10 };

/* True if a frame of this level has the window size of search->packed. A single-segment frame states no window. */
static bool has_window(const struct pack_search *search, int level, bool known)
{
    unsigned head = search->packed[MAGIC_BYTES], window = search->packed[MAGIC_BYTES + 1];
    ZSTD_compressionParameters usual = ZSTD_getCParams(level, known ? search->plain_n : 0, 0);

    if ((head & SINGLE) != 0)
        return known && UINT64_C(1) << usual.windowLog >= search->plain_n;
    return window == (usual.windowLog - WINDOW_LOG_MIN) << 3;
}

static bool fits(const struct pack_search *search, const struct pack_setup *setup)
{
    bool known = (setup->params[1] & ZST_SIZE) != 0;
    ZSTD_compressionParameters usual = ZSTD_getCParams(setup->params[0], known ? search->plain_n : 0, 0);
    uint64_t window = UINT64_C(1) << usual.windowLog;

    return search->memory_max == 0 || pack_encoder_memory(setup) <= search->memory_max + window;
}

/* Tries a level with and without a worker. A worker cuts content into jobs, which does not show in the first blocks
 * of 128 KiB. Content of one job, or of one window, which a single segment is: try without a worker first, because it
 * mostly makes the same, and a worker needs 64 MiB more memory. Longer content: try with a worker first, because the
 * zstd command uses one, unless its memory is above search->memory_max. Returns 1 if the setup was found. */
static int try_level(const struct pack_search *search, struct pack_setup *setup, struct hf_err *err)
{
    enum { TRIAL = 3 << 17, ONE_JOB = 1 << 20 };

    if (!fits(search, setup)) /* without a worker, so it does with one neither */
        return 0;
    int r = pack_encoder_starts(setup, search, TRIAL, err);

    if (search->plain_n <= ONE_JOB || (search->packed[MAGIC_BYTES] & SINGLE) != 0)
        setup->params[1] |= ZST_WORKER;
    for (unsigned i = 0; r > 0 && i < 2; i++) {
        setup->params[1] ^= ZST_WORKER;
        if (!fits(search, setup))
            continue;
        if ((r = pack_encoder_makes(setup, search, err)) != 0)
            return r;
        r = 1;
    }
    return HF_MIN(r, 0);
}

int pack_zstd_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err)
{
    enum { QUICK_LEVELS = 3 }; /* the first three of `levels` */
    static const unsigned char levels[] = {3, 1, 2,  9,  6,  19, 12, 15, 22, 4,  5,
                                           7, 8, 10, 11, 13, 14, 16, 17, 18, 20, 21};
    struct pack_setup setup = {.codec = PACK_CODEC_ZSTD, .params_n = 2, .plain_n = search->plain_n};
    size_t tried = search->quick ? QUICK_LEVELS : HF_LEN(levels);

    if (search->packed_n < 6 || (search->packed[MAGIC_BYTES] & 3) != 0)
        return hf_err_set(err, ENOENT, "the zstd frame needs a dictionary");
    unsigned head = search->packed[MAGIC_BYTES], flags = (head & 4) != 0 ? ZST_CHECKSUM : 0;
    if (head >> 6 != 0 || (head & SINGLE) != 0)
        flags |= ZST_SIZE;
    for (size_t i = 0; i < tried; i++) {
        if (!has_window(search, levels[i], (flags & ZST_SIZE) != 0))
            continue;
        setup.params[0] = levels[i];
        setup.params[1] = (unsigned char)flags;
        int r = try_level(search, &setup, err);
        if (r < 0)
            return r;
        if (r > 0) {
            if ((flags & ZST_SIZE) == 0)
                setup.plain_n = 0;
            *ret_setup = setup;
            return 0;
        }
    }
    return hf_err_set(err, ENOENT, "no encoder setup makes the same bytes");
}
