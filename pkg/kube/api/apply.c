/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply: the fields that we own in one object, as one PATCH with our field manager (Kubernetes API
 * concepts, "Server-side apply"). A 2xx alone does not prove the write: a local proxy (YurtHub) may answer 200 from its
 * cache and drop the write, so the answer must show what we wrote.
 *
 * A status is ours alone. What another manager wrote into it stays under our applies, so an answer that shows more than
 * we wrote is followed by two more requests: one that empties the status, and the apply again. */
#include <errno.h>
#include <string.h>

#include "kube/api/client.h"
#include "kube/call.h"

/* server-side apply; a MetaServer needs up to 34 s for a PATCH */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)

struct hf_kube_delivery {
    struct hf_delivery handle;
    struct hf_list link;
    struct hf_kube *kube;
    struct hf_kube_pending *pending;
    hf_source_done *done;
    void *arg;
    json_t *body;
    char *subresource; /* NULL: the object itself */
    /* when the write left: the highest version that the server had sent of any kind of the same API, and the version of
     * the object; 0: there is nothing to compare with */
    uint64_t highest, before;
    enum { FIRST, EMPTYING, AGAIN } step;
};

static void delivery_free(struct hf_kube_delivery *delivery)
{
    hf_list_remove(&delivery->link);
    json_decref(delivery->body);
    free(delivery->subresource);
    free(delivery);
}

static void finish(struct hf_kube_delivery *delivery, int r, uint64_t retry_after_ns, const json_t *answer,
                   const struct hf_err *err)
{
    hf_source_done *done = delivery->done;
    void *arg = delivery->arg;

    delivery_free(delivery);
    done(arg, r, retry_after_ns, answer, err);
}

/* ---- did it arrive? ---------------------------------------------------------------------------------------------- */

int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err)
{
    const json_t *sequence = hf_json_at(body, "status.sequence");
    const json_t *labels = hf_json_at(body, "metadata.labels"), *shown = hf_json_at(answer, "metadata.labels");
    const char *key;
    json_t *value;

    if (sequence != NULL && !json_equal(sequence, hf_json_at(answer, "status.sequence")))
        return hf_err_set(err, EAGAIN, "the answer does not show status.sequence: a local proxy dropped the write");
    json_object_foreach(hf_json_mutable(labels), key, value) {
        if (!json_equal(value, json_object_get(shown, key)))
            return hf_err_set(err, EAGAIN, "the answer does not show the label '%s': a local proxy dropped the write",
                              key);
    }
    return 0;
}

/* The number of values in a tree. */
static size_t weight(const json_t *value)
{
    size_t n = 1;
    const char *key;
    json_t *member;

    json_object_foreach(hf_json_mutable(value), key, member)
        n += weight(member);
    for (size_t i = 0; i < json_array_size(value); i++)
        n += weight(json_array_get(value, i));
    return n;
}

bool hf_kube_apply_has_foreign(const json_t *body, const json_t *answer)
{
    const json_t *ours = json_object_get(body, "status"), *managed = hf_json_at(answer, "metadata.managedFields");
    size_t writers = 0;

    for (size_t i = 0; i < json_array_size(managed); i++)
        writers += strcmp(hf_json_str_or(json_array_get(managed, i), "subresource", ""), "status") == 0;
    /* The weight alone would count defaults of a newer schema, too. */
    return ours != NULL && writers > 1 && weight(json_object_get(answer, "status")) > weight(ours);
}

/* The subscription that follows the object of the write, or NULL. */
static struct hf_kube_subscription *follower_of(const struct hf_kube_delivery *delivery)
{
    const char *kind = hf_json_str_or(delivery->body, "kind", ""),
               *name = hf_json_str_or(delivery->body, "metadata.name", "");
    struct hf_kube_subscription *sub = NULL;

    while ((sub = hf_kube_next(delivery->kube, sub)) != NULL)
        if (sub->own_ns == NULL && strcmp(sub->resource->kind, kind) == 0 &&
            (sub->name == NULL || strcmp(sub->name, name) == 0))
            break;
    return sub;
}

/* True for two kinds of one API, whose versions count together. */
static bool shares_store(const struct hf_kube_subscription *sub, const struct hf_resource *resource)
{
    return strcmp(sub->resource->api_version, resource->api_version) == 0;
}

static uint64_t highest_version(struct hf_kube *kube, const struct hf_resource *resource)
{
    uint64_t highest = 0;

    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(kube, sub)) != NULL;)
        if (shares_store(sub, resource))
            highest = HF_MAX(highest, sub->ledger.highest);
    return highest;
}

/* A changed object has a version above all that the server sent before the write. Otherwise the server continues from a
 * restored backup, and sends our watches nothing until it has reached the version from which they resumed. */
static void check_version(const struct hf_kube_delivery *delivery, const json_t *answer)
{
    uint64_t version = hf_kube_version_number(hf_json_str_or(answer, "metadata.resourceVersion", ""));
    const struct hf_kube_subscription *own = follower_of(delivery);
    struct hf_err err = HF_ERR_INIT;

    if (own == NULL || version == 0 || version >= delivery->highest || version == delivery->before)
        return;
    for (struct hf_kube_subscription *sub = NULL; (sub = hf_kube_next(delivery->kube, sub)) != NULL;) {
        if (sub->next.relist || !shares_store(sub, own->resource) || sub->ledger.highest <= version)
            continue;
        (void)hf_kube_believe_older(sub, "answer to a write", version, &err);
        sub->next.relist = true;
    }
    hf_kube_arm_turn(delivery->kube);
}

static int send(struct hf_kube_delivery *delivery, struct hf_err *err);

