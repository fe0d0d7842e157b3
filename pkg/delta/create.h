/* delta/create.h - inside of creating: what each method is given, and what it returns. */
#pragma once

#include <errno.h>

#include "base/buf.h"
#include "delta/image/image.h"
#include "delta/io/wire.h"
#include "delta/match/match.h"

struct delta_make {
    const unsigned char *old, *new_bytes;
    size_t old_n, new_n;
    const struct hf_delta_create_params *params;
    struct delta_copies copies;
    struct delta_pair *pairs;                    /* images in old and new that belong together, ascending in new */
    struct delta_image *old_images, *new_images; /* by pair */
    uint32_t pairs_n;
};

/* Bytes in memory behind the reader that applying uses. */
struct delta_memory {
    struct hf_delta_memory bytes;
    struct hf_delta_old file;
    struct delta_old reader;
};

void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n);

/* Leave out those not worth telling; both files as they were matched, that is with references blanked. */
void delta_prune_copies(struct delta_copies *copies, const unsigned char *old, const unsigned char *new_bytes);

/* Each appends its body to `body`; the other methods' are made block by block: blocks.h. */
HF_MUST_USE int delta_make_lzma(const struct delta_make *make, struct hf_buf *body, struct hf_err *err);
/* -E2BIG: it has more bytes than the buffer may hold. */
HF_MUST_USE int delta_make_runs(const struct delta_make *make, struct hf_buf *body);
/* New as it is, in the same form: at most 11 bytes more than it has. */
HF_MUST_USE int delta_make_stored(const struct delta_make *make, struct hf_buf *body);

static inline int delta_no_memory(struct hf_err *err)
{
    return hf_err_set(err, ENOMEM, "out of memory");
}
