/* SPDX-License-Identifier: Apache-2.0 */
/* Finds an encoder's choices in a deflate stream (RFC 1951), and makes the stream again from them.
 *
 * A token is a literal (0..255) or a match (length << 16 | distance). A block has tokens, a kind and, if that is
 * DEFLATE_GIVEN, a description of its codes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/codec/codec.h"

/* Plain form: the content. Marks: tokens and ends of blocks that deflate_match.h does not predict. */
extern const struct pack_codec_ops pack_deflate_ops;

enum {
    DEFLATE_LITERALS = 286,
    DEFLATE_DISTANCES = 30,
    DEFLATE_LENGTH_CODES = 19,
    DEFLATE_TOKENS_MAX = 1 << 20,
    DEFLATE_HEAD_BYTES = 640,
    DEFLATE_STORED_MAX = 65535,
    DEFLATE_WINDOW = 32768,
};

static inline uint32_t deflate_match(unsigned length, unsigned distance)
{
    return (uint32_t)length << 16 | distance;
}
static inline unsigned deflate_length(uint32_t token)
{
    return token < 256 ? 1 : token >> 16;
}

struct deflate_symbol {
    unsigned symbol, bits, extra;
};
struct deflate_symbol deflate_length_symbol(unsigned length);
struct deflate_symbol deflate_distance_symbol(unsigned distance);
extern const uint16_t deflate_length_base[29], deflate_distance_base[30];
extern const uint8_t deflate_length_bits[29], deflate_distance_bits[30], deflate_length_order[DEFLATE_LENGTH_CODES];

enum deflate_kind {
    DEFLATE_STORED,
    DEFLATE_FIXED,
    DEFLATE_DYNAMIC, /* with predicted codes */
    DEFLATE_GIVEN,   /* with a description of its codes */
    DEFLATE_AUTO,    /* kind and codes as predicted */
};

struct deflate_codes {
    uint8_t literal[288], distance[32];
};

/* A description of codes; its first bit is bit 0 of byte 0. */
struct deflate_head {
    unsigned bits;
    unsigned char bytes[DEFLATE_HEAD_BYTES];
};
void deflate_head_put(struct deflate_head *head, unsigned value, unsigned n);
/* -EBADMSG: invalid. */
HF_MUST_USE int deflate_head_read(const struct deflate_head *head, struct deflate_codes *ret_codes, struct hf_err *err);

void deflate_fixed_codes(struct deflate_codes *ret_codes);
/* Computes canonical codes from their lengths. The bits of a code are reversed: its first bit is the lowest. */
void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes);

struct deflate_prediction {
    struct deflate_codes codes;
    struct deflate_head head;
    uint64_t dynamic_bits, fixed_bits;
};
enum deflate_coding {
    DEFLATE_CODING_GZIP,
    DEFLATE_CODING_GO,
    DEFLATE_CODING_ALL, /* as GO, except that it describes all code lengths */
};
/* `literal` counts the end-of-block symbol, too. */
void deflate_predict(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                     const uint32_t distance[DEFLATE_DISTANCES], struct deflate_prediction *ret_prediction);
enum deflate_kind deflate_predict_kind(enum deflate_coding coding, const struct deflate_prediction *prediction,
                                       uint64_t content_n, bool has_content);

struct deflate_block;
/* Returns how to record the kind of a block: AUTO if kind and codes are as predicted, DYNAMIC if only the codes are,
 * else block->kind. `literal` does not count the end-of-block symbol. */
enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n);

/* -E2BIG: the array would exceed `max`. */
HF_MUST_USE int deflate_grow(void **numbers, size_t each, uint32_t *cap, uint32_t max, struct hf_err *err);

/* Collects the tokens of a block, and writes them at its end. */
struct deflate_writer {
    struct pack_sink out;
    uint64_t bits;
    unsigned bits_n;
    size_t n;
    unsigned char buffer[4096];
    uint16_t *symbols;
    uint32_t symbols_n, symbols_cap, tokens_n, matches_n;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint64_t content_n;
    unsigned char *content; /* valid while content_n <= DEFLATE_STORED_MAX */
    bool frozen;
    uint32_t first_literal[DEFLATE_LITERALS], first_distance[DEFLATE_DISTANCES];
    enum deflate_coding coding; /* default GZIP; set it before the first token */
    bool ended;
};

HF_MUST_USE int deflate_writer_init(struct deflate_writer *writer, const struct pack_sink *out, struct hf_err *err);
void deflate_writer_done(struct deflate_writer *writer);
/* `content`: the token's bytes, or NULL if the block will be dropped. -E2BIG: too many tokens. */
HF_MUST_USE int deflate_writer_token(struct deflate_writer *writer, uint32_t token, const unsigned char *content,
                                     struct hf_err *err);
/* Writes the block. `head`: for DEFLATE_GIVEN. -EBADMSG: a token has no code, or the block is too long to store. */
HF_MUST_USE int deflate_writer_end(struct deflate_writer *writer, enum deflate_kind kind,
                                   const struct deflate_head *head, bool last, struct hf_err *err);
/* Pads to a byte, writes `tail`, and flushes. */
HF_MUST_USE int deflate_writer_finish(struct deflate_writer *writer, const void *tail, size_t tail_n,
                                      struct hf_err *err);
/* Fixes the block's codes: later tokens do not change them. */
void deflate_writer_freeze(struct deflate_writer *writer);
enum deflate_kind deflate_writer_compare(struct deflate_writer *writer, const struct deflate_block *block);
void deflate_writer_drop(struct deflate_writer *writer);

struct deflate_block {
    uint32_t *tokens;
    uint32_t n, cap;
    enum deflate_kind kind; /* STORED, FIXED or GIVEN */
    bool last;
    struct deflate_head head;
};

struct deflate_reader {
    struct pack_reader in;
    uint64_t bits;
    unsigned bits_n;
    bool odd; /* the stream has something that no encoder writes: it cannot be made again */
};

/* Reads a block. Free block->tokens after the last one. Distances are not checked against the content. -EBADMSG:
 * invalid. -E2BIG: more tokens than DEFLATE_TOKENS_MAX. */
HF_MUST_USE int deflate_read_block(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err);
/* Returns the offset behind the stream; call it after the last block. */
uint64_t deflate_reader_end(struct deflate_reader *reader);
/* Reads a gzip tail. -EBADMSG: its CRC or length differs. */
HF_MUST_USE int deflate_reader_tail(struct deflate_reader *reader, uint32_t crc, uint32_t length, struct hf_err *err);

/* Decodes a stream block by block. Embed it, zeroed, with its first three members set. */
struct deflate_stream {
    /* bytes of the embedding struct; deflate_stream_decode() adds the memory of blocks */
    uint64_t memory;
    int (*take_block)(struct deflate_stream *stream, struct hf_err *err);
    int (*end)(struct deflate_stream *stream, struct hf_err *err);
    uint32_t crc, length; /* of the content so far; the embedding decoder updates them */
    const struct pack_sink *out;
    struct deflate_reader reader;
    struct deflate_block block;
};
/* *ret_n includes the gzip tail. -E2BIG: above decode->memory_max, or too many tokens. */
HF_MUST_USE int deflate_stream_decode(const struct pack_decode *decode, struct deflate_stream *stream, uint64_t *ret_n,
                                      struct hf_err *err);
