/* pack/deflate/deflate.h - RFC 1951 taken apart into the encoder's choices, and put together from them bit for bit.
 *
 * A token is a literal (value 0..255) or a match (length << 16 | distance). A block is its tokens, its kind, and, for a dynamic
 * one, the bits that describe its codes. Which kind and which codes an encoder takes for given tokens is predicted after the way
 * Jean-loup Gailly's deflate does it (gzip, zlib and all that keep to them): Huffman's algorithm with ties broken by depth, lengths
 * limited to 15 bits by moving leaves down, run lengths coded greedily, the shortest of stored, fixed and dynamic taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/codec/stage.h"

enum {
    DEFLATE_LITERALS = 286,
    DEFLATE_DISTANCES = 30,
    DEFLATE_LENGTH_CODES = 19,
    DEFLATE_TOKENS_MAX = 1 << 20, /* of one block: 4 MiB */
    DEFLATE_HEAD_BYTES = 640,     /* of the description of a dynamic block's codes */
    DEFLATE_STORED_MAX = 65535,
    DEFLATE_WINDOW = 32768,
};

static inline uint32_t deflate_match(unsigned length, unsigned distance)
{
    return (uint32_t)length << 16 | distance;
}
static inline unsigned deflate_length(uint32_t token) /* of what it stands for */
{
    return token < 256 ? 1 : token >> 16;
}

/* Symbol of a match length 3..258 and of a distance 1..32768, with the number of extra bits and their value. */
struct deflate_symbol {
    unsigned symbol, bits, extra;
};
struct deflate_symbol deflate_length_symbol(unsigned length);
struct deflate_symbol deflate_distance_symbol(unsigned distance);
/* The other way: base and extra bits. */
extern const uint16_t deflate_length_base[29], deflate_distance_base[30];
extern const uint8_t deflate_length_bits[29], deflate_distance_bits[30], deflate_length_order[DEFLATE_LENGTH_CODES];

enum deflate_kind {
    DEFLATE_STORED,
    DEFLATE_FIXED,
    DEFLATE_DYNAMIC, /* codes as predicted */
    DEFLATE_GIVEN,   /* dynamic, codes as described */
    DEFLATE_AUTO,    /* as predicted */
};

/* Lengths of the codes of a block. */
struct deflate_codes {
    uint8_t literal[288], distance[32];
};

/* Bits in the order they are written: bit 0 of byte 0 first. */
struct deflate_head {
    unsigned bits;
    unsigned char bytes[DEFLATE_HEAD_BYTES];
};

/* What is predicted for a block with these frequencies (end of block included). */
struct deflate_plan {
    struct deflate_codes codes;
    struct deflate_head head;
    uint64_t dynamic_bits, fixed_bits; /* without the three bits of the block's head */
};
enum deflate_coding {
    DEFLATE_CODING_GZIP, /* as above */
    DEFLATE_CODING_GO,   /* Go's compress/flate: deflate_code_go.h */
    DEFLATE_CODING_ALL,  /* the same, every length described */
};
void deflate_plan(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                  const uint32_t distance[DEFLATE_DISTANCES], struct deflate_plan *ret_plan);
enum deflate_kind deflate_plan_kind(enum deflate_coding coding, const struct deflate_plan *plan, uint64_t content_n,
                                    bool has_content);
/* Codes of given lengths, canonical, bits reversed so that the first comes lowest. */
void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes);

/* How a block that was read (STORED, FIXED, GIVEN) stands to what is predicted for it: AUTO, else DYNAMIC, else what it is. The
 * frequencies are of its tokens; the end of block is added here. */
struct deflate_block;
enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n);

void deflate_fixed_codes(struct deflate_codes *ret_codes);
/* Read a description. -EBADMSG. */
HF_MUST_USE int deflate_head_read(const struct deflate_head *head, struct deflate_codes *ret_codes, struct hf_err *err);

/* Room for twice as many numbers of a block, at first for 65,536: most blocks have less, and what is not touched costs nothing, where
 * what moves leaves its former place behind. `each`: bytes of one. -E2BIG: more than `max`. */
HF_MUST_USE int deflate_grow(void **numbers, size_t each, uint32_t *cap, uint32_t max, struct hf_err *err);

