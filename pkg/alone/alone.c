/* SPDX-License-Identifier: Apache-2.0 */
/* One loop, one thing at a time:
 *
 *     tick: ask the kubelet --> ask systemd for both containerds --> next step (step.h) --> act --> tick
 *                |                                                     |
 *                `- nothing of ours anywhere: wait                     `- nothing to do: wait
 *
 * After each step the listing is forgotten and asked for again, so that every step follows from what is, whoever
 * changed it, and whenever this process, the machine or containerd ended in between.
 *
 * The kubelet is asked on its health port: a connection is enough, because the port opens before the kubelet runs its
 * first pod, and stopping too early costs less than two instances. While the node is alone that happens each 250 ms,
 * but not while a step runs, which takes up to some hundred milliseconds; a listing is 2 s old at most. An entry that
 * nobody opted in costs nothing: without a wish and without a mark there is no timer. */
#include "alone/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone/impl.h"
#include "os/dir.h"

#define KUBELET_PORT 10248
#define PROBE_TIMEOUT_NS (200 * HF_NS_PER_MS)
#define UNIT_TIMEOUT_NS (2 * HF_NS_PER_S)
#define TICK_ALONE_NS (250 * HF_NS_PER_MS)
#define TICK_WAITING_NS HF_NS_PER_S
#define TICK_KUBELET_NS (5 * HF_NS_PER_S)
#define LISTING_AGE_NS (2 * HF_NS_PER_S)
#define HANDOVER_NS (10 * HF_NS_PER_S)
#define LONG_RUN_NS (600 * HF_NS_PER_S) /* after which an end counts as the first one */

static void tick(void *arg);

static uint64_t now(const struct hf_alone *alone)
{
    return hf_mono_ns(alone->p.world.clock);
}

static bool is_needed(const struct hf_alone *alone)
{
    return alone->p.on_host && alone->place != NULL && alone->is_set && (alone->n_wishes > 0 || alone->marked);
}

static void rest(struct hf_alone *alone, uint64_t delay_ns)
{
    alone->busy = false;
    hf_timer_arm(alone->p.world.sched, alone->timer, is_needed(alone) ? delay_ns : HF_NEVER);
}

static uint64_t pause_ns(const struct hf_alone *alone)
{
    return alone->presence == HF_ALONE_ALONE                      ? TICK_ALONE_NS
           : alone->presence == HF_ALONE_WAITING || alone->marked ? TICK_WAITING_NS
                                                                  : TICK_KUBELET_NS;
}

/* ---- facts ------------------------------------------------------------------------------------------------------- */

static void judge(struct hf_alone *alone, bool kubelet_answers)
{
    uint64_t time = now(alone);
    enum hf_alone_presence before = alone->presence;

    if (kubelet_answers)
        alone->seen_ns = time;
    const struct hf_alone_evidence evidence = {
        .kubelet_answers = kubelet_answers,
        .server_answers = alone->p.server_answers(alone->p.arg),
        .was_alone = before == HF_ALONE_ALONE,
        .uptime_ns = time,
        .unseen_ns = time - HF_MAX(alone->seen_ns, alone->started_ns),
        .seen = alone->seen_ns != 0,
    };
    alone->presence = hf_alone_judge(&evidence);
    if (alone->presence == before)
        return;
    alone->listed_ns = 0;
    hf_log(alone->p.world.log, HF_LOG_INFO, "alone.presence",
           HF_S("presence", alone->presence == HF_ALONE_KUBELET   ? "Kubelet"
                            : alone->presence == HF_ALONE_WAITING ? "Waiting"
                                                                  : "Alone"));
    alone->p.changed(alone->p.arg);
}

static bool wants_to_run(int r, const char *active_state)
{
    return r == 0 && (strcmp(active_state, "active") == 0 || strcmp(active_state, "activating") == 0 ||
                      strcmp(active_state, "reloading") == 0);
}

static void unmark(struct hf_alone *alone)
{
    struct hf_err err = HF_ERR_INIT;

    if (hf_dir_remove_tree(alone->p.world.fs, alone->folder, &err) < 0) {
        hf_log_err(alone->p.world.log, HF_LOG_WARNING, "alone.tidy", "folder", alone->folder, &err);
        return;
    }
    alone->marked = false;
}

static bool has_listing(const struct hf_alone *alone)
{
    return alone->listed_ns != 0 && now(alone) - alone->listed_ns < LISTING_AGE_NS;
}

