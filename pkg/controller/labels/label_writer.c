/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the labels that EdgeNodes ask for to their Nodes, for agents that do not write them themselves.
 *
 * Each Node is a chain of requests: read the EdgeNode, read the Node, apply our labels, then release those that the
 * agent wrote under its own field manager. The objects are read again because those of the watch may be old. Our
 * labels come first, so that a label that stays is never missing. The body has the Node's uid, so that an apply
 * never makes a Node or labels another one of the same name.
 *
 * The leader alone writes: it begins at most HF_LABEL_WRITER_PER_S Nodes a second, and each Node once in PACE_NS.
 * Between writes a node costs two sums over its labels, not the labels. */
#include "controller/labels/label_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/strmap.h"
#include "controller/labels/label_rule.h"
#include "node/labels.h"
#include "web/metrics.h"

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS (10 * HF_NS_PER_S)     /* least time between two writes of one Node */
#define FAILURE_NS (30 * HF_NS_PER_S)  /* after an unreachable or busy server, or a conflict */
#define REFUSED_NS (300 * HF_NS_PER_S) /* after a refusal: a person must change something */
#define TURN_NS (HF_NS_PER_S / HF_LABEL_WRITER_PER_S)

/* RELEASE applies no labels under the agent's field manager, so that the Node loses those that only the agent wrote. */
enum label_step { READ_EDGENODE, READ_NODE, APPLY, RELEASE };

struct label_node {
    struct hf_label_writer *writer;
    bool has_node, has_report;       /* the Node exists; the EdgeNode says which labels it wants */
    bool is_ours;                    /* the agent does not write the labels itself */
    bool has_agents;                 /* the Node has labels that belong to the agent's field manager */
    uint64_t wanted, owned;          /* sums over the labels (controller/labels/label_rule.h) */
    uint64_t due_ns;                 /* no write before this monotonic time */
    struct hf_kube_pending *pending; /* NULL: nothing is on its way */
    enum label_step step;            /* of the request on its way */
    json_t *labels;                  /* to write, from READ_NODE on */
    char name[];
};

struct hf_label_writer {
    struct hf_label_writer_params p;
    struct hf_strmap nodes; /* name -> struct label_node; lists arrive in the order of names, so that most go last */
    size_t n_flying;
    uint64_t turn_ns; /* the next write starts no earlier */
    struct hf_timer *timer;
    uint64_t armed_ns; /* HF_NEVER: the timer is not armed */
    struct hf_metric *written, *failed;
};

static uint64_t now_of(const struct hf_label_writer *writer)
{
    return hf_mono_ns(writer->p.clock);
}

static void arm(struct hf_label_writer *writer, uint64_t at_ns)
{
    uint64_t now = now_of(writer);

    if (at_ns >= writer->armed_ns)
        return;
    writer->armed_ns = at_ns;
    writer->p.sched->timer_arm(writer->p.sched->ctx, writer->timer, at_ns > now ? at_ns - now : 0);
}

static void stop(struct label_node *node)
{
    if (node->pending != NULL)
        node->writer->n_flying--;
    hf_kube_call_cancel(node->pending);
    node->pending = NULL;
    json_decref(node->labels);
    node->labels = NULL;
}

