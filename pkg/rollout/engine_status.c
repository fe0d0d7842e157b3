/* SPDX-License-Identifier: Apache-2.0 */
/* The status of an EdgeUpdate: when a decision of rollout.h is written, and when it is known to be written.
 *
 * With a strategy, a leader first claims the rollout: it writes its epoch into the object, and for a new digest the
 * start of the rollout. Only then it decides. A decision holds when the object has it: a write of unknown outcome,
 * or one that met a conflict, is settled by the object that the watch brings, never by assumption: another leader
 * may have written meanwhile.
 *
 * Counts change all the time; writes do not. A status that differs only in numbers waits for its interval, an urgent
 * change does not. What somebody else changed is restored at most every RESTORE_NS. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "base/array.h"
#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "rollout/engine_impl.h"

/* at most so much of the time between two steps soaks */
#define HF_ENGINE_WATCHED_NS (60 * HF_NS_PER_S)
/* shortest between writes that change only counts, or n / HF_ENGINE_SLOW_NODES seconds for n selected nodes */
#define HF_ENGINE_SLOW_NS (10 * HF_NS_PER_S)
#define HF_ENGINE_SLOW_NODES 100

#define RESTORE_NS (2 * HF_NS_PER_S) /* shortest time between two writes that only restore what somebody changed */

/* ---- failed nodes and silent holders by name --------------------------------------------------------------------- */

struct names {
    struct hf_rollout_failure failures[HF_ROLLOUT_FAILURES];
    size_t n_failures;
    const char *waiting_for[HF_ROLLOUT_WAITING_FOR];
    size_t n_waiting_for;
    char overdue[80];
};

static int by_node(const void *a, const void *b)
{
    const struct hf_rollout_failure *x = a, *y = b;

    return strcmp(x->node, y->node);
}

/* Drops the notes of nodes that have not failed any more. */
static void tidy_notes(struct track *track)
{
    size_t n = 0;

    for (size_t i = 0; i < track->n_notes; i++)
        if (track->classes[track->notes[i].node] == HF_CLASS_FAILED)
            track->notes[n++] = track->notes[i];
    track->n_notes = n;
}

static void collect_names(const struct hf_rollout_engine *engine, struct track *track, struct names *names)
{
    const struct hf_fleet_node *nodes = engine->fleet.nodes;
    char limit[HF_DURATION_TEXT];

    names->n_failures = names->n_waiting_for = 0;
    tidy_notes(track);
    for (size_t i = 0; i < track->n_notes && names->n_failures < HF_ROLLOUT_FAILURES; i++)
        names->failures[names->n_failures++] = (struct hf_rollout_failure){
            nodes[track->notes[i].node].name, track->notes[i].reason, track->notes[i].message};
    (void)snprintf(names->overdue, sizeof(names->overdue), "the node reports, but has not finished after %s",
                   hf_format_duration(track->limits.progress_deadline_ns, limit));
    for (size_t i = 0; i < track->n_overdue && names->n_failures < HF_ROLLOUT_FAILURES; i++)
        names->failures[names->n_failures++] =
            (struct hf_rollout_failure){nodes[track->overdue[i]].name, "ProgressDeadline", names->overdue};
    qsort(names->failures, names->n_failures, sizeof(*names->failures), by_node);
    for (size_t i = 0; i < track->n_waiting_for; i++)
        names->waiting_for[names->n_waiting_for++] = nodes[track->waiting_for[i]].name;
    qsort(names->waiting_for, names->n_waiting_for, sizeof(*names->waiting_for), hf_array_by_string);
}

/* Another node may take the place of one that is not on its way any more. */
static struct hf_rollout_failure trouble_of(const struct hf_rollout_engine *engine, struct track *track)
{
    struct note *trouble = &track->trouble;

    if (trouble->reason[0] != '\0' && track->classes[trouble->node] != HF_CLASS_UPDATING)
        trouble->reason[0] = '\0';
    if (trouble->reason[0] == '\0')
        return (struct hf_rollout_failure){0};
    return (struct hf_rollout_failure){engine->fleet.nodes[trouble->node].name, trouble->reason, trouble->message};
}