static void decide(struct hf_alone *alone)
{
    /* the node's own containerd comes, and its kubelet behind it: as good as seen */
    bool comes = alone->own_runtime && alone->other_runtime;
    alone->seen_ns = comes ? now(alone) : alone->seen_ns;
    alone->handover_ns = !comes ? 0 : alone->handover_ns != 0 ? alone->handover_ns : now(alone);
    const struct hf_alone_facts facts = {
        .presence = alone->presence,
        .own_runtime = alone->own_runtime,
        .other_runtime = alone->other_runtime,
        .listing = has_listing(alone) ? &alone->listing : NULL,
        .now_ns = now(alone),
    };
    struct hf_alone_step step = hf_alone_next(&facts, alone->wishes, alone->n_wishes);

    /* whatever hangs: the node's own containerd waits for the end of ours */
    if (comes && facts.now_ns - alone->handover_ns > HANDOVER_NS)
        step.kind = HF_ALONE_STOP_RUNTIME;
    if (step.kind != HF_ALONE_REST) {
        if (step.kind != HF_ALONE_LIST)
            hf_log(alone->p.world.log, HF_LOG_INFO, "alone.step", HF_S("step", hf_alone_step_names[step.kind]),
                   HF_S("id", step.id));
        alone_act(alone, &step);
        return;
    }
    if (facts.presence == HF_ALONE_KUBELET && facts.listing != NULL && !alone->own_runtime &&
        hf_alone_nothing_left(facts.listing))
        unmark(alone);
    rest(alone, pause_ns(alone));
}

static void on_other(void *arg, int r, const char *active_state, HF_UNUSED const char *sub_state,
                     HF_UNUSED const struct hf_err *err)
{
    struct hf_alone *alone = arg;

    alone->asking = NULL;
    alone->other_runtime = wants_to_run(r, active_state);
    decide(alone);
}

static void ask(struct hf_alone *alone, const char *unit,
                void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                             const struct hf_err *err))
{
    struct hf_err err = HF_ERR_INIT;

    if (alone->p.unit->state(alone->p.unit->ctx, unit, UNIT_TIMEOUT_NS, done, alone, &alone->asking, &err) == 0)
        return;
    (void)snprintf(alone->failure, sizeof(alone->failure), "%s", err.cause);
    rest(alone, TICK_WAITING_NS);
}

/* Without an answer of systemd nothing is decided: a second containerd might start. */
static bool is_answer(int r)
{
    return r == 0 || r == -ENOENT;
}

static void on_own(void *arg, int r, const char *active_state, HF_UNUSED const char *sub_state,
                   const struct hf_err *err)
{
    struct hf_alone *alone = arg;

    alone->asking = NULL;
    if (!is_answer(r)) {
        (void)snprintf(alone->failure, sizeof(alone->failure), "%s", err->cause);
        rest(alone, TICK_WAITING_NS);
        return;
    }
    alone->own_runtime = wants_to_run(r, active_state);
    alone->own_loaded = r == 0;
    if (alone->place->unit != NULL) {
        ask(alone, alone->place->unit, on_other);
        return;
    }
    alone->other_runtime = alone->presence == HF_ALONE_KUBELET;
    decide(alone);
}

static void on_kubelet(void *arg, int r);

/* K3s binds the port to ::1 where the node's address is of IPv6 (pkg/daemons/agent/agent.go: HealthzBindAddress). */
static bool ask_kubelet(struct hf_alone *alone, bool six)
{
    struct hf_err err = HF_ERR_INIT;

    alone->asked_six = six;
    return alone->p.probe->tcp(alone->p.probe->ctx, six ? "::1" : "127.0.0.1", KUBELET_PORT, PROBE_TIMEOUT_NS,
                               on_kubelet, alone, &alone->probing, &err) == 0;
}

static void on_kubelet(void *arg, int r)
{
    struct hf_alone *alone = arg;

    alone->probing = NULL;
    if (r < 0 && !alone->asked_six && ask_kubelet(alone, true))
        return;
    judge(alone, r == 0);
    if (alone->presence != HF_ALONE_ALONE && !alone->marked)
        rest(alone, pause_ns(alone));
    else
        ask(alone, ALONE_UNIT, on_own);
}