/* Starts to empty the status if somebody else has written into it. Returns true if that is on its way. */
static bool empties(struct hf_kube_delivery *delivery, const json_t *answer)
{
    struct hf_kube *kube = delivery->kube;
    uint64_t now = hf_mono_ns(kube->p.world.clock);
    struct hf_err err = HF_ERR_INIT;

    if (delivery->step != FIRST || !kube->rules->speaks_for_itself || now < kube->empty_ns ||
        !hf_kube_apply_has_foreign(delivery->body, answer))
        return false;
    kube->empty_ns = now + HF_KUBE_EMPTY_NS;
    delivery->step = EMPTYING;
    hf_log(kube->p.world.log, HF_LOG_WARNING, "kube.foreign_status", HF_S("kind", hf_json_str_or(answer, "kind", "")),
           HF_S("name", hf_json_str_or(answer, "metadata.name", "")));
    return send(delivery, &err) == 0;
}

static void taken(struct hf_kube_delivery *delivery, const struct hf_kube_answer *answer)
{
    struct hf_kube *kube = delivery->kube;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_kube_apply_verify(delivery->body, answer->object, &err);

    if (r < 0) {
        hf_kube_count_doubt(kube, "unseen-write");
        finish(delivery, -EAGAIN, 0, NULL, &err);
        return;
    }
    kube->rules->written(kube);
    if (kube->rules->one_history)
        check_version(delivery, answer->object);
    hf_kube_reached(kube);
    hf_kube_return_ready(kube);
    if (!empties(delivery, answer->object))
        finish(delivery, 0, 0, answer->object, NULL);
}

/* The error for the writer, as in source.h. A conflict and an unusable answer may be over at the next attempt. */
static int code_for_writer(int r)
{
    switch (r) {
    case -ESTALE:
    case -EEXIST:
    case -E2BIG:
    case -EPROTO:
    case -EPIPE:
        return -EAGAIN;
    default:
        return r;
    }
}

/* The answer to the emptying. Whatever it says, the status has to be whole again. */
static void emptied(struct hf_kube_delivery *delivery)
{
    struct hf_err err = HF_ERR_INIT;
    int r;

    delivery->step = AGAIN;
    r = send(delivery, &err);
    if (r < 0)
        finish(delivery, code_for_writer(r), 0, NULL, &err);
}

static void apply_ended(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_kube_delivery *delivery = arg;

    delivery->pending = NULL;
    if (delivery->step == EMPTYING)
        emptied(delivery);
    else if (answer->r == 0)
        taken(delivery, answer);
    else
        finish(delivery, code_for_writer(answer->r), answer->retry_after_ns, NULL, &answer->err);
}

static int send(struct hf_kube_delivery *delivery, struct hf_err *err)
{
    const char *kind = hf_json_str_or(delivery->body, "kind", ""),
               *name = hf_json_str_or(delivery->body, "metadata.name", "");
    const struct hf_resource *resource = hf_resource_find(kind);
    const struct hf_kube_subscription *sub = follower_of(delivery);
    _cleanup_(hf_json_freep) json_t *empty = json_pack("{s:n}", "status");
    bool empties = delivery->step == EMPTYING;

    if (resource == NULL || *name == '\0')
        return hf_err_set(err, EINVAL, "cannot write a '%s' named '%s'", kind, name);
    if (sub != NULL && hf_json_at(delivery->body, "status.sequence") != NULL) { /* each status has a new one */
        delivery->highest = highest_version(delivery->kube, resource);
        delivery->before = hf_ledger_version(&sub->ledger, name);
    }
    const struct hf_kube_call call =
        HF_KUBE_CALL(empties ? HF_KUBE_MERGE_PATCH : HF_KUBE_APPLY, resource->api_version, hf_resource_plural(resource),
                     name, .subresource = delivery->subresource, .body = empties ? empty : delivery->body,
                     .force = !empties, .timeout_ns = HF_KUBE_APPLY_NS);
    return hf_kube_call_send(delivery->kube, &call, apply_ended, delivery, &delivery->pending, err);
}

int hf_kube_apply(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                  struct hf_delivery **ret_delivery, struct hf_err *err)
{
    struct hf_kube *kube = ctx;

    if (hf_list_count(&kube->deliveries) >= HF_KUBE_MAX_DELIVERIES)
        return hf_err_set(err, EAGAIN, "%d writes are in flight already", (int)HF_KUBE_MAX_DELIVERIES);
    struct hf_kube_delivery *delivery = calloc(1, sizeof(*delivery));
    if (delivery == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *delivery = (struct hf_kube_delivery){
        .handle = {&kube->ops}, .kube = kube, .done = done, .arg = arg, .body = json_deep_copy(body)};
    delivery->subresource = subresource != NULL ? strdup(subresource) : NULL;
    hf_list_append(&kube->deliveries, &delivery->link);
    bool lacks = delivery->body == NULL || (subresource != NULL && delivery->subresource == NULL);
    int r = lacks ? hf_err_set(err, ENOMEM, "out of memory") : send(delivery, err);
    if (r < 0) {
        delivery_free(delivery);
        return r;
    }
    *ret_delivery = &delivery->handle;
    return 0;
}

static void abandon(struct hf_kube_delivery *delivery)
{
    hf_kube_call_cancel(delivery->pending);
    delivery_free(delivery);
}

void hf_kube_apply_abandon(struct hf_delivery *delivery)
{
    abandon(hf_container_of(delivery, struct hf_kube_delivery, handle));
}

void hf_kube_apply_abandon_all(struct hf_kube *kube)
{
    while (!hf_list_empty(&kube->deliveries))
        abandon(hf_container_of(kube->deliveries.next, struct hf_kube_delivery, link));
}