/* Adds to the message what only the engine knows: the failed nodes while it is halted, and, while nodes wait for their
 * turn, those without group. */
static void name_them(const struct track *track, const struct names *names, struct hf_rollout_verdict *verdict)
{
    char *text = verdict->message;
    size_t n = sizeof(verdict->message), used = strlen(text);

    for (size_t i = 0; verdict->stalled && i < names->n_failures && i < 5 && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s %s (%s)", i == 0 ? "; failed:" : ",",
                                 names->failures[i].node, names->failures[i].reason);
    for (size_t i = 0; i < names->n_waiting_for && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s %s",
                                 i == 0 ? "; silent nodes keep their groups waiting:" : ",", names->waiting_for[i]);
    if (track->counts.ungrouped > 0 && track->counts.turn > 0 && track->update != NULL &&
        track->update->has_disruption && used < n)
        (void)snprintf(text + used, n - used, "; %u %s without the label %.80s %s one group", track->counts.ungrouped,
                       hf_noun(track->counts.ungrouped, "node", "nodes"), track->update->group_by,
                       hf_noun(track->counts.ungrouped, "is", "are"));
    hf_utf8_trim(text);
}

/* ---- what is known to be written ------------------------------------------------------------------------------- */

static const struct {
    const char *reason;
    enum hf_rollout_news news;
    bool is_warning;
} news_rows[] = {
    {"RolloutResumed", HF_ROLLOUT_NEWS_RESUMED, false},   {"StageSettled", HF_ROLLOUT_NEWS_SETTLED, false},
    {"StageAdmitted", HF_ROLLOUT_NEWS_ADMITTED, false},   {"RolloutHalted", HF_ROLLOUT_NEWS_HALTED, true},
    {"RolloutComplete", HF_ROLLOUT_NEWS_COMPLETE, false},
};

/* An operator's halt is no change of the state, so that people learn of it, and of its end, here. */
static void tell_halt(struct hf_rollout_engine *engine, struct track *track)
{
    bool halts = track->spec.halt != NULL && !track->state.halted;

    if (halts != track->told_halt && !track->state.halted)
        hf_rollout_event(engine, track, halts ? "RolloutHalted" : "RolloutResumed", halts, "%s",
                         track->next.verdict.message);
    track->told_halt = halts;
}

/* The write is in the object: the decision holds, and people learn of it. */
static void confirm(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    const struct hf_rollout_verdict *verdict = &track->next.verdict;

    track->write.in_doubt = false;
    track->dirty = true;
    if (track->update == NULL || !track->update->has_strategy || track->write.state.epoch != engine->epoch ||
        strcmp(track->write.state.digest, track->spec.digest) != 0 ||
        strcmp(track->write.state.selector, track->spec.selector) != 0)
        return;
    if (!track->claimed || track->write.state.settled != track->state.settled)
        track->stepped_ns = now->mono_ns; /* the soak begins when the object says so */
    track->claimed = true;
    track->state = track->write.state;
    engine->turns_dirty = true;
    if (track->write.claim == HF_ROLLOUT_STARTS)
        hf_rollout_event(engine, track, "RolloutStarted", false, "the rollout of %s %s starts",
                         track->update->release.name, track->update->release.version);
    for (size_t i = 0; i < HF_LEN(news_rows); i++)
        if (track->write.news & news_rows[i].news)
            hf_rollout_event(engine, track, news_rows[i].reason, news_rows[i].is_warning, "%s", verdict->message);
    tell_halt(engine, track);
    track->write.claim = HF_ROLLOUT_NO_CLAIM;
    track->write.news = 0;
}

/* A write of unknown outcome, or one that met a conflict: the object tells if it was written. */
static void adopt(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    struct hf_rollout_state seen;

    hf_rollout_state_decode(hf_json_at(track->json, "status.rollout"), &seen);
    /* The rollout of another nodeSelector may stand where this one begins. */
    const char *selector = hf_json_str_or(track->json, "status.admission.selector", track->write.state.selector);
    if (hf_rollout_same_state(&seen, &track->write.state) && strcmp(selector, track->write.state.selector) == 0)
        confirm(engine, track, now);
}

