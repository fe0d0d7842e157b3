/* delta/cm/stream.h - what new was made of so far, and the bytes that nothing in old stands for, coded by it.
 *
 * It is kept as a stream: the bytes of new, but where code is known to be, references hold the place they lead to instead of the
 * distance, most significant byte first, so that the same target looks the same from everywhere, and AArch64 instructions stand
 * with their opcode first. Bytes of old that belong near what is coded next are put in between. */
#pragma once

#include "delta/cm/bytes.h"
#include "delta/image/image.h"

enum delta_order { DELTA_ORDER_PLAIN, DELTA_ORDER_X86, DELTA_ORDER_AARCH64 };

/* Of what is in a region (by its slot) of an image for this machine. */
enum delta_order delta_order_of(enum delta_machine machine, unsigned region);

enum { STREAM_OLD = 2, STREAM_TAIL = 32 };

struct delta_stream {
    struct delta_bytes bytes;
    uint32_t *match_at; /* 2^match_bits; behind them */
    unsigned char *history;
    unsigned match_bits;
    uint32_t history_size;
    uint64_t pos;    /* in the stream */
    uint64_t place;  /* in new: the same modulo 4 */
    uint64_t recent; /* bytes as they are in new, the last one lowest */
    uint64_t tail;   /* bytes as they are in the stream, the last one lowest */
    uint64_t match;  /* where the stream repeats itself, and for how many bytes already: 0, it does not */
    uint32_t match_length;
    uint32_t noted_at, noted_before; /* what precedes noted_at, the last place that was noted, stood there before */
    bool noted_arm;
    uint32_t seen_at, seen_match, seen_length; /* copies: at seen_at it repeated what is at seen_match */
    uint32_t old_hits[STREAM_OLD];             /* a bit per byte: what old had there was right */
    enum delta_order order;
};

/* Once, before the first reset, as for delta_bytes_open(). */
HF_MUST_USE int delta_stream_open(struct delta_stream *st, uint64_t block, unsigned lean);
void delta_stream_done(struct delta_stream *st);
void delta_stream_reset(struct delta_stream *st, bool quick); /* quick: as for delta_bytes_reset() */

/* Code the next unit, one byte or four, at most `room` bytes: decoding when `truth` is NULL, only learning when `cm` is. old[i]:
 * the bytes that would stand here if the copy before or the one behind went on; NULL: none. Returns how many. */
unsigned delta_stream_code(struct delta_stream *st, struct delta_cm *cm, const unsigned char *truth, uint64_t room,
                           const unsigned char *const old[STREAM_OLD], unsigned char ret_bytes[static 4]);

/* What comes next stands at `place`. */
void delta_stream_go_to(struct delta_stream *st, uint64_t place);

/* n bytes as they are, decoding into `bytes`. */
void delta_stream_plain(struct delta_stream *st, struct delta_cm *cm, unsigned char *bytes, size_t n);

/* Bytes of new that were made otherwise; `closely`: note what precedes each, not each fourth. */
void delta_stream_add(struct delta_stream *st, const unsigned char *bytes, size_t n, bool closely);
/* Four of the bytes added last hold a distance. */
void delta_stream_reference(struct delta_stream *st, uint64_t place, uint32_t distance);
/* The byte that comes next, as it is in new, if the stream repeats itself here: + 1, and a
 * number below 16 for how long it has done so; or 0. */
unsigned delta_stream_expects(struct delta_stream *st, unsigned *ret_length);

/* Learn bytes as if they stood at `place`, between a begin and an end. */
struct delta_aside {
    uint64_t place, recent;
    enum delta_order order;
    unsigned char tail[STREAM_TAIL];
};

/* Bytes that precede what is coded next, taken as they are: they join the stream as copies do. */
void delta_stream_precede(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                          size_t n);

void delta_aside_begin(struct delta_stream *st, struct delta_aside *aside);
void delta_aside_learn(struct delta_stream *st, enum delta_order order, uint64_t place, const unsigned char *bytes,
                       size_t n);
void delta_aside_end(struct delta_stream *st, const struct delta_aside *aside);
