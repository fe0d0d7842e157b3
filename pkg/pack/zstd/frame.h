/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a zstd frame (RFC 8878) into the decisions of its encoder. They and the content give the same bytes again,
 * without an encoder.
 *
 * A frame that holds more (padding, longer forms of sizes, bits that decoders ignore) is read, but written differently,
 * so compare the bytes. Frames with a dictionary are refused. Input is untrusted. Threads: one at a time. */
#pragma once

#include "base/buf.h"
#include "pack/zstd/fse.h"

enum {
    ZFRAME_BLOCK_MAX = 128 << 10,
    ZFRAME_SEQUENCES = ZFRAME_BLOCK_MAX / 3 + 1,
    ZFRAME_HEAD_MAX = 14,
    ZFRAME_BLOCK_HEAD = 3,
    ZFRAME_WEIGHTS = 256,
    ZFRAME_WINDOW_LOG_MAX = 27,
};

struct pack_zframe_head {
    uint8_t descriptor, window;
    uint64_t content_n; /* UINT64_MAX: not stated */
    uint64_t window_n;
};
bool pack_zframe_head_checksum(const struct pack_zframe_head *head);

/* Returns the head's length, or 0: no frame, or a refused one. */
size_t pack_zframe_head_read(const unsigned char *p, size_t n, struct pack_zframe_head *ret_head);
/* Returns the length, or 0 if descriptor, window and content_n do not fit together. */
size_t pack_zframe_head_write(const struct pack_zframe_head *head, unsigned char bytes[ZFRAME_HEAD_MAX]);
/* Sets window_n. Returns false if it refuses the frame. */
bool pack_zframe_head_derive(struct pack_zframe_head *head);

enum pack_zframe_kind { ZFRAME_RAW, ZFRAME_RLE, ZFRAME_COMPRESSED };
enum pack_zframe_literals { ZFRAME_LIT_RAW, ZFRAME_LIT_RLE, ZFRAME_LIT_HUFFMAN, ZFRAME_LIT_AGAIN };
enum pack_zframe_mode { ZFRAME_PREDEFINED, ZFRAME_SINGLE, ZFRAME_FSE, ZFRAME_AGAIN };
/* Three alphabets, in the order of the format: lengths of literals, offsets, lengths of matches. */
enum { ZFRAME_LL, ZFRAME_OF, ZFRAME_ML, ZFRAME_ALPHABETS };

/* Literals, then a match. offset: 1 to 3 refer to the last distances (RFC 8878); above 3, it is the distance + 3. */
struct pack_zframe_sequence {
    uint32_t literals, match, offset;
};

struct pack_zframe_weights {
    unsigned n;
    uint8_t weight[ZFRAME_WEIGHTS];
    bool fse;
    struct pack_zframe_counts counts;
    uint8_t last[2];
};

struct pack_zframe_block {
    enum pack_zframe_kind kind;
    bool last;
    uint32_t content_n;
    /* The members below are for compressed blocks. */
    enum pack_zframe_literals literals;
    uint8_t size_format;
    uint32_t literals_n;
    struct pack_zframe_weights weights;
    struct {
        enum pack_zframe_mode mode;
        uint8_t single;
        uint16_t last;
        struct pack_zframe_counts counts;
    } table[ZFRAME_ALPHABETS];
    size_t n;
    struct pack_zframe_sequence sequence[ZFRAME_SEQUENCES];
};

/* What a block takes over from earlier blocks; zero at a frame's start. */
struct pack_zframe_state {
    bool weights_known, known[ZFRAME_ALPHABETS];
    struct pack_zframe_weights weights;
    struct pack_zframe_fse fse[ZFRAME_ALPHABETS];
};

/* Reads a block's first 3 bytes: kind, `last`, and how many bytes follow. Returns false if they are invalid. */
bool pack_zframe_block_head(const unsigned char *bytes, struct pack_zframe_block *block, size_t *ret_n);
/* Reads the bytes behind the head, except literals, which are content. Returns false if they are invalid. */
bool pack_zframe_block_read(struct pack_zframe_state *state, const unsigned char *p, size_t n,
                            struct pack_zframe_block *block);

/* Appends the block. content and `work` have block->content_n bytes. -EBADMSG: decisions contradict content or each
 * other. */
HF_MUST_USE int pack_zframe_block_write(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                                        const unsigned char *content, unsigned char *work, struct hf_buf *out);

unsigned pack_zframe_ll_code(uint32_t literals);
unsigned pack_zframe_ml_code(uint32_t match);

/* XXH64 with seed 0. A frame's checksum is its lower 32 bits. */
struct pack_zframe_hash {
    uint64_t lane[4], n;
    unsigned char waiting[32];
};
void pack_zframe_hash_init(struct pack_zframe_hash *hash);
void pack_zframe_hash_update(struct pack_zframe_hash *hash, const unsigned char *p, size_t n);
uint64_t pack_zframe_hash_final(const struct pack_zframe_hash *hash);
