/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deflate/deflate.h - find the choices that an encoder made in a deflate stream (RFC 1951), and make the same
 * stream from its content and these choices.
 *
 * This is the internal header of the folder. It declares the functions of deflate.c, deflate_symbols.c, deflate_code.c,
 * deflate_read.c, deflate_write.c and deflate_stream.c.
 *
 * A token is a literal (value 0..255) or a match (length << 16 | distance). A block consists of its tokens and its
 * kind. If its codes are neither predicted nor fixed, it also has the bits that describe the codes. For given tokens,
 * deflate_predict() and deflate_predict_kind() compute the codes and the kind that a known encoder would choose. The
 * most common encoder is Jean-loup Gailly's deflate (gzip, zlib, and programs that use zlib). It uses Huffman's
 * algorithm and breaks ties by depth. To limit code lengths to 15 bits, it moves leaves down. It encodes run lengths
 * greedily. Of the three kinds of block (stored, fixed and dynamic), it takes the shortest. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/codec/codec.h"

/* The codec PACK_CODEC_DEFLATE, whose plain form is the content. deflate_match.h predicts the tokens; the marks list
 * the tokens that differ from the prediction. */
extern const struct pack_codec_ops pack_deflate_ops;

enum {
    DEFLATE_LITERALS = 286,
    DEFLATE_DISTANCES = 30,
    DEFLATE_LENGTH_CODES = 19,
    DEFLATE_TOKENS_MAX = 1 << 20, /* maximum number of tokens in a block; that many tokens take 4 MiB */
    DEFLATE_HEAD_BYTES = 640,     /* upper bound in bytes for the description of a block's codes */
    DEFLATE_STORED_MAX = 65535,
    DEFLATE_WINDOW = 32768,
};

static inline uint32_t deflate_match(unsigned length, unsigned distance)
{
    return (uint32_t)length << 16 | distance;
}
/* Returns the number of bytes of content that a token stands for. */
static inline unsigned deflate_length(uint32_t token)
{
    return token < 256 ? 1 : token >> 16;
}

/* ---- symbols and codes ------------------------------------------------------------------------------------------- */

/* Symbol of a match length (3..258) or of a distance (1..32768), with the number of extra bits and their value. */
struct deflate_symbol {
    unsigned symbol, bits, extra;
};
struct deflate_symbol deflate_length_symbol(unsigned length);
struct deflate_symbol deflate_distance_symbol(unsigned distance);
/* Tables for decoding: the base and the number of extra bits of each symbol. deflate_length_order has the order of code
 * lengths in a description. */
extern const uint16_t deflate_length_base[29], deflate_distance_base[30];
extern const uint8_t deflate_length_bits[29], deflate_distance_bits[30], deflate_length_order[DEFLATE_LENGTH_CODES];

enum deflate_kind {
    DEFLATE_STORED,
    DEFLATE_FIXED,
    DEFLATE_DYNAMIC, /* a dynamic block with the predicted codes */
    DEFLATE_GIVEN,   /* a dynamic block with the codes that its own description gives */
    DEFLATE_AUTO,    /* a dynamic, fixed or stored block, as predicted */
};

/* Code lengths of a block. */
struct deflate_codes {
    uint8_t literal[288], distance[32];
};

/* The bits that describe codes, in the order of the stream. The first bit is bit 0 of byte 0. */
struct deflate_head {
    unsigned bits;
    unsigned char bytes[DEFLATE_HEAD_BYTES];
};
/* Appends the n least significant bits of `value` to *head. */
void deflate_head_put(struct deflate_head *head, unsigned value, unsigned n);
/* Decodes the description of a block's codes. -EBADMSG: the description is invalid. */
HF_MUST_USE int deflate_head_read(const struct deflate_head *head, struct deflate_codes *ret_codes, struct hf_err *err);

void deflate_fixed_codes(struct deflate_codes *ret_codes);
/* Computes the canonical codes from code lengths. The bits of each code are reversed, so that the first bit of a code
 * in the stream is its least significant bit. */
void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes);

/* ---- prediction -------------------------------------------------------------------------------------------------- */

/* The codes that an encoder would choose for a block with certain symbol frequencies. */
struct deflate_prediction {
    struct deflate_codes codes;
    struct deflate_head head;
    /* sizes of the block in bits, with dynamic and with fixed codes, without the block's first three bits */
    uint64_t dynamic_bits, fixed_bits;
};
enum deflate_coding {
    DEFLATE_CODING_GZIP, /* the coding of gzip and zlib */
    DEFLATE_CODING_GO,   /* the coding of Go's compress/flate */
    /* like DEFLATE_CODING_GO, but the description of the codes has every code length, used or not */
    DEFLATE_CODING_ALL,
};
/* Predicts the codes of a block. The frequencies in `literal` include the end of block. */
void deflate_predict(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                     const uint32_t distance[DEFLATE_DISTANCES], struct deflate_prediction *ret_prediction);
/* Predicts the kind of a block. `content_n` is the number of bytes of content in the block. `has_content` is true if
 * the encoder still has the content of the block in memory, so that it can store the block uncompressed. */
enum deflate_kind deflate_predict_kind(enum deflate_coding coding, const struct deflate_prediction *prediction,
                                       uint64_t content_n, bool has_content);

struct deflate_block;
/* Compares `block`, which deflate_read_block() has filled, with the prediction. Returns DEFLATE_AUTO if kind and codes
 * match, DEFLATE_DYNAMIC if only the codes match, otherwise block->kind. Pass the frequencies of the block's tokens,
 * without the end of block. */
enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n);

