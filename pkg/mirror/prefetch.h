/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are to be on the node before a pod needs them: asked of the mirror itself, one blob at a time, so that
 * they come as any pull's, by delta where there is one, into its cache. */
#pragma once

#include "mirror/serving.h"

struct hf_prefetch;
/* Borrows the mirror, which serves and has a cache. `images`: as of hf_mirror_settings. */
struct hf_prefetch *hf_prefetch_new(struct hf_mirror *mirror, const char *const *images, const char *platform,
                                    bool has_cache);
void hf_prefetch_free(struct hf_prefetch *prefetch); /* accepts NULL */
/* Transfers may run, or wait for `closed`, a reason such as "LinkWindowClosed"; NULL: they may. */
void hf_prefetch_gate(struct hf_prefetch *prefetch, const char *closed);
struct hf_mirror_ready hf_prefetch_ready(const struct hf_prefetch *prefetch);
/* One of the images has it; accepts NULL. */
bool hf_prefetch_wants(const struct hf_prefetch *prefetch, const char *sha256);