static void free_node(void *pointer)
{
    struct label_node *node = pointer;

    stop(node);
    free(node);
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

static bool has_leftovers(const struct label_node *node)
{
    return node->is_ours && node->has_agents;
}

static bool is_due(const struct label_node *node)
{
    return node->has_node && node->has_report && (node->wanted != node->owned || has_leftovers(node));
}

static void see_node(struct label_node *node, const json_t *object)
{
    node->owned = hf_label_rule_owned(object);
    node->has_agents = hf_label_rule_has_agents(object);
}

static void end(struct label_node *node, uint64_t pause_ns)
{
    struct hf_label_writer *writer = node->writer;

    stop(node);
    node->due_ns = now_of(writer) + pause_ns;
    if (is_due(node))
        arm(writer, node->due_ns);
    arm(writer, writer->turn_ns); /* others may wait for the place */
}

static void answered(void *arg, const struct hf_kube_answer *answer);

static void send(struct label_node *node, const json_t *body)
{
    struct hf_label_writer *writer = node->writer;
    bool writes = node->step == APPLY || node->step == RELEASE;
    const struct hf_kube_call call = {.verb = writes ? HF_KUBE_APPLY : HF_KUBE_GET,
                                      .api_version = node->step == READ_EDGENODE ? HF_API_GROUP_VERSION : "v1",
                                      .plural = node->step == READ_EDGENODE ? "edgenodes" : "nodes",
                                      .name = node->name,
                                      .body = body,
                                      .force = writes,
                                      .field_manager = node->step == APPLY     ? HF_LABEL_RULE_MANAGER
                                                       : node->step == RELEASE ? HF_FIELD_MANAGER
                                                                               : NULL,
                                      .metadata_only = node->step == READ_NODE,
                                      .timeout_ns = CALL_TIMEOUT_NS};
    struct hf_err err = HF_ERR_INIT;
    int r = hf_kube_call_send(writer->p.kube, &call, answered, node, &node->pending, &err);

    if (r == 0) {
        writer->n_flying++;
        return;
    }
    hf_log_err(writer->p.log, HF_LOG_WARNING, "node_labels.failed", "node", node->name, &err);
    end(node, FAILURE_NS);
}

/* The labels are those of the EdgeNode as it is now, not as the watch brought it. Returns true if the write goes on. */
static bool take_report(struct label_node *node, const json_t *edgenode)
{
    int r = hf_label_rule_wanted(edgenode, &node->labels, NULL);

    node->has_report = r == 0;
    node->is_ours = hf_label_rule_is_ours(edgenode);
    if (r == 0)
        node->wanted = hf_label_rule_sum(node->labels);
    return is_due(node);
}

/* The body has the uid, so that an apply never makes a Node, and never labels another one of the same name. First come
 * our own labels: a label that the agent wrote and that stays is then never missing. */
static void apply(struct label_node *node, const json_t *object)
{
    const char *uid = hf_json_str_or(object, "metadata.uid", "");
    _cleanup_(hf_json_freep) json_t *body = NULL, *none = json_object();
    bool own = node->wanted != node->owned;

    if (!is_due(node) || uid[0] == '\0' || none == NULL ||
        hf_labels_apply_body(node->name, uid, own ? node->labels : none, &body) < 0) {
        end(node, PACE_NS);
        return;
    }
    node->step = own ? APPLY : RELEASE;
    send(node, body);
}

static void written(struct label_node *node, const json_t *object)
{
    struct hf_label_writer *writer = node->writer;
    bool released = node->step == RELEASE;

    see_node(node, object);
    hf_metric_add(writer->written, 1);
    if (released)
        hf_log(writer->p.log, HF_LOG_INFO, "node_labels.released", HF_S("node", node->name));
    else
        hf_log(writer->p.log, HF_LOG_INFO, "node_labels.applied", HF_S("node", node->name),
               HF_D("labels", json_object_size(node->labels)));
    if (!released && node->wanted == node->owned && has_leftovers(node) && writer->p.leads(writer->p.arg))
        apply(node, object);
    else
        end(node, PACE_NS);
}

static void failed(struct label_node *node, const struct hf_kube_answer *answer)
{
    struct hf_label_writer *writer = node->writer;
    bool refused = answer->r == -EACCES || answer->r == -EBADMSG;
    char text[600];

    if (answer->r != -ENOENT) {
        hf_metric_add(writer->failed, 1);
        hf_log(writer->p.log, HF_LOG_WARNING, "node_labels.failed", HF_S("node", node->name),
               HF_S("error", hf_err_text(&answer->err, text, sizeof(text))));
    }
    end(node, refused ? REFUSED_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns));
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct label_node *node = arg;
    struct hf_label_writer *writer = node->writer;

    node->pending = NULL;
    writer->n_flying--;
    if (answer->r < 0) {
        failed(node, answer);
    } else if (node->step == APPLY || node->step == RELEASE) {
        written(node, answer->object);
    } else if (!writer->p.leads(writer->p.arg)) {
        end(node, 0);
    } else if (node->step == READ_NODE) {
        see_node(node, answer->object);
        apply(node, answer->object);
    } else if (take_report(node, answer->object)) {
        node->step = READ_NODE;
        send(node, NULL);
    } else {
        end(node, PACE_NS);
    }
}

/* ---- all nodes --------------------------------------------------------------------------------------------------- */

