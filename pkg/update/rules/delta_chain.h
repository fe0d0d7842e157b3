/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the chain of deltas with the fewest bytes to the new file that fits this node's memory and disk. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"

enum {
    HF_DELTA_CHAIN_MAX = 4,
    /* after one more delta to avoid, use no deltas at all */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4,
    /* bytes of `avoid`, with terminator */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

/* What applying deltas may use besides the new file. UINT64_MAX: no limit. */
struct hf_delta_room {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_chain {
    /* in order of use; pointers into the artifact */
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX];
    size_t n;
    uint64_t bytes;
};

/* Finds the chain from the file with SHA-256 `from`; of equal chains the one with fewer deltas, then the one listed
 * first. False: none, or none smaller than the new file. `began_bytes`: size of `from` if it is an intermediate file,
 * which stays on disk until the next is complete, else 0. `avoid`: SHA-256 of deltas not to use, separated by
 * blanks. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_delta_room *room, const char *avoid, struct hf_delta_chain *ret_chain);

/* Adds a delta to `avoid`. False: `avoid` is full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