/* ---- one write --------------------------------------------------------------------------------------------------- */

static uint64_t slow_interval(const struct track *track)
{
    return HF_MAX(HF_ENGINE_SLOW_NS, track->counts.selected / HF_ENGINE_SLOW_NODES * HF_NS_PER_S);
}

static uint64_t soaked_step(const struct track *track)
{
    const struct hf_rollout_decision *next = &track->next;
    uint64_t soak = next->state.settled && next->left_ns != HF_NEVER ? next->left_ns + next->state.soaked_ns : 0;

    return HF_MAX(soak / 4, slow_interval(track));
}

/* Without minUpdatedAfter nobody waits for the time waited, so that it costs no write of its own. */
static uint64_t waited_step(const struct track *track)
{
    uint64_t after_ns = track->spec.min_updated_after_ns;

    return after_ns == 0 ? HF_NEVER : HF_MAX(after_ns / 4, slow_interval(track));
}

/* Sends the status that `decision` (NULL without strategy) and the verdict ask for, if it differs from the present one
 * and is due. */
static int send(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_decision *decision,
                struct hf_rollout_verdict *verdict, enum hf_rollout_claim claim, const struct hf_rollout_now *now)
{
    const json_t *old = json_object_get(track->json, "status");
    struct names names = {0};
    struct hf_rollout_status status = {
        .name = track->name,
        .resource_version = track->resource_version,
        .generation = track->generation,
        .old = old,
        .verdict = verdict,
        .decision = decision,
        .claim = claim,
        .now_unix_ns = now->unix_ns,
    };

    track->write.claim = claim;
    if (track->update != NULL) {
        collect_names(engine, track, &names);
        name_them(track, &names, verdict);
        status.counts = &track->counts;
        status.failures = names.failures;
        status.n_failures = names.n_failures;
        status.waiting_for = names.waiting_for;
        status.n_waiting_for = names.n_waiting_for;
        status.trouble = trouble_of(engine, track);
    }
    json_t *body = hf_rollout_status_make(&status);
    if (body == NULL)
        return -ENOMEM;
    enum hf_rollout_urgency urgency = hf_rollout_status_compare(body, old, soaked_step(track), waited_step(track));
    bool moves = decision != NULL && !hf_rollout_same_state(&decision->state, &track->state);
    uint64_t due_ns = 0;
    if (urgency == HF_ROLLOUT_SLOW && track->write.sent_ns != 0)
        due_ns = track->write.sent_ns + slow_interval(track);
    if (urgency == HF_ROLLOUT_URGENT && !moves && track->write.wrote_ns != 0)
        due_ns = track->write.wrote_ns + RESTORE_NS;
    if (moves && urgency != HF_ROLLOUT_URGENT) { /* the object has the decision already */
        track->write.state = decision->state;
        track->write.news = decision->news;
        confirm(engine, track, now);
    }
    if (urgency == HF_ROLLOUT_SAME || due_ns > now->mono_ns) {
        if (urgency != HF_ROLLOUT_SAME)
            track->write.due_ns = due_ns;
        json_decref(body);
        return 0;
    }
    track->write.id = hf_rollout_emit(engine, HF_ROLLOUT_STATUS, track->name, body, urgency == HF_ROLLOUT_URGENT);
    if (track->write.id == 0)
        return -ENOMEM;
    track->write.decided_on = track->version.shown;
    track->write.wrote_ns = claim != HF_ROLLOUT_NO_CLAIM ? 0 : now->mono_ns; /* what follows a claim is not a fight */
    track->write.sent_ns = now->mono_ns;
    /* A write without a decision holds no state: its answer must not bring back the one of an earlier write. */
    track->write.state = decision != NULL ? decision->state : (struct hf_rollout_state){0};
    track->write.news = decision != NULL ? decision->news : HF_ROLLOUT_NEWS_NONE;
    return 0;
}

