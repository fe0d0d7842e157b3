/* SPDX-License-Identifier: Apache-2.0 */
#include "support/walk.h"

#include <stdlib.h>
#include <string.h>

static const char *seed_text(void)
{
    const char *text = getenv("HF_WALK_SEED");

    return text == NULL ? "0" : text;
}

bool hf_walk_is_whole(void)
{
    return strcmp(seed_text(), "all") == 0;
}

/* FNV-1a, and the first step of SplitMix64's end, so that the low bits depend on all. */
static uint64_t hash(const char *walk, uint64_t block)
{
    uint64_t sum = 14695981039346656037u;

    for (const char *text = seed_text(); *text != '\0'; text++)
        sum = (sum ^ (unsigned char)*text) * 1099511628211u;
    for (; *walk != '\0'; walk++)
        sum = (sum ^ (unsigned char)*walk) * 1099511628211u;
    sum = (sum ^ block) * 1099511628211u;
    sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9u;
    return sum ^ sum >> 27;
}

uint64_t hf_walk_next(const char *walk, uint64_t n)
{
    if (hf_walk_is_whole())
        return n + 1;
    for (uint64_t block = n / HF_WALK_STEP;; block++) {
        uint64_t drawn = block * HF_WALK_STEP + 1 + hash(walk, block) % HF_WALK_STEP;
        if (drawn > n)
            return drawn;
    }
}