/* Doubles the capacity of an array of numbers that describe a block; each number has `each` bytes. The first capacity
 * is 65,536 numbers, which suffices for most blocks. Such a large start is cheap, because pages that nobody writes to
 * cost no memory, whereas growing with realloc() leaves used memory behind. -E2BIG: the capacity would exceed `max`. */
HF_MUST_USE int deflate_grow(void **numbers, size_t each, uint32_t *cap, uint32_t max, struct hf_err *err);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Collects the tokens of one block at a time and writes the block when it ends. */
struct deflate_writer {
    struct pack_sink out;
    uint64_t bits; /* the latest bits_n bits, which are not in the buffer yet */
    unsigned bits_n;
    size_t n;
    unsigned char buffer[4096];
    /* The tokens of the block so far. `symbols` has one number for a literal. For a match, it has two numbers, which
     * are 256 + length and the distance. */
    uint16_t *symbols;
    uint32_t symbols_n, symbols_cap, tokens_n, matches_n;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint64_t content_n;
    unsigned char *content; /* the block's content; valid only while content_n is at most DEFLATE_STORED_MAX */
    /* After deflate_writer_freeze(), the codes depend only on the frequencies at that time, which are in the two arrays
     * after this field. */
    bool frozen;
    uint32_t first_literal[DEFLATE_LITERALS], first_distance[DEFLATE_DISTANCES];
    enum deflate_coding coding; /* DEFLATE_CODING_GZIP, unless the caller sets another coding before the first token */
    bool ended;                 /* true if the writer has written the last block */
};

HF_MUST_USE int deflate_writer_init(struct deflate_writer *writer, const struct pack_sink *out, struct hf_err *err);
void deflate_writer_done(struct deflate_writer *writer);
/* Adds a token to the block. `content` points to the bytes for which the token stands; it may be NULL if the caller
 * will drop the block. -E2BIG: too many tokens in one block. */
HF_MUST_USE int deflate_writer_token(struct deflate_writer *writer, uint32_t token, const unsigned char *content,
                                     struct hf_err *err);
/* Ends the block and writes it. `head` describes the codes if the kind is DEFLATE_GIVEN. -EBADMSG: the given codes have
 * no code for one of the tokens, or the content is too long for a stored block. */
HF_MUST_USE int deflate_writer_end(struct deflate_writer *writer, enum deflate_kind kind,
                                   const struct deflate_head *head, bool last, struct hf_err *err);
/* Pads to a whole byte, writes `tail` and flushes the buffer. */
HF_MUST_USE int deflate_writer_finish(struct deflate_writer *writer, const void *tail, size_t tail_n,
                                      struct hf_err *err);
/* Fixes the codes of the current block, so that later tokens of the block do not change the codes. */
void deflate_writer_freeze(struct deflate_writer *writer);
/* Calls deflate_block_kind() for `block`, with the frequencies of the block that the writer holds. */
enum deflate_kind deflate_writer_compare(struct deflate_writer *writer, const struct deflate_block *block);
/* Drops the block without writing it. */
void deflate_writer_drop(struct deflate_writer *writer);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct deflate_block {
    uint32_t *tokens;
    uint32_t n, cap;
    enum deflate_kind kind; /* DEFLATE_STORED, DEFLATE_FIXED or DEFLATE_GIVEN */
    bool last;
    struct deflate_head head;
};

struct deflate_reader {
    struct pack_reader in;
    uint64_t bits; /* the latest bits_n bits, which are read from `in` but not consumed yet */
    unsigned bits_n;
    bool odd; /* true if the stream has a feature that no encoder writes, so encoding cannot reproduce the stream */
};

/* Reads the next block into *block. The caller frees block->tokens after the last block. Does not check if a distance
 * leads to a place before the start of the content. -EBADMSG: the block is invalid. -E2BIG: the block has more than
 * DEFLATE_TOKENS_MAX tokens. Also returns the errors of reading and -ENOMEM. */
HF_MUST_USE int deflate_read_block(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err);
/* Skips to a whole byte and returns the offset of the first byte after the stream. Call after the last block. */
uint64_t deflate_reader_end(struct deflate_reader *reader);
/* Reads the tail of a gzip member. -EBADMSG: the tail does not hold `crc` and `length`. */
HF_MUST_USE int deflate_reader_tail(struct deflate_reader *reader, uint32_t crc, uint32_t length, struct hf_err *err);

/* ---- a whole stream ---------------------------------------------------------------------------------------------- */

/* A decoder that works block by block. Embed it in the decoder's own struct, zero it and set the first three
 * members. */
struct deflate_stream {
    /* size in bytes of the decoder's own struct; deflate_stream_decode() adds the memory of the blocks */
    uint64_t memory;
    int (*take_block)(struct deflate_stream *stream, struct hf_err *err); /* processes the block in stream->block */
    int (*end)(struct deflate_stream *stream, struct hf_err *err);        /* runs after the last block */
    /* checksum and length of the content so far, for the gzip tail; the embedding decoder updates both */
    uint32_t crc, length;
    /* deflate_stream_decode() sets the fields from here on. */
    const struct pack_sink *out;
    struct deflate_reader reader;
    struct deflate_block block;
};
/* Decodes the stream that `decode` names. *ret_n is the length of the stream, including the gzip tail if
 * decode->gzip_tail is set. Returns the first error of the reader, the sink or the decoder. -E2BIG: decoding needs more
 * memory than decode->memory_max, or a block has too many tokens. */
HF_MUST_USE int deflate_stream_decode(const struct pack_decode *decode, struct deflate_stream *stream, uint64_t *ret_n,
                                      struct hf_err *err);
