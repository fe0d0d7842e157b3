/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_edgenode.h - keeps the parts of this node's EdgeNode that the node reads: the turns in spec, and
 * the uid.
 *
 * The agent acts on the turns that it last received, also after a restart and without a network. Therefore the cache on
 * disk holds the EdgeNode. The cached copy has only the turns, so that the agent writes to disk only when a turn comes
 * or goes. Threads: loop thread only. */
#pragma once

#include "agent/env.h"
#include "api/edgenode.h"

struct hf_own_edgenode {
    const struct hf_agent_env *env;
    struct hf_edgenode *decoded; /* the EdgeNode with its turns; NULL if this node has no turns */
    char uid[64];                /* uid of the EdgeNode; "" while the source has not reported it to this process */
};

void hf_own_edgenode_init(struct hf_own_edgenode *own, const struct hf_agent_env *env);
void hf_own_edgenode_done(struct hf_own_edgenode *own);

/* Sets the turns from `edgenode`, which the caller has read from the cache of an earlier process. If this node cannot
 * read the spec of the EdgeNode, logs the error; the node then has no turns. */
void hf_own_edgenode_load(struct hf_own_edgenode *own, const json_t *edgenode);

/* Takes the EdgeNode as the source reports it; `edgenode` is NULL if the EdgeNode does not exist. If the turns have
 * changed, writes the cache and returns true. If this node cannot read the spec of the EdgeNode, logs the error; the
 * node then has no turns. */
bool hf_own_edgenode_take(struct hf_own_edgenode *own, const json_t *edgenode);
