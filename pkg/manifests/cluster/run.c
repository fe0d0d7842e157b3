/* SPDX-License-Identifier: Apache-2.0 */
/* While the server cannot answer, a request is repeated after growing pauses, up to HF_CLUSTER_ATTEMPTS times and
 * HF_CLUSTER_TIME_NS after the start of the run; after 401 or 403, HF_CLUSTER_ATTEMPTS - 1 times in the whole run.
 * After the last the run asks for this node's EdgeNode: without it the run ends, with it only the current object has
 * failed. */
#include "manifests/cluster/run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/encoding/cut.h"

enum { HF_CLUSTER_ATTEMPTS = 4 }; /* at one request that the server cannot answer now */

#define RETRY_BASE_NS HF_NS_PER_S
#define RETRY_CAP_NS (30 * HF_NS_PER_S)

static void fire(void *arg)
{
    struct hf_cluster_run *run = arg;

    assert(run->pending == NULL); /* a pause is between two requests */
    run->wake(run);
}

static uint64_t now_ns(const struct hf_cluster_run *run)
{
    return hf_mono_ns(run->env->world.clock);
}

int hf_cluster_run_new(const struct hf_manifest_env *env, const char *entry, const json_t *inventory,
                       void (*begin)(struct hf_cluster_run *run), struct hf_cluster_run **ret_run, struct hf_err *err)
{
    struct hf_cluster_run *run = calloc(1, sizeof(*run));

    if (run == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    run->env = env;
    run->backoff = (struct hf_backoff){.base_ns = RETRY_BASE_NS, .cap_ns = RETRY_CAP_NS, .floor_ns = RETRY_BASE_NS / 2};
    run->started_ns = run->paced_ns = now_ns(run);
    run->entry = strdup(entry);
    run->inventory = json_is_array(inventory) ? json_deep_copy(inventory) : json_array();
    run->timer = hf_timer_new(env->world.sched, fire, run);
    hf_cluster_set_init(&run->set, run->entry);
    hf_cluster_kinds_init(&run->kinds);
    if (run->entry == NULL || run->inventory == NULL || run->timer == NULL) {
        hf_cluster_run_free(run);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    if (begin != NULL)
        hf_cluster_run_later(run, 0, begin);
    *ret_run = run;
    return 0;
}

void hf_cluster_run_free(struct hf_cluster_run *run)
{
    if (run == NULL)
        return;
    hf_kube_call_cancel(run->pending);
    hf_cluster_parse_forget(run->parse);
    hf_timer_free(run->env->world.sched, run->timer);
    hf_cluster_set_done(&run->set);
    hf_cluster_kinds_done(&run->kinds);
    hf_manifest_outcome_done(&run->outcome);
    json_decref(run->inventory);
    json_decref(run->doomed);
    json_decref(run->body);
    json_decref(hf_json_mutable(run->held.refusal));
    free(run->entry);
    free(run);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void hand_over(struct hf_cluster_run *run)
{
    struct hf_manifest_outcome outcome = run->outcome;
    void (*done)(void *arg, const struct hf_manifest_outcome *outcome) = run->done;
    void *arg = run->arg;

    outcome.inventory = hf_steal(run->inventory);
    run->outcome = (struct hf_manifest_outcome){.inventory = NULL};
    hf_cluster_run_free(run);
    done(arg, &outcome);
}

void hf_cluster_run_end(struct hf_cluster_run *run, int r, enum hf_manifest_reason reason, const char *message)
{
    run->outcome.r = r;
    run->outcome.reason = reason;
    (void)snprintf(run->outcome.message, sizeof(run->outcome.message), "%s", message);
    hand_over(run);
}

static int code_of(enum hf_manifest_reason reason)
{
    return reason == HF_MANIFEST_REASON_NOT_READY || reason == HF_MANIFEST_REASON_API_UNREACHABLE ? -EAGAIN : -EPERM;
}

void hf_cluster_run_name_drift(struct hf_cluster_run *run)
{
    if (run->diff.n > 0 && run->outcome.drift[0] == '\0')
        (void)snprintf(run->outcome.drift, sizeof(run->outcome.drift), "%s", hf_diff_text(&run->diff));
}

void hf_cluster_run_finish(struct hf_cluster_run *run)
{
    char first[HF_MANIFEST_MESSAGE];

    hf_cluster_run_name_drift(run);
    if (run->failures > 0) {
        run->outcome.answered = true;
        run->outcome.r = code_of(run->outcome.reason);
        (void)memcpy(first, run->outcome.message, sizeof(first));
        if (run->failures > 1)
            (void)snprintf(run->outcome.message, sizeof(run->outcome.message), "%u of %u objects; first: %.440s",
                           run->failures, run->wanted, first);
    } else {
        run->outcome.reason = run->outcome.drifted > 0 ? HF_MANIFEST_REASON_DRIFT_REPAIRED : HF_MANIFEST_REASON_APPLIED;
        (void)snprintf(run->outcome.message, sizeof(run->outcome.message), "%s", run->outcome.drift);
    }
    hand_over(run);
}

void hf_cluster_run_fail(struct hf_cluster_run *run, enum hf_manifest_reason reason, const char *why)
{
    char name[256];
    int at = hf_cluster_item_find(run->inventory, &run->now.id);

    if (run->failures++ == 0) {
        run->outcome.reason = reason;
        (void)snprintf(run->outcome.message, sizeof(run->outcome.message), "%.200s: %s",
                       hf_cluster_id_text(&run->now.id, name, sizeof(name)), HF_CUT(300, why));
    }
    /* An item without a uid has not been applied, as far as we know. A removal keeps it: the answer to an apply may
     * have been lost, and nobody would find the object any more. */
    if (at >= 0 && run->now.object != NULL && !hf_cluster_item_is_applied(json_array_get(run->inventory, (size_t)at)))
        (void)json_array_remove(run->inventory, (size_t)at);
    run->now.item = NULL;
}

/* ---- the current object ------------------------------------------------------------------------------------------ */

void hf_cluster_run_turn_to(struct hf_cluster_run *run, const struct hf_cluster_object *object, json_t *item,
                            const char *resource)
{
    run->now = (struct hf_cluster_now){.item = item, .object = object, .resource = resource};
    run->now.id = object != NULL ? object->id : hf_cluster_item_id(item);
}

void hf_cluster_run_note(struct hf_cluster_run *run, const json_t *live)
{
    const json_t *notes = hf_json_at(live, "metadata.annotations");
    const char *prune = json_string_value(json_object_get(notes, HF_CLUSTER_PRUNE_ANNOTATION));
    struct hf_cluster_now *now = &run->now;

    (void)snprintf(now->uid, sizeof(now->uid), "%s", hf_json_str_or(live, "metadata.uid", ""));
    (void)snprintf(now->version, sizeof(now->version), "%s", hf_json_str_or(live, "metadata.resourceVersion", ""));
    if (live == NULL || !hf_cluster_fields_hash(live, now->fields))
        *now->fields = '\0';
    now->kept = prune != NULL && strcmp(prune, "disabled") == 0;
}

void hf_cluster_run_add_drift(struct hf_cluster_run *run, bool missing)
{
    char name[256];

    hf_diff_add(&run->diff, hf_cluster_id_text(&run->now.id, name, sizeof(name)),
                missing ? HF_DIFF_MISSING : HF_DIFF_CONTENT);
}

/* ---- requests and pauses ----------------------------------------------------------------------------------------- */

void hf_cluster_run_later(struct hf_cluster_run *run, uint64_t delay_ns, void (*wake)(struct hf_cluster_run *run))
{
    run->wake = wake;
    hf_timer_arm(run->env->world.sched, run->timer, delay_ns);
}

void hf_cluster_run_pace(struct hf_cluster_run *run, void (*wake)(struct hf_cluster_run *run))
{
    uint64_t now = now_ns(run), next = run->paced_ns + HF_NS_PER_S / HF_CLUSTER_PER_SECOND;

    run->paced_ns = HF_MAX(now, next);
    hf_cluster_run_later(run, run->paced_ns - now, wake);
}

static void send_again(struct hf_cluster_run *run);

/* A server that has just started answers 401 or 403 until it knows who has which right. A run waits for that once, and
 * not for each of its objects. */
static bool is_early(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    return answer->r == -EACCES && ++run->denials < HF_CLUSTER_ATTEMPTS;
}

/* ---- the fault of one object, or of the whole server? ------------------------------------------------------------ */

/* An object that costs this run more than its time, without an answer, is its last one. A discovery has no object. */
static bool is_too_slow(const struct hf_cluster_run *run)
{
    return run->now.id.name != NULL && run->held.status == 0 && now_ns(run) > run->started_ns + HF_CLUSTER_TIME_NS;
}

static void own_node_taken(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_cluster_run *run = arg;
    struct hf_kube_answer held = run->held;
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(&held);
    bool too_slow = is_too_slow(run);

    run->pending = NULL;
    run->held = (struct hf_kube_answer){.r = 0};
    hf_backoff_reset(&run->backoff);
    run->node_shown = answer->r == 0 || answer->r == -ENOENT;
    if (!run->node_shown) {
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, refusal.why);
    } else if (too_slow) {
        hf_cluster_run_fail(run, refusal.reason, refusal.why);
        hf_cluster_run_finish(run);
    } else {
        run->step->taken(run, &held); /* which may free the run */
    }
    json_decref(hf_json_mutable(held.refusal));
}

/* The server has not carried out the request, however often the run sent it. If it answers a request for the EdgeNode
 * of this node, the cause lies with the one object: a webhook fails, the server behind an APIService is down, or a
 * right is missing. If not, the API server is away, or its store or the link, or it refuses this agent altogether. */
static void ask_for_own_node(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    const struct hf_kube_call call = {.verb = HF_KUBE_GET,
                                      .api_version = HF_API_GROUP_VERSION,
                                      .plural = "edgenodes",
                                      .name = run->env->node_name,
                                      .metadata_only = true};

    run->held = *answer;
    run->held.object = NULL;
    run->held.reason = "";
    (void)json_incref(hf_json_mutable(run->held.refusal));
    if (hf_kube_call_send(run->env->kube, &call, own_node_taken, run, &run->pending, NULL) < 0)
        hf_cluster_run_end(run, -EAGAIN, HF_MANIFEST_REASON_API_UNREACHABLE, hf_cluster_refusal_of(answer).why);
}

static void judge(struct hf_cluster_run *run, const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = hf_cluster_refusal_of(answer);
    bool early = is_early(run, answer);
    bool again = early || (refusal.sense == HF_CLUSTER_AGAIN && answer->r != -EEXIST &&
                           !(answer->r == -ESTALE && run->step->takes_conflict));
    uint64_t pause_ns = again ? hf_backoff_next_ns(&run->backoff, run->env->world.rng, answer->retry_after_ns) : 0;
    bool last =
        run->attempts + 1 >= HF_CLUSTER_ATTEMPTS || now_ns(run) + pause_ns > run->started_ns + HF_CLUSTER_TIME_NS;

    if (again && !last) {
        run->attempts++;
        hf_cluster_run_later(run, pause_ns, send_again);
    } else if ((again && !early) || (answer->r == -EACCES && !run->node_shown)) {
        ask_for_own_node(run, answer);
    } else {
        hf_backoff_reset(&run->backoff);
        run->step->taken(run, answer);
    }
}

static void answered(void *arg, const struct hf_kube_answer *answer)
{
    struct hf_cluster_run *run = arg;

    run->pending = NULL;
    judge(run, answer);
}

static void answer_unsent(struct hf_cluster_run *run)
{
    judge(run, &run->unsent);
}

static void send_again(struct hf_cluster_run *run)
{
    struct hf_kube_call call = {
        .verb = HF_KUBE_GET,
        .api_version = run->now.id.api_version,
        .plural = run->now.resource,
        .ns = run->now.id.ns != NULL && *run->now.id.ns != '\0' ? run->now.id.ns : NULL,
        .name = run->now.id.name,
        .field_manager = HF_CLUSTER_MANAGER,
    };
    struct hf_err err = HF_ERR_INIT;
    int r = run->step->ask(run, &call);

    if (r == 0)
        r = hf_kube_call_send(run->env->kube, &call, answered, run, &run->pending, &err);
    else
        r = hf_err_set(&err, ENOMEM, "out of memory");
    json_decref(hf_steal(run->body));
    if (r == 0)
        return;
    run->unsent = (struct hf_kube_answer){.r = r, .reason = "", .err = err};
    hf_cluster_run_later(run, 0, answer_unsent); /* not from here: a chain of failures would be a chain of calls */
}

void hf_cluster_run_send(struct hf_cluster_run *run, const struct hf_cluster_step *step)
{
    assert(run->pending == NULL && run->parse == NULL); /* one request at a time, after the set is known */
    run->step = step;
    run->attempts = 0;
    send_again(run);
}
