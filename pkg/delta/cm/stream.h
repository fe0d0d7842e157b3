/* SPDX-License-Identifier: Apache-2.0 */
/* The history of coded bytes, in which repetitions are found, and the coder of literals. */
#pragma once

#include "delta/cm/bytes.h"
#include "delta/image/image.h"

enum delta_order { DELTA_ORDER_PLAIN, DELTA_ORDER_X86, DELTA_ORDER_AARCH64 };

enum delta_order delta_order_of(enum delta_machine machine, unsigned region);

enum { STREAM_OLD = 2, STREAM_TAIL = 32 };

struct delta_stream {
    struct delta_bytes bytes;
    /* Maps the hash of a few bytes to the position behind their last noted occurrence. `history` is in the same memory.
     * */
    uint32_t *match_at;
    unsigned char *history;
    unsigned match_bits;
    uint32_t history_size;
    uint64_t pos;
    uint64_t place; /* in the new file; equal to `pos` modulo 4 */
    uint64_t recent;
    uint64_t tail;
    uint64_t match;
    uint32_t match_length;
    uint32_t noted_at, noted_before;
    bool noted_arm;
    uint32_t seen_at, seen_match, seen_length;
    uint32_t old_hits[STREAM_OLD];
    enum delta_order order;
};

HF_MUST_USE int delta_stream_open(struct delta_stream *st, uint64_t block, unsigned lean);
void delta_stream_done(struct delta_stream *st);
void delta_stream_reset(struct delta_stream *st, bool quick);

/* Codes a unit of at most `room` bytes, and returns its size: an AArch64 instruction, an x86 reference of four bytes,
 * or a byte. `truth` NULL: decodes. `cm` NULL: only learns. old[0]: the bytes here if the copy before continued;
 * old[1]: the bytes here if the next copy began earlier; either may be NULL. */
unsigned delta_stream_code(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth, uint64_t room,
                           const unsigned char *const old[STREAM_OLD], unsigned char ret_bytes[static 4]);

void delta_stream_go_to(struct delta_stream *st, uint64_t place);

/* Codes n bytes without a model, and adds them to the history. */
void delta_stream_plain(struct delta_stream *st, struct delta_cm *cm, unsigned char *bytes, size_t n);

/* Adds bytes to the history, and every fourth position to match_at (every one if `closely`, except in AArch64
 * code). */
void delta_stream_add(struct delta_stream *st, const unsigned char *bytes, size_t n, bool closely);
/* Puts the target's address in place of a reference's four bytes in the history. */
void delta_stream_reference(struct delta_stream *st, uint64_t place, uint32_t distance);
/* Returns 1 + the byte that a repetition predicts, or 0. *ret_length, below 16, grows with its length. */
unsigned delta_stream_expects(struct delta_stream *st, unsigned *ret_length);

/* What delta_aside_end() restores after delta_aside_learn() has learned bytes as if they were at another place. */
struct delta_aside {
    uint64_t place, recent;
    enum delta_order order;
    unsigned char tail[STREAM_TAIL];
};

void delta_stream_precede(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                          size_t n);

void delta_aside_begin(struct delta_stream *st, struct delta_aside *aside);
void delta_aside_learn(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                       size_t n);
void delta_aside_end(struct delta_stream *st, const struct delta_aside *aside);