/* ---- with a strategy --------------------------------------------------------------------------------------------- */

/* Writes this leader's epoch into the object, and for a new release or nodeSelector the start of its rollout, before
 * anything else. */
static int claim(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_state *seen,
                 const struct hf_rollout_now *now)
{
    bool known = strcmp(track->state.digest, track->spec.digest) == 0 && track->state.selector[0] != '\0';
    /* An older definition of EdgeUpdate drops the field. */
    const char *selector =
        hf_json_str_or(track->json, "status.admission.selector", known ? track->state.selector : track->spec.selector);
    bool starts = strcmp(seen->digest, track->spec.digest) != 0 || strcmp(selector, track->spec.selector) != 0;

    track->state = starts ? hf_rollout_begin(&track->spec, seen, engine->epoch, now->unix_ns) : *seen;
    (void)snprintf(track->state.selector, sizeof(track->state.selector), "%s", track->spec.selector);
    if (starts && track->state.cutoff > 0 && hf_rollout_fit(engine, track, &track->state) < 0)
        return -ENOMEM;
    track->told_halt =
        !starts && strcmp(hf_json_str_or(track->json, "status.rollout.reason", ""), "HaltedByOperator") == 0;
    hf_rollout_count_nodes(engine, track, hf_rollout_node_seconds(now));
    /* What a resume has accepted were failures of the nodes selected then. */
    track->state.forgiven = HF_MIN(track->state.forgiven, starts ? track->counts.failed : UINT_MAX);
    if (!starts && seen->epoch == engine->epoch) {
        track->claimed = true;
        track->dirty = true;
        hf_rollout_due(engine, now->mono_ns);
        return 0;
    }
    track->state.epoch = engine->epoch;
    hf_rollout_look(&track->spec, &track->state, &track->counts, &track->next);
    return send(engine, track, &track->next, &track->next.verdict, starts ? HF_ROLLOUT_STARTS : HF_ROLLOUT_TAKES_OVER,
                now);
}

static int step(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    uint64_t elapsed_ns = 0, deadline_ns = track->limits.progress_deadline_ns;
    struct hf_rollout_decision *next = &track->next;

    if (track->stepped_ns != 0 && now->mono_ns > track->stepped_ns)
        elapsed_ns = HF_MIN(now->mono_ns - track->stepped_ns, HF_ENGINE_WATCHED_NS);
    track->stepped_ns = now->mono_ns;
    hf_rollout_count_nodes(engine, track, hf_rollout_node_seconds(now));
    track->counts.partial = deadline_ns > 0 && now->mono_ns - track->watched_ns < 2 * deadline_ns;
    hf_rollout_step(&track->spec, &track->state, &track->counts, elapsed_ns, next);
    /* A pause also holds a canary that was not admitted yet. */
    if (track->spec.paused && next->state.cutoff == 0 &&
        !(hf_admission_is_for(track->update) && track->update->admission_canary))
        next->admission_canary = false;
    if ((next->news & HF_ROLLOUT_NEWS_ADMITTED) != 0) {
        if (hf_rollout_fit(engine, track, &next->state) < 0)
            return -ENOMEM;
        next->admission_cutoff = next->state.slots;
    }
    if (hf_rollout_same_state(&next->state, &track->state)) {
        track->state.soaked_ns = next->state.soaked_ns;
        track->state.waited_ns = next->state.waited_ns;
    }
    if (next->left_ns != HF_NEVER)
        hf_rollout_due(engine, now->mono_ns + HF_MIN(next->left_ns, HF_ENGINE_LOOK_NS));
    return send(engine, track, next, &next->verdict, HF_ROLLOUT_NO_CLAIM, now);
}

static int with_strategy(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    struct hf_rollout_state seen;

    hf_rollout_state_decode(hf_json_at(track->json, "status.rollout"), &seen);
    if (seen.epoch > engine->epoch)
        return 0; /* another process leads, whatever we believe */
    return track->claimed ? step(engine, track, now) : claim(engine, track, &seen, now);
}

