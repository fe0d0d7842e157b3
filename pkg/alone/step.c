/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the rules:
 *
 *   1. The node's own containerd wants to run: a kubelet comes. Ours ends as soon as nothing of ours is left (rule 3).
 *      Two cannot have one database. Under K3s, whose agent takes our containerd for its own meanwhile, the kubelet's
 *      answer stands for this. The pods go before the kubelet starts: its own instance would find the port taken, and
 *      wait 10 s for its second attempt.
 *   2. No containerd runs: ours starts, if the node is alone and a pod is wished.
 *   3. Sandboxes of ours that are not wished, are dead, are second ones, or that a kubelet now takes over, go.
 *   4. Alone: each wished pod gets its sandbox and its containers, unless the kubelet's own instance still runs, as it
 *      does where only the kubelet has ended.
 *   5. Nothing is wished and nothing of ours is left: our containerd ends. */
#include "alone/step.h"

#include <stdio.h>
#include <string.h>

#define HF_ALONE_BOUND_NS (60 * HF_NS_PER_S) /* without a kubelet, since the boot or since it was last seen */
/* Since the boot, while no API server answers: a K3s agent's kubelet cannot come before, and the pods are to answer
 * within 15 s. Any other kubelet that comes later costs one change of hands. The time since the boot, not since our
 * start: no kubelet begins to start anew when this process does. */
#define HF_ALONE_CUT_OFF_NS (10 * HF_NS_PER_S)
#define HF_ALONE_SETTLE_NS (5 * HF_NS_PER_S) /* a new process looks for a kubelet so long before it acts */

const char *const hf_alone_step_names[HF_ALONE_STEPS] = {
    [HF_ALONE_REST] = "Rest",
    [HF_ALONE_START_RUNTIME] = "StartRuntime",
    [HF_ALONE_STOP_RUNTIME] = "StopRuntime",
    [HF_ALONE_LIST] = "List",
    [HF_ALONE_REMOVE_SANDBOX] = "RemoveSandbox",
    [HF_ALONE_REMOVE_CONTAINER] = "RemoveContainer",
    [HF_ALONE_RUN] = "Run",
    [HF_ALONE_CREATE] = "Create",
    [HF_ALONE_START] = "Start",
};

enum hf_alone_presence hf_alone_judge(const struct hf_alone_evidence *evidence)
{
    if (evidence->kubelet_answers)
        return HF_ALONE_KUBELET;
    bool patient = evidence->server_answers && !evidence->was_alone; /* the kubelet may just be slow */
    if (evidence->uptime_ns < (patient ? HF_ALONE_BOUND_NS : HF_ALONE_CUT_OFF_NS) ||
        evidence->unseen_ns < (evidence->seen ? HF_ALONE_BOUND_NS : HF_ALONE_SETTLE_NS))
        return HF_ALONE_WAITING;
    return HF_ALONE_ALONE;
}

uint64_t hf_alone_retry_wait_ns(unsigned failures)
{
    return failures == 0 ? 0 : HF_MIN(1ull << HF_MIN(failures - 1, 6u), 60ull) * HF_NS_PER_S;
}

static struct hf_alone_step step(enum hf_alone_step_kind kind, const char *id)
{
    struct hf_alone_step out = {.kind = kind};

    (void)snprintf(out.id, sizeof(out.id), "%s", id);
    return out;
}

static bool runs_any(const struct hf_listing *listing, const char *sandbox)
{
    for (size_t i = 0; i < listing->n_containers; i++)
        if (listing->containers[i].state == HF_LISTED_RUNNING && strcmp(listing->containers[i].sandbox, sandbox) == 0)
            return true;
    return false;
}

/* The kubelet's own instance of the pod runs. */
static bool twin_runs(const struct hf_listing *listing, const struct hf_alone_wish *wish)
{
    for (size_t i = 0; i < listing->n_sandboxes; i++) {
        const struct hf_listed_sandbox *one = &listing->sandboxes[i];
        if (!one->ours && one->ready && strcmp(one->name, wish->twin) == 0 &&
            strcmp(one->space, wish->pod.space) == 0 && runs_any(listing, one->id))
            return true;
    }
    return false;
}

static const struct hf_listed_sandbox *find_own(const struct hf_listing *listing, const char *uid)
{
    for (size_t i = 0; i < listing->n_sandboxes; i++) {
        const struct hf_listed_sandbox *one = &listing->sandboxes[i];
        if (one->ours && one->ready && strcmp(one->uid, uid) == 0)
            return one;
    }
    return NULL;
}

static bool is_wanted(const struct hf_alone_facts *facts, const struct hf_listed_sandbox *sandbox,
                      struct hf_alone_wish *const *wishes, size_t n)
{
    if (facts->presence == HF_ALONE_KUBELET || (facts->own_runtime && facts->other_runtime))
        return false;
    for (size_t i = 0; i < n; i++)
        if (find_own(facts->listing, wishes[i]->pod.uid) == sandbox)
            return !twin_runs(facts->listing, wishes[i]);
    return false;
}

