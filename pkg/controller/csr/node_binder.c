/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/csr/node_binder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/strmap.h"
#include "trust/certificate.h"

#define MANAGER "holdfast-controller-nodes"
#define CALL_TIMEOUT_NS (10 * HF_NS_PER_S)
#define PACE_NS HF_NS_PER_S           /* least time between two writes of one EdgeNode */
#define LISTS_NS (5 * HF_NS_PER_S)    /* until all Nodes are known */
#define FAILURE_NS (10 * HF_NS_PER_S) /* after an unreachable or busy server, or a conflict */
#define TURN_NS (HF_NS_PER_S / HF_NODE_BINDER_PER_S)

struct bound_node {
    struct hf_node_binder *binder;
    char uid[HF_CERTIFICATE_UID];     /* uid of the Node; "" if there is no Node */
    char marked[HF_CERTIFICATE_UID];  /* value of the annotation; "" if the EdgeNode has none */
    char own_uid[HF_CERTIFICATE_UID]; /* uid of the EdgeNode; "" if there is no EdgeNode */
    char sent[HF_CERTIFICATE_UID];    /* value in the request that is on its way */
    uint64_t due_ns;                  /* no write before this monotonic time */
    struct hf_kube_pending *pending;  /* NULL: nothing is on its way */
    char name[];
};

struct hf_node_binder {
    struct hf_node_binder_params p;
    struct hf_strmap nodes; /* name -> struct bound_node */
    size_t n_flying;
    uint64_t turn_ns; /* the next write starts no earlier */
    struct hf_timer *timer;
    uint64_t armed_ns; /* HF_NEVER: the timer is not armed */
};

static uint64_t now_of(const struct hf_node_binder *binder)
{
    return hf_mono_ns(binder->p.clock);
}

static void arm(struct hf_node_binder *binder, uint64_t at_ns)
{
    uint64_t now = now_of(binder);

    if (at_ns >= binder->armed_ns)
        return;
    binder->armed_ns = at_ns;
    binder->p.sched->timer_arm(binder->p.sched->ctx, binder->timer, at_ns > now ? at_ns - now : 0);
}

static void stop(struct bound_node *node)
{
    if (node->pending != NULL)
        node->binder->n_flying--;
    hf_kube_call_cancel(node->pending);
    node->pending = NULL;
}

static void free_node(void *pointer)
{
    struct bound_node *node = pointer;

    stop(node);
    free(node);
}

static const char *wanted(const struct bound_node *node)
{
    return node->uid[0] != '\0' ? node->uid : HF_NODE_BINDER_NONE;
}

static bool is_due(const struct bound_node *node)
{
    return node->own_uid[0] != '\0' && strcmp(node->marked, wanted(node)) != 0;
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

static void end(struct bound_node *node, uint64_t pause_ns)
{
    struct hf_node_binder *binder = node->binder;

    stop(node);
    node->due_ns = now_of(binder) + pause_ns;
    if (is_due(node))
        arm(binder, node->due_ns);
    arm(binder, binder->turn_ns); /* others may wait for the place */
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct bound_node *node = arg;
    struct hf_node_binder *binder = node->binder;
    char text[600];

    node->pending = NULL;
    binder->n_flying--;
    if (answer->r == 0) {
        memcpy(node->marked, node->sent, sizeof(node->marked));
        hf_log(binder->p.log, HF_LOG_INFO, "edgenode.bound", HF_S("node", node->name), HF_S("uid", node->marked));
    } else if (answer->r != -ESTALE && answer->r != -ENOENT) {
        hf_log(binder->p.log, HF_LOG_WARNING, "edgenode.not_bound", HF_S("node", node->name),
               HF_S("error", hf_err_text(&answer->err, text, sizeof(text))));
    }
    end(node, answer->r == 0 ? PACE_NS : HF_MAX(FAILURE_NS, answer->retry_after_ns));
}

/* The body has the uid of the EdgeNode, so that an apply never makes one. */
static void bind(struct bound_node *node)
{
    struct hf_node_binder *binder = node->binder;
    _cleanup_(hf_json_freep) json_t *body = json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:{s:s}}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeNode", "metadata", "name",
        node->name, "uid", node->own_uid, "annotations", HF_NODE_BINDER_ANNOTATION, wanted(node));
    const struct hf_kube_call call = {.verb = HF_KUBE_APPLY,
                                      .api_version = HF_API_GROUP_VERSION,
                                      .plural = "edgenodes",
                                      .name = node->name,
                                      .body = body,
                                      .force = true,
                                      .field_manager = MANAGER,
                                      .timeout_ns = CALL_TIMEOUT_NS};
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(node->sent, sizeof(node->sent), "%s", wanted(node));
    if (body == NULL || hf_kube_call_send(binder->p.kube, &call, answered, node, &node->pending, &err) < 0) {
        hf_log_err(binder->p.log, HF_LOG_WARNING, "edgenode.not_bound", "node", node->name, &err);
        end(node, FAILURE_NS);
        return;
    }
    binder->n_flying++;
}

