/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deep/recipe.h - the recipe, which is the first part of a deep delta's body. The recipe describes how to unpack
 * the old file and how to compress the new file.
 *
 * The recipe has a program for the old file and one for the new file. A program is a list of steps (FORMAT.md). A step
 * is a count and an operation. The count says how many bytes to copy unchanged before the operation; these bytes are
 * not in the recipe. A decompressed recipe has at most RECIPE_MAX bytes, and streams nest at most RECIPE_DEPTH deep.
 * Recipes are untrusted, so code that uses a value of a recipe checks that value first. */
#pragma once

#include "base/buf.h"
#include "delta/io/wire.h"
#include "pack/codec/stage.h"
#include "pack/deep/deep.h"

enum {
    DEEP_METHOD = 16, /* number of the method "deep delta" in the header of the delta */
    RECIPE_MAX = 4 << 20,
    RECIPE_DEPTH = 6,
    /* The plain form of a stream begins at a multiple of RECIPE_ALIGN in the unpacked file, so that programs and
     * archives inside the stream keep their alignment. */
    RECIPE_ALIGN = 512,
    RECIPE_SETUPS = 4096,
    RECIPE_STREAMS = 1 << 17,
};

/* An encoder setup, which several streams may share. */
struct recipe_setup {
    struct pack_setup setup; /* marks, gzip_tail and plain_n are unset, because they belong to one stream */
    char version[40];
    unsigned char fingerprint[PACK_FINGERPRINT_BYTES];
};

struct recipe {
    uint64_t memory_bytes, scratch_bytes;
    /* number of streams in the new file, and size of the unpacked new file; recipe_read() computes both */
    uint64_t streams, plain_bytes;
    struct hf_deep_part *parts;
    size_t parts_n;
    struct recipe_setup *setups;
    size_t setups_n;
    unsigned char *bytes; /* the decompressed recipe; the pointers after this field point into `bytes` */
    const unsigned char *old_program, *new_program, *end;
};

void recipe_done(struct recipe *recipe);

/* Reads the recipe at the start of a body. Free *recipe with recipe_done(), also after an error. -EBADMSG: the recipe
 * is invalid. -EOPNOTSUPP: the recipe names an unknown codec. Also returns the errors of `input`. */
HF_MUST_USE int recipe_read(struct delta_input *input, struct recipe *recipe, struct hf_err *err);
/* Appends the recipe to `out`, with old_program and new_program as its programs. -E2BIG: the recipe has more than
 * RECIPE_MAX bytes. */
HF_MUST_USE int recipe_write(const struct recipe *recipe, const struct hf_buf *old_program,
                             const struct hf_buf *new_program, struct hf_buf *out, struct hf_err *err);

/* Returns the number of zero bytes to insert at offset `at` of an unpacked file, before the plain form of a stream. */
static inline uint64_t recipe_pad(uint64_t at)
{
    return (RECIPE_ALIGN - at % RECIPE_ALIGN) % RECIPE_ALIGN;
}

/* One step of a program: a number of raw bytes, then the start of a stream or the end of the surrounding stream. "Old
 * program" is the recipe's program for the old file, "new program" the one for the new file. */
struct recipe_op {
    uint64_t raw;
    bool open;             /* true if a stream starts; false if the surrounding stream, or the file, ends */
    uint64_t packed_n;     /* old program only: compressed bytes of the stream */
    enum pack_codec codec; /* old program only: codec of the stream */
    size_t setup;          /* new program only: index in recipe->setups */
    bool gzip_tail;
    /* the fields from here on are for the new program only */
    uint64_t plain_n;
    const unsigned char *marks;
    size_t marks_n;
};
/* Parse the step at *p and move *p to the byte after that step. -EBADMSG: the step is invalid. */
HF_MUST_USE int recipe_next_old(const unsigned char **p, const unsigned char *end, struct recipe_op *ret_op,
                                struct hf_err *err);
HF_MUST_USE int recipe_next_new(const struct recipe *recipe, const unsigned char **p, struct recipe_op *ret_op,
                                struct hf_err *err);
/* Append a step to a program. Return 0 or -errno. _end() appends `raw` raw bytes and the end of the surrounding
 * stream. */
HF_MUST_USE int recipe_put_old(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_new(struct hf_buf *program, const struct recipe_op *op);
HF_MUST_USE int recipe_put_end(struct hf_buf *program, uint64_t raw);

/* Checks the libraries that the recipe names. -EOPNOTSUPP: a compression library of this program makes other bytes than
 * the library that made the delta. -EBADMSG: an encoder needs more memory than the recipe states (checked only where
 * the version of the library differs). */
HF_MUST_USE int recipe_check_libraries(const struct recipe *recipe, struct hf_err *err);
