/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/book.h - all floors of a node, in memory and as the text in the floor record (update/floors/record.h).
 *
 * A floor is a history (update/rules/sequence.h) with a key "<kind>/<name>", such as "release/app". The text has one
 * line for each floor, in the order of the keys; "-" stands for an unknown or malformed digest:
 *
 *     floor <key> <top sequence> <top digest> <current sequence> <current digest> [<used digest>...]
 *
 * Pure. Threads: any, but one at a time for one book. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "update/rules/sequence.h"

enum {
    HF_FLOOR_BOOK_MAX = 2048,          /* floors */
    HF_FLOOR_BOOK_MAX_BYTES = 1 << 20, /* of the text */
};

struct hf_floor_book {
    struct hf_strmap floors; /* key to the rest of its line */
    unsigned changes;        /* grows with each change of a floor */
};

#define HF_FLOOR_BOOK_INIT                                                                                             \
    {                                                                                                                  \
        .floors = {.free_value = free }                                                                                \
    }
void hf_floor_book_done(struct hf_floor_book *book);

/* Merges *history with the floor of this key (hf_sequence_join()), and sets both to the result; without a committed
 * release (sequence 0) the book gets no floor. Returns 1 if the floor has changed, else 0. -E2BIG: the book is full.
 * After an error the book is unchanged, but *history is merged. */
HF_MUST_USE int hf_floor_book_join(struct hf_floor_book *book, const char *key, struct hf_sequence_history *history);

/* Merges the floors of a text, and returns how many changed. -EBADMSG: a line is malformed; the floors of the lines
 * before it are merged. Other errors as hf_floor_book_join(). */
HF_MUST_USE int hf_floor_book_add(struct hf_floor_book *book, struct hf_view text, struct hf_err *err);

/* -E2BIG: *out is full. */
HF_MUST_USE int hf_floor_book_format(const struct hf_floor_book *book, struct hf_buf *out);