/* ---- all nodes --------------------------------------------------------------------------------------------------- */

static void work(void *arg)
{
    struct hf_node_binder *binder = arg;
    uint64_t now = now_of(binder), next = HF_NEVER;

    binder->armed_ns = HF_NEVER;
    if (!binder->p.leads(binder->p.arg))
        return;
    bool is_complete = binder->p.is_complete(binder->p.arg);
    for (size_t i = 0; i < binder->nodes.n && binder->n_flying < HF_NODE_BINDER_MAX_FLYING; i++) {
        struct bound_node *node = binder->nodes.entries[i].value;
        if (node->pending != NULL || !is_due(node))
            continue;
        uint64_t at = HF_MAX(node->due_ns, binder->turn_ns);
        if (node->uid[0] == '\0' && !is_complete)
            at = HF_MAX(at, now + LISTS_NS);
        if (at > now) {
            next = HF_MIN(next, at);
            continue;
        }
        binder->turn_ns = now + TURN_NS;
        bind(node);
    }
    arm(binder, next);
}

static struct bound_node *node_of(struct hf_node_binder *binder, const char *name)
{
    struct bound_node *node = hf_strmap_get(&binder->nodes, name);

    if (node != NULL)
        return node;
    node = calloc(1, sizeof(*node) + strlen(name) + 1);
    if (node == NULL || hf_strmap_put(&binder->nodes, name, node) < 0) {
        free(node);
        hf_log(binder->p.log, HF_LOG_ERROR, "edgenode.not_bound", HF_S("node", name), HF_S("error", "out of memory"));
        return NULL;
    }
    node->binder = binder;
    memcpy(node->name, name, strlen(name) + 1);
    return node;
}

static void keep(char kept[HF_CERTIFICATE_UID], const char *text)
{
    (void)snprintf(kept, HF_CERTIFICATE_UID, "%s", text);
}

static void look(struct bound_node *node)
{
    if (is_due(node) && node->pending == NULL)
        arm(node->binder, HF_MAX(node->due_ns, node->binder->turn_ns));
}

void hf_node_binder_take_node(struct hf_node_binder *binder, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct bound_node *node = binder != NULL && name[0] != '\0' ? node_of(binder, name) : NULL;

    if (node == NULL)
        return;
    keep(node->uid, hf_json_str_or(object, "metadata.uid", ""));
    look(node);
}

void hf_node_binder_take_edgenode(struct hf_node_binder *binder, const json_t *object)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");
    struct bound_node *node = binder != NULL && name[0] != '\0' ? node_of(binder, name) : NULL;
    const char *marked =
        json_string_value(json_object_get(hf_json_at(object, "metadata.annotations"), HF_NODE_BINDER_ANNOTATION));

    if (node == NULL)
        return;
    keep(node->own_uid, hf_json_str_or(object, "metadata.uid", ""));
    keep(node->marked, marked != NULL ? marked : "");
    look(node);
}

static void drop(struct hf_node_binder *binder, const char *name, bool is_node)
{
    struct bound_node *node = binder != NULL ? hf_strmap_get(&binder->nodes, name) : NULL;

    if (node == NULL)
        return;
    if (is_node)
        node->uid[0] = '\0';
    else
        node->own_uid[0] = node->marked[0] = '\0';
    if (node->uid[0] == '\0' && node->own_uid[0] == '\0')
        (void)hf_strmap_remove(&binder->nodes, name);
    else
        look(node);
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
        arm(binder, 0);
}

struct hf_node_binder *hf_node_binder_new(const struct hf_node_binder_params *params)
{
    struct hf_node_binder *binder = calloc(1, sizeof(*binder));

    if (binder == NULL)
        return NULL;
    binder->p = *params;
    binder->nodes.free_value = free_node;
    binder->armed_ns = HF_NEVER;
    binder->timer = params->sched->timer_new(params->sched->ctx, work, binder);
    if (binder->timer == NULL) {
        free(binder);
        return NULL;
    }
    return binder;
}

void hf_node_binder_free(struct hf_node_binder *binder)
{
    if (binder == NULL)
        return;
    hf_strmap_done(&binder->nodes);
    binder->p.sched->timer_free(binder->p.sched->ctx, binder->timer);
    free(binder);
}
