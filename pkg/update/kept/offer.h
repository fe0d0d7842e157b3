/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a release's content that is on the disk, to give it away. Workers only; blocks. */
#pragma once

#include "api/release.h"
#include "steps/target.h"

struct hf_kept_offer {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;
    uint64_t size;
};

/* Verified new file, what is kept, or what is installed: the first with the hash; of a tree its archive, in a file
 * without a name. Returns a descriptor. -ENOENT: none. */
HF_MUST_USE int hf_kept_offer(const struct hf_kept_offer *offer, struct hf_failure *failure);