static void tick(void *arg)
{
    struct hf_alone *alone = arg;

    if (alone->busy || !is_needed(alone))
        return;
    alone->busy = true;
    if (!ask_kubelet(alone, false))
        rest(alone, TICK_WAITING_NS);
}

/* ---- the end of a step ------------------------------------------------------------------------------------------- */

static struct hf_alone_retry *retry_of(struct hf_alone *alone)
{
    const struct hf_alone_step *step = &alone->step;

    if (step->wish >= alone->n_wishes)
        return NULL;
    switch (step->kind) {
    case HF_ALONE_RUN:
        return &alone->wishes[step->wish]->retry[0];
    case HF_ALONE_CREATE:
    case HF_ALONE_START:
    case HF_ALONE_REMOVE_CONTAINER:
        return &alone->wishes[step->wish]->retry[1 + step->container];
    default:
        return NULL;
    }
}

static void count_failure(struct hf_alone *alone)
{
    struct hf_alone_retry *retry = retry_of(alone);
    uint64_t time = now(alone);

    if (retry == NULL)
        return;
    if (time > retry->not_before_ns + LONG_RUN_NS)
        retry->failures = 0;
    retry->failures++;
    retry->not_before_ns = time + hf_alone_retry_wait_ns(retry->failures);
}

/* The end of what crictl said: there is the cause. */
static void note_failure(struct hf_alone *alone, struct hf_view output)
{
    struct hf_view line = hf_view_trim(output);
    size_t room = sizeof(alone->failure) - 32;

    if (line.n > room)
        line = (struct hf_view){line.p + line.n - room, room};
    (void)snprintf(alone->failure, sizeof(alone->failure), "%s: %.*s", hf_alone_step_names[alone->step.kind],
                   (int)line.n, line.n > 0 ? line.p : "");
    hf_log(alone->p.world.log, HF_LOG_WARNING, "alone.failed", HF_S("step", hf_alone_step_names[alone->step.kind]),
           HF_S("message", alone->failure));
}

static void tell_if_changed(struct hf_alone *alone)
{
    size_t n = 0;

    for (size_t i = 0; i < alone->n_wishes; i++)
        n += hf_alone_runs(&alone->listing, alone->wishes[i]);
    if (n == alone->n_running)
        return;
    alone->n_running = n;
    alone->p.changed(alone->p.arg);
}

static void listed(struct hf_alone *alone, bool ok, struct hf_view output)
{
    struct hf_err err = HF_ERR_INIT;
    bool first = alone->step.container == 0;

    if (ok && (first ? hf_listing_take_sandboxes(&alone->listing, output, &err)
                     : hf_listing_take_containers(&alone->listing, output, &err)) < 0) {
        ok = false;
        output = hf_view_of(err.cause);
    }
    if (!ok) {
        /* containerd needs a moment after its start */
        if (++alone->listing_failures == 10)
            note_failure(alone, output);
        rest(alone, TICK_ALONE_NS);
        return;
    }
    alone->listing_failures = 0;
    if (first) {
        struct hf_alone_step next = {.kind = HF_ALONE_LIST, .container = 1};
        alone_act(alone, &next);
        return;
    }
    alone->listed_ns = now(alone);
    tell_if_changed(alone);
    rest(alone, 0);
}

/* The folders of its emptyDir volumes go with a pod, as they do with the kubelet. */
static void remove_volumes(struct hf_alone *alone)
{
    struct hf_err err = HF_ERR_INIT;
    char path[1200];

    for (size_t i = 0; i < alone->listing.n_sandboxes; i++) {
        const struct hf_listed_sandbox *one = &alone->listing.sandboxes[i];
        if (strcmp(one->id, alone->step.id) != 0 || strncmp(one->uid, "holdfast-", 9) != 0 ||
            strchr(one->uid, '/') != NULL)
            continue;
        (void)snprintf(path, sizeof(path), "%s/volumes/%s", alone->folder, one->uid);
        if (hf_dir_remove_tree(alone->p.world.fs, path, &err) < 0)
            hf_log_err(alone->p.world.log, HF_LOG_WARNING, "alone.tidy", "folder", path, &err);
    }
}