/* ---- every EdgeUpdate -------------------------------------------------------------------------------------------- */

static int without_strategy(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    struct hf_rollout_verdict verdict;

    track->state = (struct hf_rollout_state){.cutoff = HF_ROLLOUT_ALL_SLOTS, .slots = HF_ROLLOUT_ALL_SLOTS};
    track->claimed = track->write.in_doubt = false; /* a strategy that comes back begins with a claim */
    hf_rollout_count_nodes(engine, track, hf_rollout_node_seconds(now));
    hf_rollout_plain_verdict(&track->counts, track->update->suspend, &verdict);
    track->next = (struct hf_rollout_decision){.state = track->state, .left_ns = HF_NEVER};
    (void)snprintf(track->next.verdict.reason, sizeof(track->next.verdict.reason), "%s", verdict.reason);
    return send(engine, track, NULL, &verdict, HF_ROLLOUT_NO_CLAIM, now);
}

static int refused(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    struct hf_rollout_verdict verdict = {.stalled = true, .reason = "ObjectRefused"};

    (void)snprintf(verdict.message, sizeof(verdict.message), "no node acts on this object: %s",
                   HF_CUT(400, track->refused));
    hf_utf8_trim(verdict.message);
    track->next = (struct hf_rollout_decision){.verdict = verdict, .left_ns = HF_NEVER};
    return send(engine, track, NULL, &verdict, HF_ROLLOUT_NO_CLAIM, now);
}

int hf_rollout_plan_status(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    bool look = track->dirty || now->mono_ns >= track->write.due_ns ||
                now->mono_ns >= track->looked_ns + HF_ENGINE_LOOK_NS ||
                (track->next.left_ns != HF_NEVER && now->mono_ns >= track->stepped_ns + track->next.left_ns);
    int r;

    if (track->write.id != 0)
        return 0;
    if (now->mono_ns < track->write.retry_ns) {
        hf_rollout_due(engine, track->write.retry_ns);
        return 0;
    }
    if (!look) {
        hf_rollout_due(engine, HF_MIN(track->write.due_ns, track->looked_ns + HF_ENGINE_LOOK_NS));
        return 0;
    }
    if (!hf_rollout_has_room(engine)) {
        hf_rollout_due(engine, now->mono_ns);
        return 0;
    }
    track->dirty = false;
    track->write.due_ns = HF_NEVER;
    track->looked_ns = now->mono_ns;
    hf_rollout_due(engine, now->mono_ns + HF_ENGINE_LOOK_NS);
    r = track->update == NULL         ? refused(engine, track, now)
        : track->update->has_strategy ? with_strategy(engine, track, now)
                                      : without_strategy(engine, track, now);
    hf_rollout_due(engine, track->write.due_ns);
    if (r < 0)
        track->dirty = true;
    return r;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

void hf_rollout_status_seen(struct hf_rollout_engine *engine, struct track *track, const struct hf_rollout_now *now)
{
    track->write.retry_ns = 0;
    if (track->write.in_doubt)
        adopt(engine, track, now);
}

void hf_rollout_status_result(struct hf_rollout_engine *engine, struct track *track, int r,
                              const struct hf_rollout_now *now)
{
    track->write.id = 0;
    track->dirty = true;
    if (r == 0) {
        confirm(engine, track, now);
    } else if (r == -ESTALE) {
        engine->conflicts++;
        track->write.retry_ns = now->mono_ns + HF_ENGINE_RETRY_NS;
    } else if (r == -EBADMSG || r == -EACCES) {
        track->write.retry_ns = now->mono_ns + HF_ENGINE_REFUSED_NS;
    } else {
        track->write.in_doubt = true;
        track->write.retry_ns = now->mono_ns + HF_ENGINE_RETRY_NS;
    }
    /* The watch may have brought the object before the answer came, or instead of it. */
    if (r < 0 && track->update != NULL && track->update->has_strategy)
        adopt(engine, track, now);
}
