/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the chain of deltas with the fewest bytes from a given file to the new file, of those for which this node has
 * memory and disk. Pure. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"

enum {
    /* deltas in a chain: each costs a download and the write of a file */
    HF_DELTA_CHAIN_MAX = 4,
    /* after one more, the update uses no delta at all */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4,
    /* bytes of `avoid`, with the terminator */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

/* For deltas besides the new file. UINT64_MAX: no limit. */
struct hf_delta_room {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_chain {
    /* in order of use; borrowed from the artifact */
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX];
    size_t n;
    uint64_t bytes; /* of all downloads */
};

/* From the file with SHA-256 `from`. Of equal chains, that with fewer deltas wins, then the one listed first. Returns
 * false if no chain can be used, or none is smaller than the new file. `began_bytes` is the size of `from` if it is an
 * intermediate file (it needs disk until the next one is complete), else 0. `avoid`: SHA-256 of deltas, with blanks
 * between. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_delta_room *room, const char *avoid, struct hf_delta_chain *ret_chain);

/* True also if it is in the list already; false: the list is full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
