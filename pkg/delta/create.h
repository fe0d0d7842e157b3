/* SPDX-License-Identifier: Apache-2.0 */
/* delta/create.h - the input of all methods that create a delta's body.
 *
 * Threads: methods only read a struct delta_make, so several threads may share one. */
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
    struct delta_pair *pairs;                    /* pairs of an old and a new image, in the order of the new images */
    struct delta_image *old_images, *new_images; /* old_images[i] and new_images[i] are the images of pairs[i] */
    uint32_t pairs_n;
};

/* Makes a body of method 3 and appends it to `body`. (blocks.h declares the encoders of methods 1 and 2.) */
HF_MUST_USE int delta_make_lzma(const struct delta_make *make, struct hf_buf *body, struct hf_err *err);
/* Makes a body of method 4 and appends it to `body`. -E2BIG: the body exceeds the buffer's maximum. */
HF_MUST_USE int delta_make_runs(const struct delta_make *make, struct hf_buf *body);
/* Appends a body of method 4 that holds the new file uncompressed. The body is at most 11 bytes longer than the new
 * file, which must have at least 6 bytes. Uses only make->new_bytes and make->new_n. -E2BIG: the body exceeds the
 * buffer's maximum. Also returns -ENOMEM. */
HF_MUST_USE int delta_make_stored(const struct delta_make *make, struct hf_buf *body);

static inline int delta_no_memory(struct hf_err *err)
{
    return hf_err_set(err, ENOMEM, "out of memory");
}
