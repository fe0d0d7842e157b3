/* SPDX-License-Identifier: Apache-2.0 */
/* Finds an encoder's choices in a deflate stream (RFC 1951), and makes the stream again.
 *
 * A token is a literal (0..255) or a match (length << 16 | distance). A block has tokens, a kind, and a description of
 * its codes if they are neither predicted nor fixed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pack/codec/codec.h"

/* Plain form: content. Marks: tokens that deflate_match.h does not predict. */
extern const struct pack_codec_ops pack_deflate_ops;

enum {
    DEFLATE_LITERALS = 286,
    DEFLATE_DISTANCES = 30,
    DEFLATE_LENGTH_CODES = 19,
    DEFLATE_TOKENS_MAX = 1 << 20, /* a block's: 4 MiB */
    DEFLATE_HEAD_BYTES = 640,
    DEFLATE_STORED_MAX = 65535,
    DEFLATE_WINDOW = 32768,
};

static inline uint32_t deflate_match(unsigned length, unsigned distance)
{
    return (uint32_t)length << 16 | distance;
}
/* A token's bytes of content. */
static inline unsigned deflate_length(uint32_t token)
{
    return token < 256 ? 1 : token >> 16;
}

/* Symbol of a length (3..258) or distance (1..32768), with extra bits. */
struct deflate_symbol {
    unsigned symbol, bits, extra;
};
struct deflate_symbol deflate_length_symbol(unsigned length);
struct deflate_symbol deflate_distance_symbol(unsigned distance);
/* Base and extra bits of each symbol; deflate_length_order: order of code lengths in a description. */
extern const uint16_t deflate_length_base[29], deflate_distance_base[30];
extern const uint8_t deflate_length_bits[29], deflate_distance_bits[30], deflate_length_order[DEFLATE_LENGTH_CODES];

enum deflate_kind {
    DEFLATE_STORED,
    DEFLATE_FIXED,
    DEFLATE_DYNAMIC, /* predicted codes */
    DEFLATE_GIVEN,   /* codes by its own description */
    DEFLATE_AUTO,    /* as predicted */
};

struct deflate_codes {
    uint8_t literal[288], distance[32];
};

/* Describes codes; first bit: bit 0 of byte 0. */
struct deflate_head {
    unsigned bits;
    unsigned char bytes[DEFLATE_HEAD_BYTES];
};
void deflate_head_put(struct deflate_head *head, unsigned value, unsigned n);
/* -EBADMSG: invalid. */
HF_MUST_USE int deflate_head_read(const struct deflate_head *head, struct deflate_codes *ret_codes, struct hf_err *err);

void deflate_fixed_codes(struct deflate_codes *ret_codes);
/* Canonical, bits reversed: first bit lowest. */
void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes);

/* An encoder's choices by frequencies. */
struct deflate_prediction {
    struct deflate_codes codes;
    struct deflate_head head;
    uint64_t dynamic_bits, fixed_bits; /* of the block without its first three */
};
enum deflate_coding {
    DEFLATE_CODING_GZIP, /* gzip and zlib */
    DEFLATE_CODING_GO,   /* Go's compress/flate */
    DEFLATE_CODING_ALL,  /* as GO, but describes all code lengths */
};
/* `literal`: with the end of block. */
void deflate_predict(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                     const uint32_t distance[DEFLATE_DISTANCES], struct deflate_prediction *ret_prediction);
/* `has_content`: the encoder still has the content, and could store it. */
enum deflate_kind deflate_predict_kind(enum deflate_coding coding, const struct deflate_prediction *prediction,
                                       uint64_t content_n, bool has_content);

struct deflate_block;
/* Kind of a block as read. AUTO: kind and codes as predicted; DYNAMIC: codes; else block->kind. Frequencies: without
 * the end of block. */
enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n);

/* Doubles an array, from 65,536. -E2BIG: `max`. */
HF_MUST_USE int deflate_grow(void **numbers, size_t each, uint32_t *cap, uint32_t max, struct hf_err *err);

/* Collects a block's tokens, written at its end. */
struct deflate_writer {
    struct pack_sink out;
    uint64_t bits; /* last bits_n, not in the buffer */
    unsigned bits_n;
    size_t n;
    unsigned char buffer[4096];
    /* A literal: one number; a match: 256 + length, distance. */
    uint16_t *symbols;
    uint32_t symbols_n, symbols_cap, tokens_n, matches_n;
    uint32_t literal[DEFLATE_LITERALS], distance[DEFLATE_DISTANCES];
    uint64_t content_n;
    unsigned char *content; /* valid while content_n <= DEFLATE_STORED_MAX */
    /* Codes are by the frequencies below, at the freeze. */
    bool frozen;
    uint32_t first_literal[DEFLATE_LITERALS], first_distance[DEFLATE_DISTANCES];
    enum deflate_coding coding; /* default GZIP; set it before the first token */
    bool ended;
};

HF_MUST_USE int deflate_writer_init(struct deflate_writer *writer, const struct pack_sink *out, struct hf_err *err);
void deflate_writer_done(struct deflate_writer *writer);
/* `content`: the token's; NULL if the block will be dropped. -E2BIG: too many tokens. */
HF_MUST_USE int deflate_writer_token(struct deflate_writer *writer, uint32_t token, const unsigned char *content,
                                     struct hf_err *err);
/* `head`: for DEFLATE_GIVEN. -EBADMSG: a token without code, or too long to store. */
HF_MUST_USE int deflate_writer_end(struct deflate_writer *writer, enum deflate_kind kind,
                                   const struct deflate_head *head, bool last, struct hf_err *err);
/* Pads to a byte, writes `tail`, flushes. */
HF_MUST_USE int deflate_writer_finish(struct deflate_writer *writer, const void *tail, size_t tail_n,
                                      struct hf_err *err);
/* Later tokens do not change the block's codes. */
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
    uint64_t bits; /* last bits_n, not consumed */
    unsigned bits_n;
    bool odd; /* no encoder writes this: cannot be made again */
};

/* Free block->tokens after the last. Distances may lead before the content. -EBADMSG; -E2BIG: DEFLATE_TOKENS_MAX; read
 * errors. */
HF_MUST_USE int deflate_read_block(struct deflate_reader *reader, struct deflate_block *block, struct hf_err *err);
/* Behind the last block: the offset behind the stream. */
uint64_t deflate_reader_end(struct deflate_reader *reader);
/* gzip's. -EBADMSG: another `crc` or `length`. */
HF_MUST_USE int deflate_reader_tail(struct deflate_reader *reader, uint32_t crc, uint32_t length, struct hf_err *err);

/* A decoder by blocks: embed it, zeroed, with its first three members set. */
struct deflate_stream {
    uint64_t memory;                                                      /* embedding struct's; blocks' is added */
    int (*take_block)(struct deflate_stream *stream, struct hf_err *err); /* of stream->block */
    int (*end)(struct deflate_stream *stream, struct hf_err *err);        /* behind the last block */
    uint32_t crc, length; /* of the content so far, kept by the embedding decoder */
    const struct pack_sink *out;
    struct deflate_reader reader;
    struct deflate_block block;
};
/* ret_n: with gzip tail. First error of reader, sink or decoder. -E2BIG: decode->memory_max, or too many tokens. */
HF_MUST_USE int deflate_stream_decode(const struct pack_decode *decode, struct deflate_stream *stream, uint64_t *ret_n,
                                      struct hf_err *err);
