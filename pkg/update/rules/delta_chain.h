/* SPDX-License-Identifier: Apache-2.0 */
/* update/rules/delta_chain.h - finds the chain of deltas with the fewest bytes that leads from a given file to the new
 * file. Pure.
 *
 * The `deltas` of an artifact make the new file; the `steps` of an artifact are deltas that make intermediate files.
 * The search uses only deltas for which this node has enough memory and disk, and finds the chain with the fewest
 * bytes. The algorithm is that of Bellman and Ford, with one round for each delta of the chain. The result is
 * deterministic: after the first delta of a chain is applied, a search that starts from the intermediate file finds the
 * remainder of the same chain. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"

enum {
    /* maximum number of deltas in a chain; there is a limit because each delta costs a download and the write of a
     * file */
    HF_DELTA_CHAIN_MAX = 4,
    /* maximum number of deltas in the list `avoid`; if the list is full and the update must avoid one more delta, the
     * update uses no delta at all */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4,
    /* size of the list `avoid` in bytes, with the terminator */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

/* Bytes that deltas may use in addition to the new file (UINT64_MAX means unknown, and thus no limit). */
struct hf_delta_room {
    uint64_t memory_bytes, disk_bytes;
};

struct hf_delta_chain {
    /* deltas of the chain in order of use, borrowed from the artifact */
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX];
    size_t n;
    uint64_t bytes; /* total size in bytes of the deltas to download */
};

/* Finds the best chain from the file with SHA-256 `from` to the new file. Returns false if this node can use no chain,
 * or if no usable chain is smaller than the new file. Among chains with equal bytes, the chain with the fewest deltas
 * wins, then the chain that the artifact lists first. If the file `from` is an intermediate file, `began_bytes` is the
 * size of this file, because the file takes disk space until the next file is complete. If `from` is the installed
 * file, `began_bytes` is 0. `avoid` lists the SHA-256 of deltas to leave out, separated by blanks. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_delta_room *room, const char *avoid, struct hf_delta_chain *ret_chain);

/* Adds the delta with the hash `sha256` to the list `avoid`. Returns true also if the list has this delta already.
 * Returns false if the list is full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
