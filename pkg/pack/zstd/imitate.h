/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses the next sequence that the default level of klauspost/compress chooses, when all earlier sequences are known.
 * Threads: one at a time. */
#pragma once

#include "pack/zstd/frame.h"

struct pack_zcontent;
struct pack_zimitate;

struct pack_zimitate *pack_zimitate_new(void);
void pack_zimitate_free(struct pack_zimitate *imitate);
void pack_zimitate_frame(struct pack_zimitate *imitate, uint64_t window_n);
/* alone: it is the frame's only block. */
void pack_zimitate_block(struct pack_zimitate *imitate, bool alone);
/* Guesses the next sequence in a block of `n` bytes. Returns false if only literals remain. */
bool pack_zimitate_guess(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n,
                         struct pack_zframe_sequence *ret_guess);
/* Reports the true sequence; call it once between guesses. */
void pack_zimitate_tell(struct pack_zimitate *imitate, const struct pack_zframe_sequence *sequence);
/* Moves past a block whose sequences the encoder found, but did not write. */
void pack_zimitate_skip(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n);
