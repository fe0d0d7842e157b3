/* delta/coder.h - the bytes of a block of method 1: lists of numbers, differences and literals, packed by zstd or, where they are few,
 * bit by bit, as literals of method 2 are: a ninth smaller, at a hundred times the time per byte.
 *
 * Threads: a state belongs to one thread at a time. */
#pragma once

#include "base/buf.h"
#include "delta/wire.h"

/* How a block is packed: the lowest bit of the number in front of it. */
enum delta_coder { DELTA_CODER_ZSTD = 0, DELTA_CODER_MIXING = 1 };

enum delta_list { DELTA_LIST_CONTROL, DELTA_LIST_DIFF, DELTA_LIST_LITERAL };

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

struct delta_unpacker;

/* NULL: no memory. What a coder needs it gets with the first block that needs it, and loses with the first of the other. */
struct delta_unpacker *delta_unpacker_new(struct delta_input *input);
void delta_unpacker_free(struct delta_unpacker *u);

/* Begin a block of `n` bytes of the patch, which makes `made` bytes of new. */
HF_MUST_USE int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, uint64_t made,
                                     struct hf_err *err);
/* The next n bytes of the block, of one list. */
HF_MUST_USE int delta_unpacker_read(struct delta_unpacker *u, enum delta_list list, unsigned char *to, size_t n,
                                    struct hf_err *err);
/* The block must be used up. */
HF_MUST_USE int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err);

/* ---- packing --------------------------------------------------------------------------------------------------- */

/* Bytes of a block, and which of them belong to which list. */
struct delta_lists {
    struct hf_buf bytes;
    struct hf_buf shares; /* struct delta_share */
};

struct delta_share {
    enum delta_list list;
    size_t n;
};

struct delta_packer;

/* `quick`: to see what ways of matching are worth; it tells them apart as well as the other does, in a third of the time and less
 * memory. NULL: no memory. */
struct delta_packer *delta_packer_new(bool quick);
void delta_packer_free(struct delta_packer *p);

void delta_lists_clear(struct delta_lists *lists);
void delta_lists_done(struct delta_lists *lists);
HF_MUST_USE int delta_lists_add(struct delta_lists *lists, enum delta_list list, const void *bytes, size_t n);

/* Append the lists of a block that makes `made` bytes of new, with their length and coder in front. -ENOMEM. */
HF_MUST_USE int delta_packer_pack(struct delta_packer *p, const struct delta_lists *lists, uint64_t made,
                                  struct hf_buf *body);