static void work(void *arg)
{
    struct hf_label_writer *writer = arg;
    uint64_t now = now_of(writer), next = HF_NEVER;

    writer->armed_ns = HF_NEVER;
    if (!writer->p.leads(writer->p.arg))
        return;
    for (size_t i = 0; i < writer->nodes.n && writer->n_flying < HF_LABEL_WRITER_MAX_FLYING; i++) {
        struct label_node *node = writer->nodes.entries[i].value;
        if (node->pending != NULL || !is_due(node))
            continue;
        uint64_t at = HF_MAX(node->due_ns, writer->turn_ns);
        if (at > now) {
            next = HF_MIN(next, at);
            continue;
        }
        writer->turn_ns = now + TURN_NS;
        node->step = READ_EDGENODE;
        send(node, NULL);
    }
    arm(writer, next);
}

static struct label_node *node_of(struct hf_label_writer *writer, const char *name)
{
    struct label_node *node = hf_strmap_get(&writer->nodes, name);

    if (node != NULL)
        return node;
    node = calloc(1, sizeof(*node) + strlen(name) + 1);
    if (node == NULL || hf_strmap_put(&writer->nodes, name, node) < 0) {
        free(node);
        hf_log(writer->p.log, HF_LOG_ERROR, "node_labels.failed", HF_S("node", name), HF_S("error", "out of memory"));
        return NULL;
    }
    node->writer = writer;
    memcpy(node->name, name, strlen(name) + 1);
    return node;
}

static void look(struct label_node *node)
{
    if (is_due(node) && node->pending == NULL)
        arm(node->writer, HF_MAX(node->due_ns, node->writer->turn_ns));
}

void hf_label_writer_take_node(struct hf_label_writer *writer, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct label_node *node = writer != NULL && name[0] != '\0' ? node_of(writer, name) : NULL;

    if (node == NULL)
        return;
    node->has_node = true;
    see_node(node, object);
    look(node);
}

void hf_label_writer_take_edgenode(struct hf_label_writer *writer, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct label_node *node = writer != NULL && name[0] != '\0' ? node_of(writer, name) : NULL;
    _cleanup_(hf_json_freep) json_t *labels = NULL;
    unsigned refused = 0;

    if (node == NULL)
        return;
    node->has_report = hf_label_rule_wanted(object, &labels, &refused) == 0;
    node->is_ours = hf_label_rule_is_ours(object);
    uint64_t wanted = node->has_report ? hf_label_rule_sum(labels) : 0;
    if (refused > 0 && wanted != node->wanted)
        hf_log(writer->p.log, HF_LOG_WARNING, "node_labels.refused", HF_S("node", name), HF_D("labels", refused));
    node->wanted = wanted;
    look(node);
}

static void drop(struct hf_label_writer *writer, const char *name, bool is_node)
{
    struct label_node *node = writer != NULL ? hf_strmap_get(&writer->nodes, name) : NULL;

    if (node == NULL)
        return;
    if (is_node)
        node->has_node = false;
    else
        node->has_report = false;
    if (!node->has_node && !node->has_report)
        (void)hf_strmap_remove(&writer->nodes, name);
}

void hf_label_writer_drop_node(struct hf_label_writer *writer, const char *name)
{
    drop(writer, name, true);
}

void hf_label_writer_drop_edgenode(struct hf_label_writer *writer, const char *name)
{
    drop(writer, name, false);
}

void hf_label_writer_lead(struct hf_label_writer *writer)
{
    if (writer != NULL)
        arm(writer, 0);
}

struct hf_label_writer *hf_label_writer_new(const struct hf_label_writer_params *params)
{
    struct hf_label_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return NULL;
    writer->p = *params;
    writer->nodes.free_value = free_node;
    writer->armed_ns = HF_NEVER;
    struct hf_metric_family *family =
        hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_controller_label_writes_total",
                         "Writes of labels to Nodes, by result.", HF_LABELS("result"));
    writer->written = hf_metric_with(family, HF_LABELS("written"));
    writer->failed = hf_metric_with(family, HF_LABELS("failed"));
    writer->timer = params->sched->timer_new(params->sched->ctx, work, writer);
    if (writer->timer == NULL) {
        free(writer);
        return NULL;
    }
    return writer;
}

void hf_label_writer_free(struct hf_label_writer *writer)
{
    if (writer == NULL)
        return;
    hf_strmap_done(&writer->nodes);
    writer->p.sched->timer_free(writer->p.sched->ctx, writer->timer);
    free(writer);
}