static void acted(struct hf_alone *alone, bool ok, struct hf_view output)
{
    if (alone->missed)
        alone->p.changed(alone->p.arg); /* the owner sets the wishes again */
    alone->missed = false;
    if (alone->step.kind == HF_ALONE_LIST) {
        listed(alone, ok, output);
        return;
    }
    if (!ok)
        note_failure(alone, output);
    else if (alone->step.kind == HF_ALONE_REMOVE_SANDBOX)
        remove_volumes(alone);
    if (!ok || alone->step.kind == HF_ALONE_REMOVE_CONTAINER)
        count_failure(alone);
    else
        alone->failure[0] = '\0';
    alone->listed_ns = 0;
    rest(alone, ok ? 0 : alone->step.kind == HF_ALONE_START_RUNTIME ? TICK_KUBELET_NS : TICK_ALONE_NS);
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

/* K3s may unpack its own, or somebody install one, at any time. */
static void find_place(struct hf_alone *alone)
{
    struct hf_err missing = HF_ERR_INIT;

    alone->place = hf_alone_place_find(alone->p.world.fs, &missing);
    (void)snprintf(alone->no_place, sizeof(alone->no_place), "%s", missing.cause);
}

int hf_alone_new(const struct hf_alone_params *params, struct hf_alone **ret_alone, struct hf_err *err)
{
    _cleanup_(hf_alone_freep) struct hf_alone *alone = calloc(1, sizeof(*alone));
    struct stat st;

    if (alone == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    alone->p = *params;
    alone->acted = acted;
    alone->presence = HF_ALONE_WAITING;
    alone->started_ns = now(alone);
    alone->timer = hf_timer_new(params->world.sched, tick, alone);
    if (alone->timer == NULL || asprintf(&alone->folder, "%s/alone", params->state_dir) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    alone->marked =
        params->world.fs->fstatat(params->world.fs->ctx, AT_FDCWD, alone->folder, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (params->on_host)
        find_place(alone);
    *ret_alone = hf_steal(alone);
    return 0;
}

static void cancel_all(struct hf_alone *alone)
{
    if (alone->probing != NULL)
        alone->p.probe->cancel(alone->p.probe->ctx, alone->probing);
    if (alone->asking != NULL)
        alone->p.unit->cancel(alone->p.unit->ctx, alone->asking);
    if (alone->running != NULL)
        alone->p.proc->cancel(alone->p.proc->ctx, alone->running);
}

void hf_alone_free(struct hf_alone *alone)
{
    if (alone == NULL)
        return;
    cancel_all(alone);
    hf_timer_free(alone->p.world.sched, alone->timer);
    alone_wishes_done(alone);
    hf_listing_done(&alone->listing);
    free(alone->folder);
    free(alone);
}

void hf_alone_set(struct hf_alone *alone, const struct hf_alone_file *files, size_t n)
{
    /* a step that runs names its wish by number */
    alone->missed = alone->running != NULL;
    if (alone->missed || !alone->p.on_host || (n == 0 && alone->is_set && alone->n_wishes + alone->n_refused == 0))
        return;
    if (alone->place == NULL && n > 0)
        find_place(alone);
    if (alone->place != NULL && alone_wishes_read(alone, files, n) && !alone->busy)
        rest(alone, 0);
}

static const char *message_of(const struct hf_alone *alone, const char *entry)
{
    for (size_t i = 0; i < alone->n_refused; i++)
        if (strcmp(alone->refused[i].entry, entry) == 0)
            return alone->refused[i].message;
    return NULL;
}

static bool entry_runs(const struct hf_alone *alone, const char *entry)
{
    size_t n = 0;

    for (size_t i = 0; i < alone->n_wishes; i++) {
        if (strcmp(hf_container_of(alone->wishes[i], struct alone_wish, wish)->entry, entry) != 0)
            continue;
        if (!hf_alone_runs(&alone->listing, alone->wishes[i]))
            return false;
        n++;
    }
    return n > 0;
}

const char *hf_alone_status(const struct hf_alone *alone, const char *entry, const char **ret_message)
{
    *ret_message = "";
    if (!alone->p.on_host) {
        *ret_message = "only an agent that runs on the host as root, and not in a pod, can start pods";
        return "NotOnHost";
    }
    if (alone->place == NULL) {
        *ret_message = alone->no_place;
        return "NoRuntime";
    }
    const char *refused = message_of(alone, entry);
    if (refused != NULL) {
        *ret_message = refused;
        return "Refused";
    }
    if (alone->presence != HF_ALONE_ALONE)
        return "Standby";
    if (entry_runs(alone, entry))
        return "Running";
    *ret_message = alone->failure;
    return "Starting";
}
