/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches images before a pod needs them: asks the mirror for a blob at a time, which comes into the cache as in a
 * pull, by delta if possible. */
#pragma once

#include "mirror/serving.h"

struct hf_prefetch;
/* Borrows the mirror, which is on. `images` and `named` are as in hf_mirror_prefetch(). */
struct hf_prefetch *hf_prefetch_new(struct hf_mirror *mirror, const char *const *images, size_t named,
                                    const char *platform, bool has_cache);
void hf_prefetch_free(struct hf_prefetch *prefetch);
/* `closed` is as in hf_mirror_gate(). */
void hf_prefetch_gate(struct hf_prefetch *prefetch, const char *closed);
struct hf_mirror_ready hf_prefetch_ready(const struct hf_prefetch *prefetch);
/* Whether the cache must keep this blob, since it belongs to a wanted image. While space is made for a named image,
 * only blobs of named images count. `prefetch` NULL: false. */
bool hf_prefetch_wants(const struct hf_prefetch *prefetch, const char *sha256);
