/* SPDX-License-Identifier: Apache-2.0 */
/* A zstd frame (RFC 8878) as its encoder's decisions, and back: the same bytes from decisions and content, without an
 * encoder.
 *
 * A frame that says more (padding, longer forms of sizes, bits that decoders ignore) reads, but is written differently:
 * compare. Frames with a dictionary are refused. Nothing is trusted. Threads: one at a time. */
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
    uint8_t descriptor, window; /* the frame's; window: if it states one */
    uint64_t content_n;         /* UINT64_MAX: not stated */
    uint64_t window_n;          /* derived */
};
bool pack_zframe_head_checksum(const struct pack_zframe_head *head);

/* Its length, or 0: no frame, or not taken. */
size_t pack_zframe_head_read(const unsigned char *p, size_t n, struct pack_zframe_head *ret_head);
/* By descriptor, window, content_n. 0: they do not fit. */
size_t pack_zframe_head_write(const struct pack_zframe_head *head, unsigned char bytes[ZFRAME_HEAD_MAX]);
/* Sets window_n. False: not taken. */
bool pack_zframe_head_derive(struct pack_zframe_head *head);

enum pack_zframe_kind { ZFRAME_RAW, ZFRAME_RLE, ZFRAME_COMPRESSED };
enum pack_zframe_literals { ZFRAME_LIT_RAW, ZFRAME_LIT_RLE, ZFRAME_LIT_HUFFMAN, ZFRAME_LIT_AGAIN };
enum pack_zframe_mode { ZFRAME_PREDEFINED, ZFRAME_SINGLE, ZFRAME_FSE, ZFRAME_AGAIN };
/* The three alphabets, in the order of the format. */
enum { ZFRAME_LL, ZFRAME_OF, ZFRAME_ML, ZFRAME_ALPHABETS };

/* `literals` bytes, then a match. offset: 1 to 3: a last offset, else distance + 3. */
struct pack_zframe_sequence {
    uint32_t literals, match, offset;
};

/* Huffman code of literals. */
struct pack_zframe_weights {
    unsigned n; /* symbols; the last one's weight follows from the others */
    uint8_t weight[ZFRAME_WEIGHTS];
    bool fse; /* compressed description, with: */
    struct pack_zframe_counts counts;
    uint8_t last[2]; /* states behind the last two symbols */
};

struct pack_zframe_block {
    enum pack_zframe_kind kind;
    bool last;
    uint32_t content_n;
    /* Compressed blocks, from here on. */
    enum pack_zframe_literals literals;
    uint8_t size_format;
    uint32_t literals_n;
    struct pack_zframe_weights weights; /* ZFRAME_LIT_HUFFMAN */
    struct {
        enum pack_zframe_mode mode;       /* n > 0 */
        uint8_t single;                   /* ZFRAME_SINGLE */
        uint16_t last;                    /* state behind the last symbol */
        struct pack_zframe_counts counts; /* ZFRAME_FSE */
    } table[ZFRAME_ALPHABETS];
    size_t n;
    struct pack_zframe_sequence sequence[ZFRAME_SEQUENCES];
};

/* What blocks take over; zero at a frame's start. */
struct pack_zframe_state {
    bool weights_known, known[ZFRAME_ALPHABETS];
    struct pack_zframe_weights weights;
    struct pack_zframe_fse fse[ZFRAME_ALPHABETS];
};

/* Kind and `last` of the block in bytes[0..3); *ret_n bytes follow. False: not taken. */
bool pack_zframe_block_head(const unsigned char *bytes, struct pack_zframe_block *block, size_t *ret_n);
/* Reads those bytes. Literals stay where they are. */
bool pack_zframe_block_read(struct pack_zframe_state *state, const unsigned char *p, size_t n,
                            struct pack_zframe_block *block);

/* Appends the block. content: block->content_n bytes. `work`: as large. -EBADMSG: decisions do not fit content or each
 * other. hf_buf_add()'s. */
HF_MUST_USE int pack_zframe_block_write(struct pack_zframe_state *state, const struct pack_zframe_block *block,
                                        const unsigned char *content, unsigned char *work, struct hf_buf *out);

/* The numbers behind the codes of lengths: base and extra bits. */
unsigned pack_zframe_ll_code(uint32_t literals);
unsigned pack_zframe_ml_code(uint32_t match);

/* XXH64 with seed 0; a frame's checksum is its lower 32 bits. */
struct pack_zframe_hash {
    uint64_t lane[4], n;
    unsigned char waiting[32];
};
void pack_zframe_hash_init(struct pack_zframe_hash *hash);
void pack_zframe_hash_update(struct pack_zframe_hash *hash, const unsigned char *p, size_t n);
uint64_t pack_zframe_hash_final(const struct pack_zframe_hash *hash);
