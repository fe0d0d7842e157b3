/* SPDX-License-Identifier: Apache-2.0 */
/* All floors of a node, in memory and as text of the floor record (floors/record.h). A floor is a history
 * (rules/sequence.h) with a key such as "release/app". The text has a line for each floor, sorted by key; "-" is
 * an unknown digest:
 *   floor <key> <top sequence> <top digest> <current sequence> <current digest> [<used digest>...]
 * Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "update/rules/sequence.h"

enum {
    HF_FLOOR_BOOK_MAX = 2048,
    HF_FLOOR_BOOK_MAX_BYTES = 1 << 20,
};

struct hf_floor_book {
    struct hf_strmap floors; /* maps a key to the remainder of its line of text */
    unsigned changes;
};

#define HF_FLOOR_BOOK_INIT                                                                                             \
    {                                                                                                                  \
        .floors = {.free_value = free }                                                                                \
    }
void hf_floor_book_done(struct hf_floor_book *book);

/* Joins *history and the floor of this key (hf_sequence_join()); both get the result. Makes no floor without a
 * committed release (sequence 0). 1: the floor changed, else 0. -E2BIG: the book is full. An error leaves the book
 * unchanged. */
HF_MUST_USE int hf_floor_book_join(struct hf_floor_book *book, const char *key, struct hf_sequence_history *history);

/* Joins the floors in `text`. Returns how many changed. -EBADMSG: a line is malformed; the lines before it are joined.
 * Others: as hf_floor_book_join(). */
HF_MUST_USE int hf_floor_book_add(struct hf_floor_book *book, struct hf_view text, struct hf_err *err);

HF_MUST_USE int hf_floor_book_format(const struct hf_floor_book *book, struct hf_buf *out);
