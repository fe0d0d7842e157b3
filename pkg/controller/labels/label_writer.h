/* SPDX-License-Identifier: Apache-2.0 */
/* controller/labels/label_writer.h - writes the labels that agents report in their EdgeNodes to the Nodes of the same
 * names, for clusters whose rules do not permit agents to write labels of Nodes. The controller passes in the Nodes and
 * EdgeNodes that it watches anyway. Only the leader writes: at most HF_LABEL_WRITER_MAX_FLYING Nodes at once, and each
 * Node at most once in ten seconds.
 *
 * If an agent once wrote the labels of its Node itself, these labels are still on the Node, and the agent's field
 * manager owns them. The writer removes them: after its own apply, it applies an empty set of labels under the agent's
 * field manager. The API server then removes the labels that no other manager owns. The writer does this only if the
 * agent's report has status.labels, because an agent that writes the labels itself reports none.
 *
 * Threads: loop thread only. Memory: below 200 bytes for each node, plus its name. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */
struct hf_label_writer;

enum {
    HF_LABEL_WRITER_MAX_FLYING = 4,
    HF_LABEL_WRITER_PER_S = 20 /* maximum number of Nodes for which a write starts within one second */
};

struct hf_label_writer_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*leads)(void *arg); /* returns true if this process leads now */
    void *arg;
};

struct hf_label_writer *hf_label_writer_new(const struct hf_label_writer_params *params); /* NULL: out of memory */
void hf_label_writer_free(struct hf_label_writer *writer);
HF_DEFINE_CLEANUP(struct hf_label_writer, hf_label_writer_free)

/* Call a _take function when a Node or an EdgeNode is new or has changed, and a _drop function when it is gone. If
 * `writer` is NULL, these functions do nothing. */
void hf_label_writer_take_node(struct hf_label_writer *writer, const json_t *node);
void hf_label_writer_take_edgenode(struct hf_label_writer *writer, const json_t *edgenode);
void hf_label_writer_drop_node(struct hf_label_writer *writer, const char *name);
void hf_label_writer_drop_edgenode(struct hf_label_writer *writer, const char *name);

/* Call this function when this process begins to lead. If `writer` is NULL, it does nothing. */
void hf_label_writer_lead(struct hf_label_writer *writer);
