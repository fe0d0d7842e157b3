/* SPDX-License-Identifier: Apache-2.0 */
/* config/mirrors.h - decides from which URLs to download, in which order: the mirrors of the configuration, then the
 * URL itself; a mirror that failed lately comes last.
 *
 * A mirror is not trusted: the caller compares the hash of what it got. If the hash is wrong, hf_mirrors_blame() finds
 * the mirrors that had part in the content. Pure; the time is the caller's. Threads: one at a time for one memory. */
#pragma once

#include "base/clock.h"
#include "config/artifacts.h"

/* Times for which the agent tries a mirror last: after a failure, and after it sent a part of wrong content. */
#define HF_MIRROR_REST_NS (600 * HF_NS_PER_S)
#define HF_MIRROR_LIE_NS (24 * 3600 * HF_NS_PER_S)

enum { HF_MIRROR_SLOTS = 64, HF_TRIES_MAX = HF_CONFIG_MAX_MIRROR_URLS + 1 };

/* The failures of mirrors that the agent remembers. Zero-initialize it. If it is full, the agent forgets the mirror
 * that it would try again first. */
struct hf_mirror_memory {
    struct hf_mirror_slot {
        uint64_t id;       /* fingerprint of the mirror's URL prefix; 0: free */
        uint64_t until_ns; /* monotonic time until which it comes last */
        uint64_t served;   /* fingerprint of the last artifact of which it sent bytes; 0: none */
    } slots[HF_MIRROR_SLOTS];
};

/* One URL to try. `mirror` is the fingerprint of its mirror, or 0 for the URL that was asked for. */
struct hf_try {
    char *url;
    uint64_t mirror;
};

struct hf_tries {
    struct hf_try items[HF_TRIES_MAX];
    size_t n;
};

/* Makes the list for `url`; free it with hf_mirrors_list_done(). -ENOMEM: out of memory. */
HF_MUST_USE int hf_mirrors_list(const struct hf_config *config, const struct hf_mirror_memory *memory, const char *url,
                                uint64_t now_ns, struct hf_tries *ret_tries);
void hf_mirrors_list_done(struct hf_tries *tries);

/* Remembers that a mirror failed at `now_ns`, or that it sent bytes of the artifact `key`, which ends its rest. */
void hf_mirrors_failed(struct hf_mirror_memory *memory, uint64_t mirror, uint64_t now_ns);
void hf_mirrors_served(struct hf_mirror_memory *memory, uint64_t mirror, const char *key, uint64_t now_ns);

/* Call this when the content of the artifact `key` was wrong. Returns true if a mirror had part in it; another try may
 * then bring the right content. */
bool hf_mirrors_blame(struct hf_mirror_memory *memory, const char *key, uint64_t now_ns);
