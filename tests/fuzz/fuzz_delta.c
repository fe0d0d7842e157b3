/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a delta: either an error or the right output, within the memory bound of FORMAT.md, and the same result
 * a second time.
 *
 * Input with a delta's magic is a delta as it is, with all its lengths, hashes and frames. Other input is a short
 * delta (delta_short.h), in which every change reaches the decoders. Applying stops early: by then an input has
 * shown its effect. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "delta/io/wire.h"
#include "support/delta_io.h"
#include "support/makers/delta_short.h"
#include "support/makers/kept_blocks.h"

enum {
    PATCH_MAX = 1 << 17,
    MORE_OUT = 1 << 11,
    OUT = 576,            /* bytes of the new file after which to stop, */
    LARGE_OUT = 16 << 10, /* or after this many for one input in LARGE_EACH */
    LARGE_EACH = 64,
    AGAIN_EACH = 32,
    HASHED_EACH = 16,
    HASHED_MAX = 1 << 20, /* bytes of the old file */
};

/* No redzone follows it: the engine reads it only as a file. */
static unsigned char patch[PATCH_MAX];

struct written {
    uint64_t n, max, sum;
};

struct done {
    int r;
    struct written written;
};

/* FNV-1a */
static uint64_t sum_of(uint64_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static int put(void *ctx, const void *bytes, size_t n)
{
    struct written *written = ctx;

    written->n += n;
    written->sum = sum_of(written->sum, bytes, n);
    return written->n > written->max ? -ENOSPC : 0;
}

static int keep(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    (void)ctx;
    return checkpoint->new_offset == 0 ? -EINVAL : 0;
}

static bool is_expected(int r)
{
    return r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || r == -ENOSPC || r == -ENOMEM || r == -EINVAL;
}

struct input {
    struct delta_io patch;
    unsigned which;
    bool resumed, unhashed;
    uint64_t max;
};

static struct done apply(const struct input *in)
{
    struct delta_io patch_in = in->patch;
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_checkpoint from = {.new_offset = DELTA_BLOCK};
    struct delta_short_old *old = delta_short_old(in->which);
    struct done done = {.written.max = in->max};
    struct hf_sha256 hash;
    struct hf_delta_apply_params params = {
        .old = {old, delta_short_pread, old->size},
        .patch = delta_io_in(&patch_in),
        .out = {&done.written, put},
        .resume = in->resumed ? &from : NULL,
        .checkpoint = keep,
        .old_is_verified = true,
        .unhashed = in->unhashed || old->size > HASHED_MAX,
    };
    struct hf_delta_info info = {0};

    size_t before = kept_blocks_out();

    hf_sha256_init(&hash);
    hf_sha256_save(&hash, from.new_hash);
    done.r = hf_delta_apply(&params, &info, &err);
    if (!is_expected(done.r) || (done.r < 0 && err.cause[0] == '\0') || kept_blocks_out() != before)
        abort();
    if (done.r == 0 && done.written.n + (in->resumed ? from.new_offset : 0) != info.new_size)
        abort();
    return done;
}

/* Runs in memory that held other data before. */
static void apply_twice(const struct input *in)
{
    kept_blocks_fill(0);
    struct done one = apply(in);
    kept_blocks_fill(0xa5);
    struct done two = apply(in);

    if (one.r != two.r || one.written.n != two.written.n || one.written.sum != two.written.sum)
        abort();
}

/* Reads its header and parts without applying it. */
static bool look_at(struct input *in)
{
    struct delta_io s = in->patch;
    struct hf_delta_in from = delta_io_in(&s);
    struct hf_delta_parts parts;
    struct hf_delta_info info;
    struct hf_err err = HF_ERR_INIT;

    if (hf_delta_check(&from, &info, &parts, &err) == 0 &&
        (parts.header_bytes + parts.map_bytes + parts.block_bytes > in->patch.n || info.patch_size > in->patch.n))
        abort();
    s = in->patch;
    if (hf_delta_read_info(&from, &info, &err) < 0)
        return false;
    for (unsigned i = 0; i < DELTA_SHORT_DRAWN; i++)
        in->which = info.old_size == delta_short_old(i)->size ? i : in->which;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t sum = sum_of(UINT64_C(0xcbf29ce484222325), bytes, n) >> 20;
    struct input in = {.patch = {.p = bytes, .n = n}, .unhashed = sum % HASHED_EACH != 0};
    struct delta_short s;

    in.max = sum / HASHED_EACH % LARGE_EACH == 0 ? LARGE_OUT : OUT;
    if (n > 0 && bytes[0] == 0x89) {
        if (!look_at(&in))
            return 0;
    } else {
        in.patch.p = patch;
        if (!delta_short_parse(bytes, n, &s) || !delta_short_expand(bytes, n, patch, sizeof(patch), &in.patch.n))
            return 0;
        in.which = s.which;
        in.resumed = s.kind == DELTA_SHORT_RESUMED;
        in.max = s.more_out == 3 ? HF_MAX(in.max, (uint64_t)MORE_OUT) : in.max;
    }
    if (sum % AGAIN_EACH == 1)
        apply_twice(&in);
    else
        (void)apply(&in);
    return 0;
}
