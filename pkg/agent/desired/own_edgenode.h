/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/own_edgenode.h - the parts of this node's EdgeNode that it reads: turns and uid. Only the turns are
 * cached on disk, so that they hold after a restart without a network, and a write is needed only when one comes or
 * goes. */
#pragma once

#include "agent/env.h"
#include "api/edgenode.h"

struct hf_own_edgenode {
    const struct hf_agent_env *env;
    struct hf_edgenode *decoded; /* NULL: no turns */
    char uid[64];                /* "" until the source has reported it */
};

void hf_own_edgenode_init(struct hf_own_edgenode *own, const struct hf_agent_env *env);
void hf_own_edgenode_done(struct hf_own_edgenode *own);

void hf_own_edgenode_load(struct hf_own_edgenode *own, const json_t *edgenode);

/* As the source reports it; NULL: it does not exist. True: the turns changed, and the cache was written. Like load,
 * logs a spec that cannot be read: no turns. */
bool hf_own_edgenode_take(struct hf_own_edgenode *own, const json_t *edgenode);
