/* SPDX-License-Identifier: Apache-2.0 */
/* Annotates each EdgeNode with its Node's uid. Admission policies, which cannot read the Node, compare it with a
 * certificate's group, to refuse certificates of an earlier Node of this name. */
#pragma once

#include "controller/lead/turns.h"

#define HF_NODE_BINDER_ANNOTATION "edge.codcompass.io/node-uid"
#define HF_NODE_BINDER_NONE "none" /* without a Node: no certificate is good */

struct hf_node_binder;

enum { HF_NODE_BINDER_MAX_FLYING = 8, HF_NODE_BINDER_PER_S = 50 };

struct hf_node_binder_params {
    struct hf_leader_env env;
    bool (*is_complete)(void *arg); /* whether all Nodes have come */
};

struct hf_node_binder *hf_node_binder_new(const struct hf_node_binder_params *params);
void hf_node_binder_free(struct hf_node_binder *binder);
HF_DEFINE_CLEANUP(struct hf_node_binder, hf_node_binder_free)

void hf_node_binder_take_node(struct hf_node_binder *binder, const json_t *node);
void hf_node_binder_take_edgenode(struct hf_node_binder *binder, const json_t *edgenode);
void hf_node_binder_drop_node(struct hf_node_binder *binder, const char *name);
void hf_node_binder_drop_edgenode(struct hf_node_binder *binder, const char *name);

void hf_node_binder_lead(struct hf_node_binder *binder);
