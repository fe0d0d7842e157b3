/* update/rules/delta_chain.h - the chain of deltas that leads from a file to the new one with the fewest bytes. Pure.
 *
 * The artifact's deltas end at the new file, its steps at intermediate files. Shortest path (Bellman-Ford, one round
 * for each delta) over the deltas that fit this node. Deterministic; the remainder of a chain after its first delta is
 * the chain from there. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"
#include "pack/plan.h"

enum {
    HF_DELTA_CHAIN_MAX = 4,         /* deltas in a chain; each costs a download and a written file */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4, /* deltas to avoid; with more than that, the update avoids all deltas */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

struct hf_delta_chain {
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX]; /* borrowed from the artifact */
    size_t n;
    uint64_t bytes; /* to download */
};

/* Finds the chain. False: no chain fits, or none is smaller than the new file. Among chains of the same bytes the
 * one with the fewest deltas wins, then the one listed first. `began_bytes`: size of `from` if it is an intermediate
 * file, which stays on disk until the next one is complete; else 0. `room`: memory and disk that may be used beside
 * the new file. `avoid`: SHA-256 of deltas to leave out, separated by blanks. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_plan_room *room, const char *avoid, struct hf_delta_chain *ret_chain);

/* Appends a delta to the list. False: the list is full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
