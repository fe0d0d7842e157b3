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

#include "api/meta.h"
#include "controller/labels/label_rule.h"
#include "node/labels.h"
#include "web/metrics.h"

#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS (10 * HF_NS_PER_S)     /* least time between two writes of one Node */
#define FAILURE_NS (30 * HF_NS_PER_S)  /* after an unreachable or busy server, or a conflict */
#define REFUSED_NS (300 * HF_NS_PER_S) /* after a refusal: a person must change something */

/* RELEASE applies no labels under the agent's field manager, so that the Node loses those that only the agent wrote. */
enum label_step { READ_EDGENODE, READ_NODE, APPLY, RELEASE };

struct label_node {
    struct hf_turns_object base;
    bool has_node, has_report; /* the Node exists; the EdgeNode says which labels it wants */
    bool is_ours;              /* the agent does not write the labels itself */
    bool has_agents;           /* the Node has labels that belong to the agent's field manager */
    uint64_t wanted, owned;    /* sums over the labels (controller/labels/label_rule.h) */
    enum label_step step;      /* of the request on its way */
    json_t *labels;            /* to write, from READ_NODE on */
};

struct hf_label_writer {
    struct hf_leader_env env;
    struct hf_turns turns; /* of struct label_node */
    struct hf_metric *written, *failed;
};

static struct hf_label_writer *writer_of(const struct label_node *node)
{
    return hf_container_of(node->base.turns, struct hf_label_writer, turns);
}

static struct label_node *node_of(struct hf_turns_object *base)
{
    return hf_container_of(base, struct label_node, base);
}

static void drop_labels(struct hf_turns_object *base)
{
    struct label_node *node = node_of(base);

    json_decref(node->labels);
    node->labels = NULL;
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

static uint64_t due_ns(struct hf_turns_object *base)
{
    return is_due(node_of(base)) ? 0 : HF_NEVER;
}

static void see_node(struct label_node *node, const json_t *object)
{
    node->owned = hf_label_rule_owned(object);
    node->has_agents = hf_label_rule_has_agents(object);
}

static void end(struct label_node *node, uint64_t pause_ns)
{
    drop_labels(&node->base);
    hf_turns_rest(&node->base, pause_ns);
}

static void send(struct label_node *node, const json_t *body)
{
    struct hf_label_writer *writer = writer_of(node);
    bool writes = node->step == APPLY || node->step == RELEASE;
    const struct hf_kube_call call = HF_KUBE_CALL(
        writes ? HF_KUBE_APPLY : HF_KUBE_GET, node->step == READ_EDGENODE ? HF_API_GROUP_VERSION : "v1",
        node->step == READ_EDGENODE ? "edgenodes" : "nodes", node->base.name, .body = body, .force = writes,
        .field_manager = node->step == APPLY     ? HF_LABEL_RULE_MANAGER
                         : node->step == RELEASE ? HF_FIELD_MANAGER
                                                 : NULL,
        .metadata_only = node->step == READ_NODE, .timeout_ns = CALL_TIMEOUT_NS);
    struct hf_err err = HF_ERR_INIT;

    if (hf_turns_send(&node->base, &call, &err) == 0)
        return;
    hf_log_err(writer->env.world.log, HF_LOG_WARNING, "node_labels.failed", "node", node->base.name, &err);
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
        hf_labels_apply_body(node->base.name, uid, own ? node->labels : none, &body) < 0) {
        end(node, PACE_NS);
        return;
    }
    node->step = own ? APPLY : RELEASE;
    send(node, body);
}

static void written(struct label_node *node, const json_t *object)
{
    struct hf_label_writer *writer = writer_of(node);
    bool released = node->step == RELEASE;

    see_node(node, object);
    hf_metric_add(writer->written, 1);
    if (released)
        hf_log(writer->env.world.log, HF_LOG_INFO, "node_labels.released", HF_S("node", node->base.name));
    else
        hf_log(writer->env.world.log, HF_LOG_INFO, "node_labels.applied", HF_S("node", node->base.name),
               HF_D("labels", json_object_size(node->labels)));
    if (!released && node->wanted == node->owned && has_leftovers(node) &&
        writer_of(node)->env.leads(writer_of(node)->env.arg))
        apply(node, object);
    else
        end(node, PACE_NS);
}