static struct hf_alone_step surplus(const struct hf_alone_facts *facts, struct hf_alone_wish *const *wishes, size_t n)
{
    for (size_t i = 0; i < facts->listing->n_sandboxes; i++) {
        const struct hf_listed_sandbox *one = &facts->listing->sandboxes[i];
        if (one->ours && !is_wanted(facts, one, wishes, n))
            return step(HF_ALONE_REMOVE_SANDBOX, one->id);
    }
    return step(HF_ALONE_REST, "");
}

static const struct hf_listed_container *find_container(const struct hf_listing *listing, const char *sandbox,
                                                        const char *name)
{
    const struct hf_listed_container *found = NULL;

    for (size_t i = 0; i < listing->n_containers; i++) {
        const struct hf_listed_container *one = &listing->containers[i];
        if (strcmp(one->sandbox, sandbox) != 0 || strcmp(one->name, name) != 0)
            continue;
        if (found == NULL || one->state == HF_LISTED_EXITED) /* ended ones go first */
            found = one;
    }
    return found;
}

static struct hf_alone_step for_container(const struct hf_alone_facts *facts, const struct hf_alone_wish *wish,
                                          size_t index, const char *sandbox)
{
    const struct hf_listed_container *found = find_container(facts->listing, sandbox, wish->pod.containers[index].name);

    if (found != NULL && found->state == HF_LISTED_RUNNING)
        return step(HF_ALONE_REST, "");
    if (found != NULL && found->state == HF_LISTED_EXITED)
        return step(HF_ALONE_REMOVE_CONTAINER, found->id);
    if (facts->now_ns < wish->retry[1 + index].not_before_ns)
        return step(HF_ALONE_REST, "");
    return found == NULL ? step(HF_ALONE_CREATE, sandbox) : step(HF_ALONE_START, found->id);
}

static struct hf_alone_step for_wish(const struct hf_alone_facts *facts, const struct hf_alone_wish *wish)
{
    const struct hf_listed_sandbox *sandbox = find_own(facts->listing, wish->pod.uid);
    struct hf_alone_step next = step(HF_ALONE_REST, "");

    if (twin_runs(facts->listing, wish))
        return next;
    if (sandbox == NULL)
        return facts->now_ns < wish->retry[0].not_before_ns ? next : step(HF_ALONE_RUN, "");
    for (size_t i = 0; i < wish->pod.n_containers && next.kind == HF_ALONE_REST; i++) {
        next = for_container(facts, wish, i, sandbox->id);
        next.container = i;
    }
    return next;
}

struct hf_alone_step hf_alone_next(const struct hf_alone_facts *facts, struct hf_alone_wish *const *wishes, size_t n)
{
    bool alone = facts->presence == HF_ALONE_ALONE;

    bool leaves = facts->listing != NULL && hf_alone_nothing_left(facts->listing);
    if (facts->own_runtime && facts->other_runtime && leaves)
        return step(HF_ALONE_STOP_RUNTIME, "");
    if (!facts->own_runtime && !facts->other_runtime)
        return step(alone && n > 0 ? HF_ALONE_START_RUNTIME : HF_ALONE_REST, "");
    if (facts->listing == NULL)
        return step(HF_ALONE_LIST, "");
    struct hf_alone_step next = surplus(facts, wishes, n);
    alone = alone && !(facts->own_runtime && facts->other_runtime);
    for (size_t i = 0; alone && i < n && next.kind == HF_ALONE_REST; i++) {
        next = for_wish(facts, wishes[i]);
        next.wish = i;
    }
    if (next.kind == HF_ALONE_REST && facts->own_runtime && n == 0 && facts->presence != HF_ALONE_KUBELET &&
        hf_alone_nothing_left(facts->listing))
        return step(HF_ALONE_STOP_RUNTIME, "");
    return next;
}

bool hf_alone_runs(const struct hf_listing *listing, const struct hf_alone_wish *wish)
{
    const struct hf_listed_sandbox *sandbox = find_own(listing, wish->pod.uid);

    for (size_t i = 0; sandbox != NULL && i < wish->pod.n_containers; i++) {
        const struct hf_listed_container *one = find_container(listing, sandbox->id, wish->pod.containers[i].name);
        if (one == NULL || one->state != HF_LISTED_RUNNING)
            return false;
    }
    return sandbox != NULL;
}

bool hf_alone_nothing_left(const struct hf_listing *listing)
{
    for (size_t i = 0; i < listing->n_sandboxes; i++)
        if (listing->sandboxes[i].ours)
            return false;
    return true;
}
