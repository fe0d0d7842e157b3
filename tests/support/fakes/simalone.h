/* SPDX-License-Identifier: Apache-2.0 */
/* support/fakes/simalone.h - a node whose agent runs static pods while no kubelet comes: pkg/alone on a simulated disk,
 * with a simulated runtime (simcri.h) and kubelet, through agents' lives and power cuts. */
#pragma once

#include "alone/alone.h"
#include "support/fakes/simcri.h"

struct hf_simalone {
    struct hf_simloop *loop;
    struct hf_simfs *fs;
    struct hf_simcri cri;
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_alone *alone; /* NULL: no agent runs */
    uint64_t boot_ns;
    bool server; /* the API server answers */
    size_t n_pods;
    unsigned version;      /* of the pods' manifests */
    const char *manifests; /* of every pod, instead of good ones; NULL */
    unsigned changes;
};

/* `pods` wanted ones, each in a file of the entry "web". */
struct hf_simalone *hf_simalone_new(uint64_t seed, bool k3s, size_t pods);
void hf_simalone_free(struct hf_simalone *world);
void hf_simalone_start(struct hf_simalone *world); /* the agent */
void hf_simalone_kill(struct hf_simalone *world);
void hf_simalone_power_cut(struct hf_simalone *world, uint64_t seed); /* the agent does not start by itself */
/* Writes the manifests, and gives them to the agent, as its owner does at each turn. */
void hf_simalone_set(struct hf_simalone *world);
