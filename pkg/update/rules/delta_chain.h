/* update/rules/delta_chain.h - which deltas, one after the other, lead from a file to the new one at the fewest bytes. Pure.
 *
 * The artifact's deltas end at the new file, its steps at files between. Shortest path (Bellman-Ford, one round per delta) over
 * those that fit. Deterministic; and what is left of a way behind its first delta is the way from there. */
#pragma once

#include "api/edgeupdate.h"
#include "codec/sha256.h"
#include "pack/plan.h"

enum {
    HF_DELTA_CHAIN_MAX = 4,         /* deltas: each costs a download and a file written */
    HF_DELTA_CHAIN_MAX_AVOIDED = 4, /* deltas that are left out; when there are more, all are */
    HF_DELTA_CHAIN_MAX_AVOID = HF_DELTA_CHAIN_MAX_AVOIDED * HF_SHA256_HEX,
};

struct hf_delta_chain {
    const struct hf_delta_ref *deltas[HF_DELTA_CHAIN_MAX]; /* borrowed from the artifact */
    size_t n;
    uint64_t bytes; /* over the link */
};

/* False: nothing fits, or nothing is smaller than the new file. Of ways with the same bytes the one of the fewest deltas is taken,
 * then the one listed first. `began_bytes`: size of `from` when it is a file between, made for this and kept until the next one is
 * there; else 0. `room`: what may be taken beside the new file. `avoid`: deltas that are left out, their SHA-256 with blanks between. */
bool hf_delta_chain_find(const struct hf_artifact *artifact, const char *from, uint64_t began_bytes,
                         const struct hf_plan_room *room, const char *avoid, struct hf_delta_chain *ret_way);

/* Leave this one out from now on, too. False: the list is full. */
bool hf_delta_chain_avoid(char avoid[HF_DELTA_CHAIN_MAX_AVOID], const char *sha256);
bool hf_delta_chain_avoids(const char *avoid, const char *sha256);
