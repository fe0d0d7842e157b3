/* SPDX-License-Identifier: Apache-2.0 */
/* support/deep_short.h - a delta that looks inside in a few bytes, made whole before it is applied: what a fuzzer changes reaches the
 * recipe, the programs and the inner delta, where in a real one a length, a hash or the recipe's frame would stop it.
 *
 * It begins with DEEP_SHORT_HEAD bytes: length of the recipe (16 bits, little endian), size of new (16 bits), flags. The recipe follows, cut
 * to what is there and to DEEP_SHORT_RECIPE_MAX, then what stands behind it in a delta: method and body of the inner one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    DEEP_SHORT_HEAD = 5,
    DEEP_SHORT_RECIPE_MAX = 2048,
    DEEP_SHORT_PACKED = 1, /* flags: the recipe is behind zstd, */
    DEEP_SHORT_FAST = 2,   /* the profile is fast */
};

/* Text, a gzip member, a zstd frame and an .xz of more text, a gzip member with a zstd frame in it, one behind the other. Every
 * `change`-th word (0: none) is another one than without. Appends. */
void deep_short_file(unsigned change, struct hf_buf *to);
/* That without a change: what all deltas in short are over. Made on first use, kept. */
const struct hf_buf *deep_short_old(void);

/* The delta, without hashes; *ret_new_n: bytes of new as it says. Any bytes are good. Appends. */
void deep_short_expand(const uint8_t *bytes, size_t n, struct hf_buf *patch, uint64_t *ret_new_n);

/* A real delta that looks inside in short. False when it cannot be: another one, or too large. Appends. */
bool deep_short_of(const struct hf_buf *patch, struct hf_buf *to);
