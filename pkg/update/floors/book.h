/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/book.h - all floors of a node, in memory and as a text, which the floor record contains
 * (update/floors/record.h).
 *
 * A floor is a history (update/rules/sequence.h). Its key has the form "<kind>/<name>", such as "release/app". The text
 * has one line for each floor, in the order of the keys:
 *
 *     floor <key> <top sequence> <top digest> <current sequence> <current digest> [<used digest>...]
 *
 * In place of a digest that is unknown or malformed, the line has "-". Pure. Threads: any, but only one at a time for
 * one book. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "update/rules/sequence.h"

enum {
    HF_FLOOR_BOOK_MAX = 2048,          /* maximum number of floors */
    HF_FLOOR_BOOK_MAX_BYTES = 1 << 20, /* maximum size of the text */
};

struct hf_floor_book {
    struct hf_strmap floors; /* maps a key to the part of its line that follows the key */
    unsigned changes;        /* grows with each change of a floor */
};

#define HF_FLOOR_BOOK_INIT                                                                                             \
    {                                                                                                                  \
        .floors = {.free_value = free }                                                                                \
    }
void hf_floor_book_done(struct hf_floor_book *book);

/* Merges *history with the floor of this key (hf_sequence_join()), and sets both *history and the floor to the result.
 * If the result has no committed release (sequence 0), the book gets no floor. Returns 1 if the floor in the book has
 * changed, otherwise 0. -E2BIG: the book is full. -ENOMEM: out of memory. Also after these errors, *history has the
 * result of the merge; the book is unchanged. */
HF_MUST_USE int hf_floor_book_join(struct hf_floor_book *book, const char *key, struct hf_sequence_history *history);

/* Merges the floors of a text into the book. Returns the number of changed floors. -EBADMSG: a line is malformed. Other
 * errors: see hf_floor_book_join(). After an error, the floors of the lines before the bad line are in the book. */
HF_MUST_USE int hf_floor_book_add(struct hf_floor_book *book, struct hf_view text, struct hf_err *err);

/* Appends the text of the book. -E2BIG: *out is full. -ENOMEM: out of memory. */
HF_MUST_USE int hf_floor_book_format(const struct hf_floor_book *book, struct hf_buf *out);
