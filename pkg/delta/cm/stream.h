/* SPDX-License-Identifier: Apache-2.0 */
/* delta/cm/stream.h - the history of coded bytes, and the coder of the bytes for which there is no copy.
 *
 * The history holds bytes of the new file, with two changes in machine code. A reference holds the address of its
 * target instead of a distance, most significant byte first, so all references to one target look the same. An AArch64
 * instruction begins with its opcode. Before each run of literals, the history also holds some old bytes from near the
 * place of that run. Threads: a stream belongs to one thread at a time. */
#pragma once

#include "delta/cm/bytes.h"
#include "delta/image/image.h"

enum delta_order { DELTA_ORDER_PLAIN, DELTA_ORDER_X86, DELTA_ORDER_AARCH64 };

/* Returns the order in which the history holds the bytes of a region. `machine` is the machine of the region's image;
 * `region` is the kind of the region. */
enum delta_order delta_order_of(enum delta_machine machine, unsigned region);

enum { STREAM_OLD = 2, STREAM_TAIL = 32 };

struct delta_stream {
    struct delta_bytes bytes;
    /* The match table has 2^match_bits entries. The index of an entry is a hash of a few bytes. The entry is the
     * position right after the latest bytes of the history with this hash. `history` is in the same allocation, behind
     * the table. */
    uint32_t *match_at;
    unsigned char *history;
    unsigned match_bits;
    uint32_t history_size;
    uint64_t pos;    /* position in the history */
    uint64_t place;  /* position in the new file; has the same remainder as `pos` when divided by 4 */
    uint64_t recent; /* latest 8 bytes of the new file; the latest byte is the least significant */
    uint64_t tail;   /* latest 8 bytes of the history; the latest byte is the least significant */
    /* the latest match_length bytes of the history repeat those before the earlier position `match`, so the byte at
     * `match` is expected next; match_length 0 means no repetition */
    uint64_t match;
    uint32_t match_length;
    /* noted_at is the latest position entered into match_at; noted_before is the entry that noted_at replaced;
     * noted_arm is true if noted_at is the end of an AArch64 instruction */
    uint32_t noted_at, noted_before;
    bool noted_arm;
    /* for copies: the seen_length bytes of the history before seen_at equal those before the earlier position
     * seen_match */
    uint32_t seen_at, seen_match, seen_length;
    /* old_hits[i] has one bit for each of the latest coded bytes; 1 means that the coded byte was equal to the byte at
     * old[i] of delta_stream_code() */
    uint32_t old_hits[STREAM_OLD];
    enum delta_order order;
};

/* Allocates the tables and the history. Call once, before the first delta_stream_reset(). The parameters and errors are
 * those of delta_bytes_open(). */
HF_MUST_USE int delta_stream_open(struct delta_stream *st, uint64_t block, unsigned lean);
void delta_stream_done(struct delta_stream *st);
/* Prepares for the next block. `quick` has the same meaning as in delta_bytes_reset(). */
void delta_stream_reset(struct delta_stream *st, bool quick);

/* Codes the next unit. A unit is an AArch64 instruction of four bytes, an x86 reference of four bytes, or one byte. The
 * unit never has more than `room` bytes. Encodes the unit at `truth`; if `truth` is NULL, decodes a unit. If `cm` is
 * NULL, only learns the unit at `truth`. old[0] points to the old bytes that would come next if the copy before this
 * place continued. old[1] points to the old bytes that would come next if the copy after this place began earlier. A
 * pointer is NULL if there is no such copy. Returns the number of bytes of the unit. */
unsigned delta_stream_code(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth, uint64_t room,
                           const unsigned char *const old[STREAM_OLD], unsigned char ret_bytes[static 4]);

/* Moves to `place` in the new file. */
void delta_stream_go_to(struct delta_stream *st, uint64_t place);

/* Codes n bytes raw. When encoding, takes the bytes from `bytes`; when decoding, stores the bytes there. */
void delta_stream_plain(struct delta_stream *st, struct delta_cm *cm, unsigned char *bytes, size_t n);

/* Adds to the history bytes that come from copies. Enters every fourth position into the match table, or every position
 * if `closely` is true and the bytes are not AArch64 code. */
void delta_stream_add(struct delta_stream *st, const unsigned char *bytes, size_t n, bool closely);
/* Call for a reference at `place` of the new file, after adding the four bytes of the reference, which hold `distance`.
 * In the history, replaces these bytes by the address of the reference's target. */
void delta_stream_reference(struct delta_stream *st, uint64_t place, uint32_t distance);
/* If the latest bytes repeat earlier bytes, returns 1 + the byte that is expected next in the new file, and sets
 * *ret_length to a number below 16 that grows with the length of the repetition. Otherwise returns 0. */
unsigned delta_stream_expects(struct delta_stream *st, unsigned *ret_length);

/* The position that delta_aside_begin() saves and delta_aside_end() restores. Between these calls, delta_aside_learn()
 * teaches the coder some bytes as if these bytes were at another place. */
struct delta_aside {
    uint64_t place, recent;
    enum delta_order order;
    unsigned char tail[STREAM_TAIL];
};

/* Adds old bytes to the history before the next literals, as delta_stream_add() does for bytes of copies. */
void delta_stream_precede(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                          size_t n);

void delta_aside_begin(struct delta_stream *st, struct delta_aside *aside);
void delta_aside_learn(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                       size_t n);
void delta_aside_end(struct delta_stream *st, const struct delta_aside *aside);
