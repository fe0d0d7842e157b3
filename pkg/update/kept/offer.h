/* SPDX-License-Identifier: Apache-2.0 */
/* update/kept/offer.h - opens content of a release that is on the disk, to give it to somebody else. Worker threads
 * only; blocks. */
#pragma once

#include "api/release.h"
#include "steps/target.h"

struct hf_kept_offer {
    struct hf_target target;
    enum hf_install_kind kind;
    const char *sha256;
    uint64_t size;
};

/* The verified new file, what is kept, or what is installed: the first that has the hash; of a tree its archive, in a
 * file without a name. Returns a descriptor. -ENOENT: none has it. */
HF_MUST_USE int hf_kept_offer(const struct hf_kept_offer *offer, struct hf_failure *failure);
