/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/csr/node_binder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "trust/certificate.h"

#define MANAGER "holdfast-controller-nodes"
#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS HF_NS_PER_S           /* least time between two writes of one EdgeNode */
#define LISTS_NS (5 * HF_NS_PER_S)    /* until all Nodes are known */
#define FAILURE_NS (10 * HF_NS_PER_S) /* after an unreachable or busy server, or a conflict */

struct bound_node {
    struct hf_turns_object base;
    char uid[HF_CERTIFICATE_UID];     /* uid of the Node; "" if there is no Node */
    char marked[HF_CERTIFICATE_UID];  /* value of the annotation; "" if the EdgeNode has none */
    char own_uid[HF_CERTIFICATE_UID]; /* uid of the EdgeNode; "" if there is no EdgeNode */
    char sent[HF_CERTIFICATE_UID];    /* value in the request that is on its way */
};

struct hf_node_binder {
    struct hf_node_binder_params p;
    struct hf_turns turns; /* of struct bound_node */
};

static struct hf_node_binder *binder_of(struct hf_turns_object *base)
{
    return hf_container_of(base->turns, struct hf_node_binder, turns);
}

static struct bound_node *node_of(struct hf_turns_object *base)
{
    return hf_container_of(base, struct bound_node, base);
}

static const char *wanted(const struct bound_node *node)
{
    return node->uid[0] != '\0' ? node->uid : HF_NODE_BINDER_NONE;
}

static uint64_t due_ns(struct hf_turns_object *base)
{
    const struct bound_node *node = node_of(base);
    const struct hf_node_binder_params *p = &binder_of(base)->p;

    if (node->own_uid[0] == '\0' || strcmp(node->marked, wanted(node)) == 0)
        return HF_NEVER;
    return node->uid[0] != '\0' || p->is_complete(p->env.arg) ? 0 : hf_mono_ns(p->env.world.clock) + LISTS_NS;
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

static void answered(struct hf_turns_object *base, const struct hf_kube_answer *answer)
{
    struct bound_node *node = node_of(base);
    struct hf_log *log = binder_of(base)->p.env.world.log;

    if (answer->r == 0) {
        memcpy(node->marked, node->sent, sizeof(node->marked));
        hf_log(log, HF_LOG_INFO, "edgenode.bound", HF_S("node", base->name), HF_S("uid", node->marked));
    } else if (answer->r != -ESTALE && answer->r != -ENOENT) {
        hf_log(log, HF_LOG_WARNING, "edgenode.not_bound", HF_S("node", base->name),
               HF_S("error", HF_ERR_TEXT(&answer->err)));
    }
    hf_turns_rest(base, answer->r == 0 ? PACE_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns));
}

/* The body has the uid of the EdgeNode, so that an apply never makes one. */
static void bind(struct hf_turns_object *base)
{
    struct bound_node *node = node_of(base);
    _cleanup_(hf_json_freep) json_t *body = json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:{s:s}}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeNode", "metadata", "name",
        base->name, "uid", node->own_uid, "annotations", HF_NODE_BINDER_ANNOTATION, wanted(node));
    const struct hf_kube_call call =
        HF_KUBE_CALL(HF_KUBE_APPLY, HF_API_GROUP_VERSION, "edgenodes", base->name, .body = body, .force = true,
                     .field_manager = MANAGER, .timeout_ns = CALL_TIMEOUT_NS);
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(node->sent, sizeof(node->sent), "%s", wanted(node));
    if (body == NULL || hf_turns_send(base, &call, &err) < 0) {
        hf_log_err(binder_of(base)->p.env.world.log, HF_LOG_WARNING, "edgenode.not_bound", "node", base->name, &err);
        hf_turns_rest(base, FAILURE_NS);
    }
}

/* ---- all nodes --------------------------------------------------------------------------------------------------- */

static void owns_nothing(HF_UNUSED struct hf_turns_object *base)
{
}

static const struct hf_turns_ops turns_ops = {.due_ns = due_ns,
                                              .begin = bind,
                                              .answered = answered,
                                              .done = owns_nothing,
                                              .object_size = sizeof(struct bound_node),
                                              .max_flying = HF_NODE_BINDER_MAX_FLYING,
                                              .turn_ns = HF_NS_PER_S / HF_NODE_BINDER_PER_S};

static struct bound_node *find(struct hf_node_binder *binder, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct bound_node *node;

    if (binder == NULL || name[0] == '\0')
        return NULL;
    node = hf_turns_make(&binder->turns, name);
    if (node == NULL)
        hf_log(binder->p.env.world.log, HF_LOG_ERROR, "edgenode.not_bound", HF_S("node", name),
               HF_S("error", "out of memory"));
    return node;
}

static void keep(char kept[HF_CERTIFICATE_UID], const char *text)
{
    (void)snprintf(kept, HF_CERTIFICATE_UID, "%s", text);
}

void hf_node_binder_take_node(struct hf_node_binder *binder, const json_t *object)
{
    struct bound_node *node = find(binder, object);

    if (node == NULL)
        return;
    keep(node->uid, hf_json_str_or(object, "metadata.uid", ""));
    hf_turns_look(&node->base);
}

void hf_node_binder_take_edgenode(struct hf_node_binder *binder, const json_t *object)
{
    struct bound_node *node = find(binder, object);
    const char *marked =
        json_string_value(json_object_get(hf_json_at(object, "metadata.annotations"), HF_NODE_BINDER_ANNOTATION));

    if (node == NULL)
        return;
    keep(node->own_uid, hf_json_str_or(object, "metadata.uid", ""));
    keep(node->marked, marked != NULL ? marked : "");
    hf_turns_look(&node->base);
}

static void drop(struct hf_node_binder *binder, const char *name, bool is_node)
{
    struct bound_node *node = binder != NULL ? hf_strmap_get(&binder->turns.objects, name) : NULL;

    if (node == NULL)
        return;
    if (is_node)
        node->uid[0] = '\0';
    else
        node->own_uid[0] = node->marked[0] = '\0';
    if (node->uid[0] == '\0' && node->own_uid[0] == '\0')
        (void)hf_strmap_remove(&binder->turns.objects, name);
    else
        hf_turns_look(&node->base);
}

void hf_node_binder_drop_node(struct hf_node_binder *binder, const char *name)
{
    drop(binder, name, true);
}

void hf_node_binder_drop_edgenode(struct hf_node_binder *binder, const char *name)
{
    drop(binder, name, false);
}

void hf_node_binder_lead(struct hf_node_binder *binder)
{
    if (binder != NULL)
        hf_turns_arm(&binder->turns, 0);
}

struct hf_node_binder *hf_node_binder_new(const struct hf_node_binder_params *params)
{
    struct hf_node_binder *binder = calloc(1, sizeof(*binder));

    if (binder == NULL)
        return NULL;
    binder->p = *params;
    if (hf_turns_init(&binder->turns, &binder->p.env, &turns_ops) < 0) {
        free(binder);
        return NULL;
    }
    return binder;
}

void hf_node_binder_free(struct hf_node_binder *binder)
{
    if (binder == NULL)
        return;
    hf_turns_done(&binder->turns);
    free(binder);
}
