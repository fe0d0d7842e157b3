/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of deltas with the fewest bytes to the new file, for this node's memory and disk. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"

enum {
    /* each costs a download and the write of a file */
    HF_DELTA_CHAIN_MAX = 4,
    /* after one more: no deltas at all */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4,
    /* of `avoid`, with the terminator */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

/* Besides the new file. UINT64_MAX: no limit. */
struct hf_delta_room {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_chain {
    /* in order of use; the artifact's */
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX];
    size_t n;
    uint64_t bytes; /* of all downloads */
};

/* From the file with SHA-256 `from`. Of equal chains the one with fewer deltas, then the one listed first. False: none,
 * or none smaller than the new file. `began_bytes`: size of `from` if it is an intermediate file (on disk until the
 * next is complete), else 0. `avoid`: SHA-256 of deltas, with blanks. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_delta_room *room, const char *avoid, struct hf_delta_chain *ret_chain);

/* False: full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
