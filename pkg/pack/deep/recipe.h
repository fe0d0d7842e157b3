/* SPDX-License-Identifier: Apache-2.0 */
/* Begins a deep delta's body: programs that unpack the old file and compress the new one.
 *
 * A program is steps (FORMAT.md): a number of bytes to copy, and an operation. Security: recipes are untrusted; every
 * value is checked before use. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"
#include "pack/codec/stage.h"
#include "pack/deep/deep.h"

enum {
    DEEP_METHOD = 16, /* in the delta's header */
    RECIPE_MAX = 4 << 20,
    RECIPE_DEPTH = 6,
    /* Plain forms begin at multiples. */
    RECIPE_ALIGN = 512,
    RECIPE_SETUPS = 4096,
    RECIPE_STREAMS = 1 << 17,
};

struct recipe_setup {
    struct pack_setup setup; /* without a stream's marks, gzip_tail and plain_n */
    char version[40];
    unsigned char fingerprint[PACK_FINGERPRINT_BYTES];
};

struct recipe {
    uint64_t memory_bytes, scratch_bytes;
    uint64_t streams, plain_bytes; /* computed by recipe_read() */
    uint64_t shared_streams;       /* computed: of new, sharing state; if any, a coded part follows the recipe */
    struct hf_deep_part *parts;
    size_t parts_n;
    struct recipe_setup *setups;
    size_t setups_n;
    unsigned char *bytes; /* decompressed; the pointers point into it */
    const unsigned char *old_program, *new_program, *end;
};

void recipe_done(struct recipe *recipe);

/* Free *recipe also after an error. -EBADMSG: invalid. -EOPNOTSUPP: unknown codec. `input`'s errors. */
HF_MUST_USE int recipe_read(struct delta_input *input, struct recipe *recipe, struct hf_err *err);
/* -E2BIG: RECIPE_MAX. */
HF_MUST_USE int recipe_write(const struct recipe *recipe, const struct hf_buf *old_program,
                             const struct hf_buf *new_program, struct hf_buf *out, struct hf_err *err);

/* Zeros to insert at `at`. */
static inline uint64_t recipe_pad(uint64_t at)
{
    return (RECIPE_ALIGN - at % RECIPE_ALIGN) % RECIPE_ALIGN;
}

/* Raw bytes, then a stream's start, or the end of the stream around. */
struct recipe_op {
    uint64_t raw;
    bool open;             /* false: the stream around, or the file, ends */
    uint64_t packed_n;     /* old program */
    enum pack_codec codec; /* old program */
    size_t setup;          /* new program: in recipe->setups */
    bool gzip_tail;
    /* new program from here on */
    uint64_t plain_n;
    const unsigned char *marks;
    size_t marks_n;
};
/* An operation of the new program opens a stream that shares state. */
bool recipe_is_shared(const struct recipe *recipe, const struct recipe_op *op);
/* Move *p on. -EBADMSG. */
HF_MUST_USE int recipe_next_old(const unsigned char **p, const unsigned char *end, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_next_new(const struct recipe *recipe, const unsigned char **p, struct recipe_op *ret_op,
                                struct hf_err *err);
/* _end(): raw bytes, then the end of the stream around. */
HF_MUST_USE int recipe_put_old(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_new(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_end(struct hf_buf *program, uint64_t raw);

/* -EOPNOTSUPP: a library here makes other bytes than the delta's maker's. -EBADMSG: an encoder needs more memory than
 * stated (checked if versions differ). */
HF_MUST_USE int recipe_check_libraries(const struct recipe *recipe, struct hf_err *err);