static void failed(struct label_node *node, const struct hf_kube_answer *answer)
{
    struct hf_label_writer *writer = writer_of(node);
    bool refused = answer->r == -EACCES || answer->r == -EBADMSG;

    if (answer->r != -ENOENT) {
        hf_metric_add(writer->failed, 1);
        hf_log(writer->env.world.log, HF_LOG_WARNING, "node_labels.failed", HF_S("node", node->base.name),
               HF_S("error", HF_ERR_TEXT(&answer->err)));
    }
    end(node, refused ? REFUSED_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns));
}

static void answered(struct hf_turns_object *base, const struct hf_kube_answer *answer)
{
    struct label_node *node = node_of(base);

    if (answer->r < 0) {
        failed(node, answer);
    } else if (node->step == APPLY || node->step == RELEASE) {
        written(node, answer->object);
    } else if (!writer_of(node)->env.leads(writer_of(node)->env.arg)) {
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

static void begin(struct hf_turns_object *base)
{
    struct label_node *node = node_of(base);

    node->step = READ_EDGENODE;
    send(node, NULL);
}

static const struct hf_turns_ops turns_ops = {.due_ns = due_ns,
                                              .begin = begin,
                                              .answered = answered,
                                              .done = drop_labels,
                                              .object_size = sizeof(struct label_node),
                                              .max_flying = HF_LABEL_WRITER_MAX_FLYING,
                                              .turn_ns = HF_NS_PER_S / HF_LABEL_WRITER_PER_S};

static struct label_node *find(struct hf_label_writer *writer, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct label_node *node;

    if (writer == NULL || name[0] == '\0')
        return NULL;
    node = hf_turns_make(&writer->turns, name);
    if (node == NULL)
        hf_log(writer->env.world.log, HF_LOG_ERROR, "node_labels.failed", HF_S("node", name),
               HF_S("error", "out of memory"));
    return node;
}

void hf_label_writer_take_node(struct hf_label_writer *writer, const json_t *object)
{
    struct label_node *node = find(writer, object);

    if (node == NULL)
        return;
    node->has_node = true;
    see_node(node, object);
    hf_turns_look(&node->base);
}

void hf_label_writer_take_edgenode(struct hf_label_writer *writer, const json_t *object)
{
    struct label_node *node = find(writer, object);
    _cleanup_(hf_json_freep) json_t *labels = NULL;
    unsigned refused = 0;

    if (node == NULL)
        return;
    node->has_report = hf_label_rule_wanted(object, &labels, &refused) == 0;
    node->is_ours = hf_label_rule_is_ours(object);
    uint64_t wanted = node->has_report ? hf_label_rule_sum(labels) : 0;
    if (refused > 0 && wanted != node->wanted)
        hf_log(writer->env.world.log, HF_LOG_WARNING, "node_labels.refused", HF_S("node", node->base.name),
               HF_D("labels", refused));
    node->wanted = wanted;
    hf_turns_look(&node->base);
}

static void drop(struct hf_label_writer *writer, const char *name, bool is_node)
{
    struct label_node *node = writer != NULL ? hf_strmap_get(&writer->turns.objects, name) : NULL;

    if (node == NULL)
        return;
    if (is_node)
        node->has_node = false;
    else
        node->has_report = false;
    if (!node->has_node && !node->has_report)
        (void)hf_strmap_remove(&writer->turns.objects, name);
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
        hf_turns_arm(&writer->turns, 0);
}

struct hf_label_writer *hf_label_writer_new(const struct hf_leader_env *env)
{
    struct hf_label_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return NULL;
    writer->env = *env;
    struct hf_metric_family *family =
        hf_metric_family(env->world.metrics, HF_METRIC_COUNTER, "holdfast_controller_label_writes_total",
                         "Writes of labels to Nodes, by result.", HF_LABELS("result"));
    writer->written = hf_metric_with(family, HF_LABELS("written"));
    writer->failed = hf_metric_with(family, HF_LABELS("failed"));
    if (hf_turns_init(&writer->turns, &writer->env, &turns_ops) < 0) {
        free(writer);
        return NULL;
    }
    return writer;
}

void hf_label_writer_free(struct hf_label_writer *writer)
{
    if (writer == NULL)
        return;
    hf_turns_done(&writer->turns);
    free(writer);
}
