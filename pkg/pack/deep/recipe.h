/* pack/deep/recipe.h - what stands before the delta in a deep delta: how old is unpacked, how new is packed.
 *
 * Bounded: RECIPE_MAX bytes, RECIPE_DEPTH streams in one another. A program is a list of: varint number of raw bytes, then an
 * operation; FORMAT.md. Everything of it comes from outside and is checked where it is used. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"
#include "pack/codec/stage.h"
#include "pack/deep/deep.h"

enum {
    DEEP_METHOD = 16, /* of the delta's header */
    RECIPE_MAX = 4 << 20,
    RECIPE_DEPTH = 6,
    RECIPE_ALIGN =
        512, /* the plain form of a stream begins at a multiple of it: programs and archives in it lie as they expect */
    RECIPE_SETUPS = 4096,
    RECIPE_STREAMS = 1 << 17,
};

/* An encoder's set-up as many streams share it. */
struct recipe_setup {
    struct pack_setup setup; /* without what belongs to one stream */
    char version[40];
    unsigned char fingerprint[PACK_FINGERPRINT_BYTES];
};

struct recipe {
    uint64_t memory_bytes, scratch_bytes;
    uint64_t streams, plain_bytes; /* read: of the unpacked new file, as its program says */
    struct hf_deep_part *parts;
    size_t parts_n;
    struct recipe_setup *setups;
    size_t setups_n;
    unsigned char *bytes; /* the recipe unpacked; programs point into it */
    const unsigned char *old_program, *new_program, *end;
};

void recipe_done(struct recipe *recipe);

/* Read from the body's beginning. -EBADMSG, -E2BIG. */
HF_MUST_USE int recipe_read(struct delta_input *input, struct recipe *recipe, struct hf_err *err);
/* Append to `out` what recipe_read() reads; the programs' bytes are given. */
HF_MUST_USE int recipe_write(const struct recipe *recipe, const struct hf_buf *old_program,
                             const struct hf_buf *new_program, struct hf_buf *out, struct hf_err *err);

/* Zero bytes before the plain form of a stream that would begin at `at` of an unpacked file. */
static inline uint64_t recipe_pad(uint64_t at)
{
    return (RECIPE_ALIGN - at % RECIPE_ALIGN) % RECIPE_ALIGN;
}

/* One step of a program. */
struct recipe_op {
    uint64_t raw;          /* bytes before it */
    bool open;             /* else: the end of this level */
    uint64_t packed_n;     /* old: of the stream */
    enum pack_codec codec; /* old */
    size_t setup;          /* new: index */
    bool gzip_tail;
    uint64_t plain_n;
    const unsigned char *marks;
    size_t marks_n;
};
HF_MUST_USE int recipe_next_old(const unsigned char **p, const unsigned char *end, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_next_new(const struct recipe *recipe, const unsigned char **p, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_put_old(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_new(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_end(struct hf_buf *program, uint64_t raw);

/* Does this program's libraries make what the delta's did? -EOPNOTSUPP. */
HF_MUST_USE int recipe_check_libraries(const struct recipe *recipe, struct hf_err *err);
