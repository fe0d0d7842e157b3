/* SPDX-License-Identifier: Apache-2.0 */
/* support/delta_short.h - a compact form of a delta, expanded before applying. A fuzzer's changes reach the decoders,
 * while in a real delta a length, a hash or a compressed frame would stop them.
 *
 * It begins with DELTA_SHORT_HEAD bytes (struct delta_short); then follow the coded shared context (methods 1 and
 * 2), cut where its numbers end, and one block. A block of method 2 is a sequence of stripes, each with a head of 16
 * bits: size of its coded literals (14 bits), quick, more; with more, 16 bits each for its size and for the size of
 * its coded copies. Sizes are cut to the bytes that exist. The delta starts from one of a few old files. */
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

/* Makes the files on first use and keeps them: x86-64, AArch64, ARM, RISC-V, 32-bit x86, Go's three layouts, an
 * archive of two, text, one above 4 GiB; DELTA_SHORT_DRAWN: the image drawn last. */
struct delta_short_old *delta_short_old(unsigned which);
/* Draws that image from the end of a short delta: its last byte selects the machine, the one before it the number of
 * bytes before that (less one, at most half of all) that fill the image's sections repeatedly. Returns the number of
 * bytes used. */
size_t delta_short_draw(const unsigned char *bytes, size_t n);
/* The bytes to append to a short delta to draw the image; n: 1..256. */
struct hf_buf;
void delta_short_add_drawn(struct hf_buf *to, unsigned machine, const void *content, size_t n);

/* Converts a real block of method 2. False if it is too large, or not a block. */
bool delta_short_add_block(struct hf_buf *to, const unsigned char *block, size_t n);

ssize_t delta_short_pread(void *old, void *bytes, size_t n, uint64_t offset);

enum delta_short_size {
    DELTA_SHORT_256, /* 1 + size modulo 256 */
    DELTA_SHORT_512,
    DELTA_SHORT_1K,
    DELTA_SHORT_4K,
    DELTA_SHORT_64K,
    DELTA_SHORT_RESUMED, /* 4 MiB + 1 + size, resumed at 4 MiB */
    DELTA_SHORT_LARGE,   /* size * 64 KiB */
    DELTA_SHORT_HUGE,    /* 4 GiB + size: too large for a map */
};

struct delta_short {
    unsigned method, which;     /* DELTA_METHOD_*, number of the old file */
    bool bare;                  /* method 1: chunks are not compressed; else LZMA compressed them */
    enum delta_short_size kind; /* size of the new file */
    unsigned size;              /* 16 bits */
    unsigned more_out;          /* 2 bits; 3 allows more output */
    unsigned shared_n;          /* 16 bits */
};

void delta_short_format(const struct delta_short *s, unsigned char head[static DELTA_SHORT_HEAD]);
/* False if there are too few bytes. All values are valid. */
bool delta_short_parse(const unsigned char *bytes, size_t n, struct delta_short *ret);

uint64_t delta_short_new_size(const struct delta_short *s);

/* Expands to a whole delta with zero hashes. False if it exceeds `room` bytes. */
bool delta_short_expand(const unsigned char *bytes, size_t n, unsigned char *ret_patch, size_t room, size_t *ret_n);
