/* SPDX-License-Identifier: Apache-2.0 */
/* The sequences that the default level of klauspost/compress chooses for content: a guess of the next one, for a frame
 * of which all before are known. Its choices depend on content and block borders alone. Threads: one at a time. */
#pragma once

#include "pack/zstd/frame.h"

struct pack_zcontent;
struct pack_zimitate;

/* 640 KiB. */
struct pack_zimitate *pack_zimitate_new(void);
void pack_zimitate_free(struct pack_zimitate *imitate);
void pack_zimitate_frame(struct pack_zimitate *imitate, uint64_t window_n);
/* alone: the frame's only block. */
void pack_zimitate_block(struct pack_zimitate *imitate, bool alone);
/* The next sequence of a block of `n` bytes. False: the remainder is literals. */
bool pack_zimitate_guess(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n,
                         struct pack_zframe_sequence *ret_guess);
/* The true sequence. Once between guesses. */
void pack_zimitate_tell(struct pack_zimitate *imitate, const struct pack_zframe_sequence *sequence);
/* A block whose sequences the encoder found, but did not write. */
void pack_zimitate_skip(struct pack_zimitate *imitate, const struct pack_zcontent *content, uint32_t n);
