/* SPDX-License-Identifier: Apache-2.0 */
/* Images for the node before a pod needs them: asked of the mirror, a blob at a time, they come into its cache as by a
 * pull, by delta if possible. */
#pragma once

#include "mirror/serving.h"

struct hf_prefetch;
/* Borrows the mirror, which is on. `images`, `named`: hf_mirror_prefetch(). */
struct hf_prefetch *hf_prefetch_new(struct hf_mirror *mirror, const char *const *images, size_t named,
                                    const char *platform, bool has_cache);
void hf_prefetch_free(struct hf_prefetch *prefetch);
/* `closed`: why transfers wait, such as "LinkWindowClosed"; NULL: they may run. */
void hf_prefetch_gate(struct hf_prefetch *prefetch, const char *closed);
struct hf_mirror_ready hf_prefetch_ready(const struct hf_prefetch *prefetch);
/* The blob is of one of the images; while room is made for a named image, of a named one. `prefetch` NULL: false. */
bool hf_prefetch_wants(const struct hf_prefetch *prefetch, const char *sha256);