/* ---- writing ------------------------------------------------------------------------------------------------------ */

struct deflate_writer {
    struct pack_sink out;
    uint64_t bits;
    unsigned bits_n;
    size_t n;
    unsigned char buffer[4096];
    uint16_t *said; /* of the block so far: literals, and for matches 256 + length, distance */
    uint32_t said_n, said_cap, tokens_n, matches_n;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint64_t content_n; /* of the block so far */
    bool frozen;        /* codes are made of what was counted then: */
    uint32_t first_literal[DEFLATE_LITERALS], first_distance[DEFLATE_DISTANCES];
    unsigned char *content;
    enum deflate_coding coding; /* GZIP, unless set otherwise before the first token */
    bool ended;                 /* the last block was written */
};

HF_MUST_USE int deflate_writer_init(struct deflate_writer *writer, const struct pack_sink *out, struct hf_err *err);
void deflate_writer_done(struct deflate_writer *writer);
/* `content`: the bytes the token stands for. -E2BIG: too many in one block. */
HF_MUST_USE int deflate_writer_token(struct deflate_writer *writer, uint32_t token, const unsigned char *content,
                                     struct hf_err *err);
/* End the block; `head` for DEFLATE_GIVEN. -EBADMSG: its codes do not fit its tokens. */
HF_MUST_USE int deflate_writer_end(struct deflate_writer *writer, enum deflate_kind kind,
                                   const struct deflate_head *head, bool last, struct hf_err *err);
/* Pad to a byte, write `tail` and push all on. */
HF_MUST_USE int deflate_writer_finish(struct deflate_writer *writer, const void *tail, size_t tail_n,
                                      struct hf_err *err);

/* Whatever still comes in this block, its codes follow from what it holds now. */
void deflate_writer_freeze(struct deflate_writer *writer);
/* How a block that was read stands to what would be written for the one gathered here: deflate_block_kind(). */
enum deflate_kind deflate_writer_compare(struct deflate_writer *writer, const struct deflate_block *block);

/* Forget the block without writing it. */
void deflate_writer_drop(struct deflate_writer *writer);

/* ---- reading ------------------------------------------------------------------------------------------------------ */

struct deflate_block {
    uint32_t *tokens;
    uint32_t n, cap;
    enum deflate_kind kind; /* STORED, FIXED, GIVEN */
    bool last;
    struct deflate_head head;
};

struct deflate_reader {
    struct pack_reader in;
    uint64_t bits;
    unsigned bits_n;
    bool odd; /* something no encoder writes was seen: cannot be put together the same */
};

/* The next block; tokens are the caller's to free with the block. Distances are not checked against what came before. */
HF_MUST_USE int deflate_read_block(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err);
/* After the last block: the position behind the stream, and the bytes that follow. */
uint64_t deflate_reader_end(struct deflate_reader *reader);
HF_MUST_USE int deflate_reader_byte(struct deflate_reader *reader, unsigned *ret_byte, struct hf_err *err);
/* What follows a gzip member's data: -EBADMSG when its check sum or length is another one. */
HF_MUST_USE int deflate_reader_tail(struct deflate_reader *reader, uint32_t crc, uint32_t length, struct hf_err *err);

/* ---- a whole stream ----------------------------------------------------------------------------------------------- */

/* What makes something of a stream, block by block: the first member of what it is made with, zeroed but for these. */
struct deflate_taking {
    uint64_t memory; /* bytes it takes, its own included; blocks come on top */
    int (*take_block)(struct deflate_taking *taking, struct hf_err *err); /* of `block` */
    int (*end)(struct deflate_taking *taking, struct hf_err *err);        /* after the last */
    uint32_t crc, length;        /* it keeps: of the content so far, as a gzip member's tail has them */
    const struct pack_sink *out; /* deflate_take() sets: where what is made goes */
    struct deflate_reader reader;
    struct deflate_block block;
};
/* Read the stream that `decode` names. *ret_n: its bytes, with a gzip member's tail where it has one. What a block's reader, a sink or
 * `taking` returns below 0 ends it; -E2BIG: more memory than `decode` allows. */
HF_MUST_USE int deflate_take(const struct pack_decode *decode, struct deflate_taking *taking, uint64_t *ret_n,
                             struct hf_err *err);
