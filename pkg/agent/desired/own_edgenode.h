/* SPDX-License-Identifier: Apache-2.0 */
/* This node's EdgeNode. Only its turns are cached on disk, as they hold after a restart without network. */
#pragma once

#include "agent/env.h"
#include "api/edgenode.h"

struct hf_own_edgenode {
    const struct hf_agent_env *env;
    struct hf_edgenode *decoded;
    char uid[64]; /* "": not reported, or the EdgeNode does not exist */
};

void hf_own_edgenode_init(struct hf_own_edgenode *own, const struct hf_agent_env *env);
void hf_own_edgenode_done(struct hf_own_edgenode *own);

void hf_own_edgenode_load(struct hf_own_edgenode *own, const json_t *edgenode);

/* Takes the reported EdgeNode; NULL: it does not exist. Returns whether the turns changed. An unreadable spec is
 * logged, and gives no turns. */
bool hf_own_edgenode_take(struct hf_own_edgenode *own, const json_t *edgenode);
