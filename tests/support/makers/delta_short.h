/* support/delta_short.h - a delta in a few bytes, made whole before it is applied: what a fuzzer changes reaches the decoders, where
 * in a real delta a length, a hash or a compressed frame would stop it.
 *
 * It begins with DELTA_SHORT_HEAD bytes (struct delta_short); the coded setting follows (methods 1 and 2), then one block.
 * A setting is cut where its numbers end. Of method 2 a block is stripes, each with a head of 16 bits: bytes of its coded literals (14
 * bits), quick, more; and then, with more, 16 bits each of its size and the bytes of its coded copies. All are cut to what is there. It is over one of a few old files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "delta/io/wire.h"

enum { DELTA_SHORT_HEAD = 6, DELTA_SHORT_OLDS = 12, DELTA_SHORT_DRAWN = 11 };

/* An old file: `p`, then zero bytes up to `size`. */
struct delta_short_old {
    unsigned char *p;
    size_t n;
    uint64_t size;
};

/* Made on first use, kept; x86-64, AArch64, ARM, RISC-V, 32-bit x86, Go's three layouts, an archive of two, text, one above 4 GiB;
 * DELTA_SHORT_DRAWN: an image as it was drawn last. */
struct delta_short_old *delta_short_old(unsigned which);
/* Draw that image from the end of a delta in short: its last byte tells the machine, the one before it how many bytes (less one, and at
 * most half of all) stand before that: in the image's sections, over and over. Returns how many bytes of the delta that took. */
size_t delta_short_draw(const unsigned char *bytes, size_t n);
/* What follows a delta in short, to draw the image from; n: 1..256. */
struct hf_buf;
void delta_short_add_drawn(struct hf_buf *to, unsigned machine, const void *content, size_t n);

/* A real block of method 2 in short. False when it cannot be: too large, or not a block. */
bool delta_short_add_block(struct hf_buf *to, const unsigned char *block, size_t n);

ssize_t delta_short_pread(void *old, void *bytes, size_t n, uint64_t offset);

enum delta_short_size {
    DELTA_SHORT_256, /* 1 + size modulo 256, */
    DELTA_SHORT_512,
    DELTA_SHORT_1K,
    DELTA_SHORT_4K,
    DELTA_SHORT_64K,
    DELTA_SHORT_RESUMED, /* 4 MiB + 1 + size, gone on with from 4 MiB on */
    DELTA_SHORT_LARGE,   /* size * 64 KiB */
    DELTA_SHORT_HUGE,    /* 4 GiB + size: too large for a map */
};

struct delta_short {
    unsigned method, which;     /* DELTA_METHOD_*, which old */
    bool bare;                  /* method 1: the block's chunks are not packed; else LZMA packed them */
    enum delta_short_size kind; /* of new */
    unsigned size;              /* 16 bits */
    unsigned more_out;          /* 2 bits: 3 lets more of new be made */
    unsigned setting_n;         /* 16 bits */
};

void delta_short_format(const struct delta_short *s, unsigned char head[static DELTA_SHORT_HEAD]);
/* False when there are too few bytes. Any values are good. */
bool delta_short_parse(const unsigned char *bytes, size_t n, struct delta_short *ret);

uint64_t delta_short_new_size(const struct delta_short *s);

/* The whole delta; hashes in it are zero. False when it has more than `room` bytes. */
bool delta_short_expand(const unsigned char *bytes, size_t n, unsigned char *ret_patch, size_t room, size_t *ret_n);
