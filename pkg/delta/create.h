/* SPDX-License-Identifier: Apache-2.0 */
/* The input of all methods. They only read it, so threads may share it. */
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
    struct delta_image *old_images, *new_images;
    uint32_t pairs_n;
};

HF_MUST_USE int delta_make_lzma(const struct delta_make *make, struct hf_buf *body, struct hf_err *err);
/* Makes a body of method 4. -E2BIG: larger than the buffer's maximum. */
HF_MUST_USE int delta_make_runs(const struct delta_make *make, struct hf_buf *body);
/* Makes a body of method 4 with the new file, of 6 bytes or more, as it is: at most 11 bytes longer. Uses new_bytes and
 * new_n only. -E2BIG as above. */
HF_MUST_USE int delta_make_stored(const struct delta_make *make, struct hf_buf *body);

static inline int delta_no_memory(struct hf_err *err)
{
    return hf_err_set(err, ENOMEM, "out of memory");
}
