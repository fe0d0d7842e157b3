/* SPDX-License-Identifier: Apache-2.0 */
/* controller/csr/node_binder.h - keeps in each EdgeNode, as an annotation, the uid of the Node that has its name. By it
 * the admission policies know a certificate that was issued for an earlier Node of the name: they compare the
 * annotation with the certificate's group, and cannot read the Node. The controller passes in the Nodes and EdgeNodes
 * that it watches anyway. Only the leader writes: HF_NODE_BINDER_MAX_FLYING EdgeNodes at once, HF_NODE_BINDER_PER_S in
 * a second.
 *
 * Threads: loop thread only. Memory: below 250 bytes for each node, plus its name. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"
#include "kube/call.h"
#include "loop/sched.h"

#define HF_NODE_BINDER_ANNOTATION "edge.codcompass.io/node-uid"
#define HF_NODE_BINDER_NONE "none" /* the value while there is no Node of the name: no certificate is good */

struct hf_node_binder;

enum { HF_NODE_BINDER_MAX_FLYING = 8, HF_NODE_BINDER_PER_S = 50 };

struct hf_node_binder_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    bool (*leads)(void *arg);       /* returns true if this process leads now */
    bool (*is_complete)(void *arg); /* returns true if the binder has got all Nodes: only then is one missing */
    void *arg;
};

struct hf_node_binder *hf_node_binder_new(const struct hf_node_binder_params *params); /* NULL: out of memory */
void hf_node_binder_free(struct hf_node_binder *binder);
HF_DEFINE_CLEANUP(struct hf_node_binder, hf_node_binder_free)

/* Call a _take function when a Node or an EdgeNode is new or has changed, and a _drop function when it is gone. If
 * `binder` is NULL, these functions do nothing. */
void hf_node_binder_take_node(struct hf_node_binder *binder, const json_t *node);
void hf_node_binder_take_edgenode(struct hf_node_binder *binder, const json_t *edgenode);
void hf_node_binder_drop_node(struct hf_node_binder *binder, const char *name);
void hf_node_binder_drop_edgenode(struct hf_node_binder *binder, const char *name);

/* Call this function when this process begins to lead. If `binder` is NULL, it does nothing. */
void hf_node_binder_lead(struct hf_node_binder *binder);
