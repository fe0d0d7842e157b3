/* SPDX-License-Identifier: Apache-2.0 */
/* Lists a download's URLs in order: mirrors, the URL itself, mirrors that failed lately.
 *
 * Mirrors are not trusted: the caller compares the hash; hf_mirrors_blame() finds mirrors that last served a part of
 * wrong content. Pure. */
#pragma once

#include "base/clock.h"
#include "config/artifacts.h"

enum { HF_MIRROR_SLOTS = 64, HF_TRIES_MAX = HF_CONFIG_MAX_MIRROR_URLS + 1 };

/* Zeros at first. When full, it forgets the mirror whose rest ends first. */
struct hf_mirror_memory {
    struct hf_mirror_slot {
        uint64_t id; /* fingerprint of its URL prefix; 0: free */
        uint64_t until_ns;
        uint64_t served; /* fingerprint of the artifact `key` last served */
    } slots[HF_MIRROR_SLOTS];
};

/* `mirror` is 0 for the URL itself. */
struct hf_try {
    char *url;
    uint64_t mirror;
};

struct hf_tries {
    struct hf_try items[HF_TRIES_MAX];
    size_t n;
};

HF_MUST_USE int hf_mirrors_list(const struct hf_config *config, const struct hf_mirror_memory *memory, const char *url,
                                uint64_t now_ns, struct hf_tries *ret_tries);
void hf_mirrors_list_done(struct hf_tries *tries);

/* A failed mirror rests for 10 min, or until it serves bytes of an artifact (`key`). Wrong content makes a mirror rest
 * for a day. */
void hf_mirrors_failed(struct hf_mirror_memory *memory, uint64_t mirror, uint64_t now_ns);
void hf_mirrors_served(struct hf_mirror_memory *memory, uint64_t mirror, const char *key, uint64_t now_ns);

/* Call it when the content of artifact `key` was wrong. Returns true if a mirror last served part of it: retry. */
bool hf_mirrors_blame(struct hf_mirror_memory *memory, const char *key, uint64_t now_ns);
