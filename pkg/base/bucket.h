/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket of tokens, each of which comes back after a gap. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

struct hf_bucket {
    uint64_t full_ns; /* the bucket is full from this time on */
};

/* Returns the time from which at most `missing` tokens are missing; 0: always. */
static inline uint64_t hf_bucket_due_ns(const struct hf_bucket *bucket, unsigned missing, uint64_t gap_ns)
{
    return bucket->full_ns - HF_MIN(bucket->full_ns, missing * gap_ns);
}

static inline uint64_t hf_bucket_wait_ns(const struct hf_bucket *bucket, unsigned burst, uint64_t gap_ns,
                                         uint64_t now_ns)
{
    uint64_t due_ns = hf_bucket_due_ns(bucket, burst - 1, gap_ns);

    return due_ns - HF_MIN(due_ns, now_ns);
}

/* Takes a token even if none is there; the next token then comes later. */
static inline void hf_bucket_spend(struct hf_bucket *bucket, uint64_t gap_ns, uint64_t now_ns)
{
    bucket->full_ns = HF_MAX(bucket->full_ns, now_ns) + gap_ns;
}

static inline bool hf_bucket_take(struct hf_bucket *bucket, unsigned burst, uint64_t gap_ns, uint64_t now_ns)
{
    if (hf_bucket_wait_ns(bucket, burst, gap_ns, now_ns) > 0)
        return false;
    hf_bucket_spend(bucket, gap_ns, now_ns);
    return true;
}
