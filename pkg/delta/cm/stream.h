/* SPDX-License-Identifier: Apache-2.0 */
/* The history of coded bytes, and a coder of bytes without a copy. */
#pragma once

#include "delta/cm/bytes.h"
#include "delta/image/image.h"

enum delta_order { DELTA_ORDER_PLAIN, DELTA_ORDER_X86, DELTA_ORDER_AARCH64 };

/* `region` is the region's kind. */
enum delta_order delta_order_of(enum delta_machine machine, unsigned region);

enum { STREAM_OLD = 2, STREAM_TAIL = 32 };

struct delta_stream {
    struct delta_bytes bytes;
    /* Positions in the history by the hash of a few bytes. `history` follows in the same memory. */
    uint32_t *match_at;
    unsigned char *history;
    unsigned match_bits;
    uint32_t history_size;
    uint64_t pos;    /* in the history */
    uint64_t place;  /* in the new file; equal to `pos` modulo 4 */
    uint64_t recent; /* last 8 new bytes, the latest lowest */
    uint64_t tail;   /* last 8 bytes of the history */
    uint64_t match;  /* the last match_length bytes repeat those before `match` */
    uint32_t match_length;
    /* Last position entered into match_at, the entry it replaced, and whether an AArch64 instruction ends there. */
    uint32_t noted_at, noted_before;
    bool noted_arm;
    uint32_t seen_at, seen_match, seen_length; /* for copies: the seen_length bytes before both are equal */
    uint32_t old_hits[STREAM_OLD];             /* a bit per coded byte: it was old[i]'s */
    enum delta_order order;
};

/* As delta_bytes_open(). */
HF_MUST_USE int delta_stream_open(struct delta_stream *st, uint64_t block, unsigned lean);
void delta_stream_done(struct delta_stream *st);
/* As delta_bytes_reset(). */
void delta_stream_reset(struct delta_stream *st, bool quick);

/* Codes a unit: an AArch64 instruction or x86 reference of four bytes, or a byte, at most `room`; returns its size.
 * `truth` NULL: decodes. `cm` NULL: only learns. old[0]: the old bytes if the copy before continued; old[1]: if the
 * next copy began earlier; NULL: no such copy. */
unsigned delta_stream_code(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth, uint64_t room,
                           const unsigned char *const old[STREAM_OLD], unsigned char ret_bytes[static 4]);

void delta_stream_go_to(struct delta_stream *st, uint64_t place);

/* Codes n raw bytes, from or to `bytes`. */
void delta_stream_plain(struct delta_stream *st, struct delta_cm *cm, unsigned char *bytes, size_t n);

/* Adds bytes of copies. Enters every fourth position into the match table; all if `closely` and no AArch64. */
void delta_stream_add(struct delta_stream *st, const unsigned char *bytes, size_t n, bool closely);
/* Puts a reference's target's address in place of its four bytes. */
void delta_stream_reference(struct delta_stream *st, uint64_t place, uint32_t distance);
/* 1 + the byte expected after a repetition, or 0. *ret_length < 16 grows with its length. */
unsigned delta_stream_expects(struct delta_stream *st, unsigned *ret_length);

/* Between begin and end, delta_aside_learn() teaches bytes as if they were at another place. */
struct delta_aside {
    uint64_t place, recent;
    enum delta_order order;
    unsigned char tail[STREAM_TAIL];
};

/* Adds the old bytes before the next literals. */
void delta_stream_precede(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                          size_t n);

void delta_aside_begin(struct delta_stream *st, struct delta_aside *aside);
void delta_aside_learn(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                       size_t n);
void delta_aside_end(struct delta_stream *st, const struct delta_aside *aside);
