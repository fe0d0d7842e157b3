/* controller/labels/label_writer.h - writes the labels that agents report in their EdgeNodes to the Nodes of the same
 * names, for clusters whose rules do not permit agents to write them. The controller passes in the Nodes and EdgeNodes
 * that it watches anyway. Only the leader writes: at most HF_LABEL_WRITER_MAX_FLYING Nodes at once, and each Node at
 * most once in ten seconds.
 *
 * An agent that once wrote the labels of its Node itself has left labels there under the agent's field manager. After
 * its own apply, the writer applies an empty set of labels under that manager: then the labels that nobody else owns
 * go. It does so only if the agent's report has labels, because an agent that writes them itself reports none.
 *
 * Threads: loop thread only. Memory: below 200 bytes for each node, plus its name. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "kube/call.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */
struct hf_label_writer;

enum { HF_LABEL_WRITER_MAX_FLYING = 4, HF_LABEL_WRITER_PER_S = 20 };

struct hf_label_writer_params {
    struct hf_kube *kube;
    const struct hf_sched_ops *sched;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    bool (*leads)(void *arg);
    void *arg;
};

struct hf_label_writer *hf_label_writer_new(const struct hf_label_writer_params *params); /* NULL: out of memory */
void hf_label_writer_free(struct hf_label_writer *writer);
HF_DEFINE_CLEANUP(struct hf_label_writer, hf_label_writer_free)

/* Call these when a Node or an EdgeNode is new, changed (_take) or gone (_drop). If `writer` is NULL, they do
 * nothing. */
void hf_label_writer_take_node(struct hf_label_writer *writer, const json_t *node);
void hf_label_writer_take_edgenode(struct hf_label_writer *writer, const json_t *edgenode);
void hf_label_writer_drop_node(struct hf_label_writer *writer, const char *name);
void hf_label_writer_drop_edgenode(struct hf_label_writer *writer, const char *name);

/* Call this function when this process begins to lead. If `writer` is NULL, it does nothing. */
void hf_label_writer_lead(struct hf_label_writer *writer);
