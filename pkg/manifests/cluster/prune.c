/* SPDX-License-Identifier: Apache-2.0 */
/* Each item: look at the live object; if it is ours still, delete it with its uid as the precondition. The run forgets
 * an object that somebody else has made his own, or has marked as kept, and leaves it in place. */
#include "manifests/cluster/prune.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/rules/plan.h"

static void next_item(struct hf_cluster_run *run);

/* The item is not the entry's any more, because it is gone, or because it belongs to somebody else. */
static void forget(struct hf_cluster_run *run)
{
    int at = hf_cluster_item_find(run->inventory, &run->now.id);

    if (at >= 0)
        (void)json_array_remove(run->inventory, (size_t)at);
    run->at++;
    next_item(run);
}

static void fail(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);

    hf_cluster_run_fail(run, refusal.reason, refusal.why);
    run->at++;
    next_item(run);
}

static int ask_remove(struct hf_cluster_run *run, struct hf_kube_call *call)
{
    assert(run->prune && run->now.uid[0] != '\0'); /* else the name may be of another object by then */
    call->verb = HF_KUBE_DELETE;
    call->body = run->body =
        json_pack("{s:s, s:{s:s}}", "propagationPolicy", "Background", "preconditions", "uid", run->now.uid);
    return run->body != NULL ? 0 : -ENOMEM;
}

static void remove_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    if (answer->r < 0 && answer->r != -ENOENT && answer->r != -ESTALE) {
        fail(run, answer);
        return;
    }
    run->outcome.pruned += answer->r == 0;
    forget(run); /* -ESTALE: the name belongs to another object now */
}

static const struct hf_cluster_step remove_step = {.ask = ask_remove, .taken = remove_taken, .takes_conflict = true};

static int ask_metadata(HF_UNUSED struct hf_cluster_run *run, struct hf_kube_call *call)
{
    call->metadata_only = true;
    return 0;
}

static bool is_wanted(const struct hf_cluster_run *run, const json_t *item)
{
    struct hf_cluster_id id = hf_cluster_item_id(item);

    return hf_cluster_set_find(&run->set, &id) != NULL;
}

/* A server may show one object in two groups, such as an Ingress in extensions and in networking.k8s.io. Returns true
 * if this run has applied the object under its other name. */
static bool is_applied(const struct hf_cluster_run *run)
{
    for (size_t i = 0; i < json_array_size(run->inventory); i++) {
        const json_t *item = json_array_get(run->inventory, i);
        if (strcmp(hf_json_str_or(item, "uid", ""), run->now.uid) == 0 && is_wanted(run, item))
            return true;
    }
    return false;
}

static void look_taken(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    if (answer->r < 0 && answer->r != -ENOENT) {
        fail(run, answer);
        return;
    }
    hf_cluster_run_note(run, answer->object);
    if (answer->r == 0 && hf_cluster_bond_of(answer->object, run->entry) == HF_CLUSTER_OURS && !is_applied(run))
        hf_cluster_run_send(run, &remove_step);
    else
        forget(run);
}

static const struct hf_cluster_step look_step = {.ask = ask_metadata, .taken = look_taken};

static void look_now(struct hf_cluster_run *run)
{
    hf_cluster_run_send(run, &look_step);
}

static void next_item(struct hf_cluster_run *run)
{
    json_t *item = json_array_get(run->doomed, run->at);

    if (item == NULL) {
        hf_cluster_run_finish(run);
        return;
    }
    hf_cluster_run_turn_to(run, NULL, item, hf_json_str_or(item, "resource", ""));
    hf_cluster_run_pace(run, look_now);
}

/* ---- which items, and may they go? ------------------------------------------------------------------------------- */

struct doomed_item {
    unsigned rank;
    size_t at; /* index in the inventory */
};

/* Webhooks first, Namespaces last, and the newest item of a rank first. */
static int by_end(const void *a, const void *b)
{
    const struct doomed_item *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    return x->at > y->at ? -1 : x->at < y->at;
}

static int list_doomed(struct hf_cluster_run *run)
{
    size_t all = json_array_size(run->inventory), n = 0;
    struct doomed_item *items = calloc(all + 1, sizeof(*items));
    int r = 0;

    run->doomed = json_array();
    if (items == NULL || run->doomed == NULL)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < all; i++) {
        json_t *item = json_array_get(run->inventory, i);
        struct hf_cluster_id id = hf_cluster_item_id(item);
        if (!is_wanted(run, item))
            items[n++] = (struct doomed_item){.rank = hf_cluster_rank(id.api_version, id.kind), .at = i};
    }
    if (n > 0)
        qsort(items, n, sizeof(*items), by_end);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = json_array_append(run->doomed, json_array_get(run->inventory, items[i].at)) < 0 ? -ENOMEM : 0;
    free(items);
    return r;
}

static void forget_all(struct hf_cluster_run *run)
{
    for (size_t i = json_array_size(run->inventory); i > 0; i--)
        if (!is_wanted(run, json_array_get(run->inventory, i - 1)))
            (void)json_array_remove(run->inventory, i - 1);
}

/* Counts the items that were in place. An attempt whose objects the server has refused leaves items without a uid. */
static size_t count_placed(const json_t *items)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(items); i++)
        n += hf_cluster_item_is_applied(json_array_get(items, i));
    return n;
}

bool hf_cluster_prune_plan(struct hf_cluster_run *run)
{
    size_t n, n_before = count_placed(run->inventory);
    char message[200];

    if (list_doomed(run) < 0) {
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, "out of memory");
        return false;
    }
    n = count_placed(run->doomed);
    run->wanted += run->prune ? (unsigned)json_array_size(run->doomed) : 0;
    /* After a failure the run removes nothing. While the server does not know a kind, nobody knows the namespaces of
     * its objects, and they look as if they had left the source. */
    if (!run->prune || run->may_prune_beyond || run->failures > 0 || hf_plan_may_prune(n, n_before))
        return true;
    (void)snprintf(message, sizeof(message), "this would remove %zu of %zu objects, more than %d %%", n, n_before,
                   HF_PLAN_PRUNE_PERCENT);
    hf_cluster_run_end(run, -EPERM, HF_MANIFEST_REASON_PRUNE_LIMIT, message);
    return false;
}

void hf_cluster_prune_all(struct hf_cluster_run *run)
{
    if (run->failures > 0) {
        hf_cluster_run_finish(run);
        return;
    }
    assert(run->doomed != NULL && (!run->keep || !run->prune));
    if (!run->prune && !run->keep)
        forget_all(run);
    run->at = run->prune ? 0 : json_array_size(run->doomed);
    next_item(run);
}
