/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a release's content, to serve it to neighbours. Workers only; blocks. */
#pragma once

#include "api/release.h"
#include "steps/target.h"

struct hf_kept_offer {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;
    uint64_t size;
};

/* Opens the first of these with the hash: the new file, a kept form, what is installed; a tree as its archive, in a
 * file without a name. Returns a descriptor. -ENOENT: none, or only a tree `.again`. */
HF_MUST_USE int hf_kept_offer(const struct hf_kept_offer *offer, struct hf_failure *failure);
