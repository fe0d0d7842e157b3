/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe begins a deep delta's body: two programs, which unpack the old file and compress the new one.
 *
 * A program is a list of steps (FORMAT.md): bytes to copy, then an operation. Security: recipes are untrusted; every
 * value is checked before use. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"
#include "pack/codec/stage.h"
#include "pack/deep/deep.h"

enum {
    DEEP_METHOD = 16,
    RECIPE_MAX = 4 << 20,
    RECIPE_DEPTH = 6,
    /* plain forms begin at multiples of this */
    RECIPE_ALIGN = 512,
    RECIPE_SETUPS = 4096,
    RECIPE_STREAMS = 1 << 17,
};

struct recipe_setup {
    struct pack_setup setup;
    char version[40];
    unsigned char fingerprint[PACK_FINGERPRINT_BYTES];
};

struct recipe {
    uint64_t memory_bytes, scratch_bytes;
    uint64_t streams, plain_bytes;
    uint64_t shared_streams; /* new streams that share state; if there are any, a coded part follows the recipe */
    struct hf_deep_part *parts;
    size_t parts_n;
    struct recipe_setup *setups;
    size_t setups_n;
    unsigned char *bytes;
    const unsigned char *old_program, *new_program, *end;
};

void recipe_done(struct recipe *recipe);

/* Free *recipe also after an error. -EBADMSG: invalid. -EOPNOTSUPP: unknown codec. Other errors are those of
 * `input`. */
HF_MUST_USE int recipe_read(struct delta_input *input, struct recipe *recipe, struct hf_err *err);
/* -E2BIG: larger than RECIPE_MAX. */
HF_MUST_USE int recipe_write(const struct recipe *recipe, const struct hf_buf *old_program,
                             const struct hf_buf *new_program, struct hf_buf *out, struct hf_err *err);

static inline uint64_t recipe_pad(uint64_t at)
{
    return (RECIPE_ALIGN - at % RECIPE_ALIGN) % RECIPE_ALIGN;
}

/* One step: raw bytes, then a stream begins, or the enclosing stream ends. Only old programs have packed_n and codec,
 * only new programs `setup` and the members after gzip_tail. */
struct recipe_op {
    uint64_t raw;
    bool open; /* a stream begins; otherwise the enclosing stream, or the file, ends */
    uint64_t packed_n;
    enum pack_codec codec;
    size_t setup;
    bool gzip_tail;
    uint64_t plain_n;
    const unsigned char *marks;
    size_t marks_n;
};
/* Whether the operation opens a stream of the new file that shares state. */
bool recipe_is_shared(const struct recipe *recipe, const struct recipe_op *op);
/* Read one step, and move *p behind it. -EBADMSG: invalid. */
HF_MUST_USE int recipe_next_old(const unsigned char **p, const unsigned char *end, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_next_new(const struct recipe *recipe, const unsigned char **p, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_put_old(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_new(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_end(struct hf_buf *program, uint64_t raw);

/* Checks that our libraries compress as the delta needs. -EOPNOTSUPP: a library makes other bytes. -EBADMSG: a library
 * of another version needs more memory than the recipe states. */
HF_MUST_USE int recipe_check_libraries(const struct recipe *recipe, struct hf_err *err);
