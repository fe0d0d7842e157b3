/* SPDX-License-Identifier: Apache-2.0 */
/* A deep delta whose recipe, programs and inner delta come from the input, in short (deep_short.h): an error, since no input has the
 * right hashes, with what is wrong, and no more written than it says. */
#include <stdint.h>
#include <stdlib.h>

#include "pack/deep/deep.h"
#include "support/delta_io.h"
#include "support/makers/deep_short.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int put(void *ctx, const void *p, size_t n)
{
    (void)p;
    *(uint64_t *)ctx += n;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = HF_BUF_INIT(1 << 24);
    struct hf_err err = HF_ERR_INIT;
    uint64_t written = 0, new_n;

    deep_short_expand(bytes, n, &patch, &new_n);
    struct delta_io old = delta_io_of(deep_short_old()), in = delta_io_of(&patch);
    const struct hf_deep_apply_params params = {.delta = {.old = delta_io_old(&old),
                                                          .patch = delta_io_in(&in),
                                                          .out = {&written, put},
                                                          .old_is_verified = true},
                                                .memory_max = 64 << 20,
                                                .scratch_max = 1 << 20};
    int r = hf_deep_apply(&params, NULL, &err);
    if (r == 0 || err.cause[0] == '\0' || written > new_n)
        abort();
    return 0;
}
