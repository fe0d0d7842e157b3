/* SPDX-License-Identifier: Apache-2.0 */
/* Input of all methods, which only read it: threads may share it. */
#pragma once

#include <errno.h>

#include "base/buf.h"
#include "delta/image/image.h"
#include "delta/io/memory.h"
#include "delta/io/wire.h"
#include "delta/match/match.h"

struct delta_make {
    const unsigned char *old, *new_bytes;
    size_t old_n, new_n;
    const struct hf_delta_create_params *params;
    struct delta_copies copies;
    struct delta_pair *pairs;
    struct delta_image *old_images, *new_images; /* of pairs[i] */
    uint32_t pairs_n;
};

/* Method 3; 1 and 2: blocks.h. */
HF_MUST_USE int delta_make_lzma(const struct delta_make *make, struct hf_buf *body, struct hf_err *err);
/* Method 4. -E2BIG: buffer's maximum. */
HF_MUST_USE int delta_make_runs(const struct delta_make *make, struct hf_buf *body);
/* Method 4 for a new file of 6 bytes or more, uncompressed: at most 11 longer. Uses new_bytes and new_n alone.
 * -E2BIG. */
HF_MUST_USE int delta_make_stored(const struct delta_make *make, struct hf_buf *body);

static inline int delta_no_memory(struct hf_err *err)
{
    return hf_err_set(err, ENOMEM, "out of memory");
}
