/* SPDX-License-Identifier: Apache-2.0 */
/* Build and send are two steps. hf_report_build() makes the essence and tells the pace whether it changed;
 * hf_report_send_if_due() writes, parks or keeps when the pace says so. Each written or parked body gets a new
 * number, which is reserved on disk first (sequence.c).
 *
 * If the source shows EdgeNodes, a write waits a while for the first sight of ours, because its number may be higher
 * than ours (echo.c), and the outbox is cleared only when the written status comes back. If the EdgeNode is missing,
 * the report creates it and writes the status after that; a server that has the EdgeNode but no status of it lacks the
 * subresource, and creating it again would not help. A node without a number of its own that saw no EdgeNode creates
 * it, too: that changes nothing in one that exists, and the answer shows its number.
 *
 * The first refusals (-EBADMSG, -EACCES) may be of a server that has not read its rights yet, or of one status alone:
 * the next attempt comes soon. After them only a heartbeat or a new version of the server may help: the next attempt
 * waits about an interval. A right (-EACCES) is one command away: the next attempt comes within a minute, which is
 * cheap, because a server refuses it without a look at its store. The status names the refusal. Meanwhile the copies on
 * this node are renewed. */
#include "agent/report/report.h"

#include <errno.h>
#include <string.h>

#include "agent/audit/trail.h"
#include "agent/counters.h"
#include "agent/desired/policy.h"
#include "agent/desired/site_hold.h"
#include "agent/follow/follow.h"
#include "agent/report/collect.h"
#include "agent/resources/disks.h"
#include "agent/resources/network.h"
#include "agent/turn.h"
#include "api/conditions.h"

/* A folder, or a reader, on this machine has no fleet to protect it from. */
#define LOCAL_GAP_NS HF_NS_PER_S

/* An agent that stops waits no longer than this for the answer to its last status. */
#define LAST_STATUS_NS (2 * HF_NS_PER_S)

/* The first status of a contact waits this long for the source to show our EdgeNode. */
#define EDGENODE_WAIT_NS (10 * HF_NS_PER_S)

/* Between attempts without the right, at a random time in its second half: of 10,000 nodes, 220 a second. */
#define NO_RIGHT_NS (60 * HF_NS_PER_S)

/* in a row; then the server means it */
enum { MAX_REFUSALS = 3 };

static const struct hf_syncpolicy *policy_of(const struct hf_report *report)
{
    return report->parts->policy->in_effect;
}

static uint64_t now_of(const struct hf_report *report)
{
    return hf_mono_ns(report->env->world.clock);
}

static bool echoes(const struct hf_report *report)
{
    return report->env->params->source_echoes;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

/* While deliveries fail: renew the copies on this node after a change, but no more often than a server would get it. */
static void keep_soon(struct hf_report *report)
{
    uint64_t soon = HF_MAX(now_of(report), report->kept_ns + HF_PACE_GAP_NS);

    if (report->keep_ns != HF_NEVER)
        report->keep_ns = HF_MIN(report->keep_ns, soon);
}

/* Programs on this node read the newest status, at a pace of its own: no server has a part in it. */
static void show_soon(struct hf_report *report)
{
    const struct hf_agent_params *params = report->env->params;

    if (report->show_ns == HF_NEVER && (params->run_path != NULL || params->owner.status_shown != NULL))
        report->show_ns = HF_MAX(now_of(report) + HF_PACE_GATHER_NS, report->shown_ns + LOCAL_GAP_NS);
}

/* Somebody may be waiting for this status: for an outcome, or for the effect of a hold. */
static bool is_urgent(const struct hf_report *report, const struct hf_readiness *readiness)
{
    bool hold_reported = json_object_get(report->essence, "hold") != NULL;

    return report->parts->hold->active != hold_reported ||
           (strcmp(readiness->ready.status, "True") == 0 && !report->ready) ||
           (readiness->is_stalled && !report->stalled);
}

void hf_report_build(struct hf_report *report)
{
    const struct hf_collect_params params = {
        .parts = report->parts,
        .steady = &report->steady,
        .conditions = report->conditions,
        .stopped = report->stopping,
        .name_shared = hf_echo_name_shared(&report->echo),
        .delivery_failure = report->refused[0] != '\0' ? report->refused : NULL,
        .generation = report->echo.generation,
    };
    struct hf_readiness readiness;
    struct hf_err err = HF_ERR_INIT;
    json_t *essence = NULL;

    int r = hf_collect_status(&params, &readiness, &essence, &report->look_again_ns);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "make the status");
        hf_log_err(report->env->world.log, HF_LOG_ERROR, "status.not_made", "node", report->env->params->node_name,
                   &err);
        return;
    }
    bool changed = !hf_status_same(report->essence, essence);
    if (changed) {
        hf_pace_changed(&report->pace, is_urgent(report, &readiness), now_of(report));
        report->delivered = false;
    }
    report->ready = strcmp(readiness.ready.status, "True") == 0;
    report->stalled = readiness.is_stalled;
    report->waiting = readiness.is_waiting;
    json_decref(report->essence);
    report->essence = essence;
    if (changed) {
        keep_soon(report);
        show_soon(report);
    }
}

bool hf_report_reconciling(const struct hf_report *report)
{
    return hf_conditions_find(report->conditions, "Reconciling") != NULL;
}

/* Adds number and times to the essence. */
static int make_body(struct hf_report *report, json_t **ret_body)
{
    const struct hf_agent_params *params = report->env->params;
    const struct hf_contact *contact = report->parts->contact;
    struct hf_now now = hf_now_read(report->env->world.clock);
    char hash[HF_AUDIT_SUM + 1];
    struct hf_status_volatile moving = {
        .sequence = hf_sequence_next(&report->sequence),
        .observed_unix_ns = hf_contact_reported(contact, now.unix_ns),
        .contact_unix_ns = hf_contact_reported(contact, hf_stale_contact_unix_ns(&contact->stale)),
        .has_offset = contact->skew.known,
        .offset_ns = hf_contact_wall_offset_ns(contact),
        .telemetry = params->owner.telemetry != NULL ? params->owner.telemetry(params->owner.arg) : NULL,
        .network = hf_network_status(report->parts->network),
        .writes = hf_disks_writes(report->parts->disks),
        .journal = hf_trail_status(report->parts->trail, hash),
    };

    return hf_status_body(params->node_name, report->essence, &moving, ret_body);
}

/* ---- show, keep and park ----------------------------------------------------------------------------------------- */

static void show(struct hf_report *report, const json_t *body)
{
    hf_outbox_show(&report->outbox, body);
    report->shown_ns = now_of(report);
    report->show_ns = HF_NEVER;
}

/* Between two writes, and while one waits for its answer. */
static void show_newest(struct hf_report *report)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;

    if (report->essence != NULL && make_body(report, &body) == 0)
        show(report, body);
    report->show_ns = HF_NEVER;
}

/* Renews the copies while deliveries fail, however long the next attempt takes. Writes the outbox only if it holds an
 * older status, which nobody must take for the newest. */
static void keep(struct hf_report *report)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    bool in_outbox = hf_outbox_holds(&report->outbox, report->essence);

    report->kept_ns = now_of(report);
    report->keep_ns = report->kept_ns + policy_of(report)->interval_ns;
    if (report->essence == NULL || (in_outbox && report->env->params->run_path == NULL) || make_body(report, &body) < 0)
        return;
    show(report, body);
    if (!in_outbox)
        hf_outbox_write(&report->outbox, body, report->essence);
}

/* Puts the newest status into the outbox. Each interval renews the run file; without one, the outbox. */
static void park(struct hf_report *report)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    const struct hf_agent_params *params = report->env->params;

    if (make_body(report, &body) == 0) {
        show(report, body);
        if (report->pace.changed || params->run_path == NULL)
            hf_outbox_write(&report->outbox, body, report->essence);
    }
    hf_pace_parked(&report->pace, policy_of(report)->interval_ns, report->env->world.rng, now_of(report));
}

/* ---- write ------------------------------------------------------------------------------------------------------- */

static void failed(struct hf_report *report, int r, uint64_t retry_after_ns, const struct hf_err *err)
{
    const struct hf_agent_params *params = report->env->params;
    uint64_t interval = policy_of(report)->interval_ns;
    uint64_t delay = hf_backoff_next_ns(&report->backoff, report->env->world.rng, retry_after_ns);
    bool for_good = r == -EBADMSG || r == -EACCES;

    report->refusals = for_good ? report->refusals + 1 : 0;
    if (report->refusals > MAX_REFUSALS) {
        uint64_t half = (r == -EACCES ? HF_MIN(interval, NO_RIGHT_NS) : interval) / 2;
        uint64_t wait = half + hf_rand_below(report->env->world.rng, r == -EACCES ? half : interval);
        delay = HF_MAX(r == -EACCES ? retry_after_ns : delay, wait);
    }
    hf_pace_failed(&report->pace, delay, now_of(report));
    hf_log_err(report->env->world.log, for_good ? HF_LOG_ERROR : HF_LOG_WARNING, "status.not_delivered", "node",
               params->node_name, err);
    hf_counters_add(report->env->counters->statuses, "failed");
    if (for_good)
        (void)hf_err_text(err, report->refused, sizeof(report->refused));
    keep(report);
    hf_turn_wake(report->env->turn, HF_DUE_STATUS);
}

static void create_edgenode(struct hf_report *report)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_err err = HF_ERR_INIT;

    int r = hf_status_object(report->env->params->node_name, &body);
    if (r < 0)
        (void)hf_err_sys(&err, r, "make the EdgeNode");
    else
        r = hf_sender_create(&report->sender, body, now_of(report) + policy_of(report)->timeout_ns, &err);
    if (r < 0)
        failed(report, r, 0, &err);
}

static void write_status(struct hf_report *report)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_err err = HF_ERR_INIT;

    report->pace.changed = report->pace.urgent = false; /* this status has every change so far */
    int r = make_body(report, &body);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "make the status");
        failed(report, r, 0, &err);
        return;
    }
    show(report, body);
    if (report->outbox.present && !hf_outbox_holds(&report->outbox, report->essence))
        hf_outbox_write(&report->outbox, body, report->essence);
    report->echo.awaited = report->sequence.number;
    r = hf_sender_apply_status(&report->sender, body, now_of(report) + policy_of(report)->timeout_ns, &err);
    if (r < 0)
        failed(report, r, 0, &err);
}

static void succeeded(struct hf_report *report)
{
    bool was_refused = report->refused[0] != '\0';

    hf_backoff_reset(&report->backoff);
    report->keep_ns = HF_NEVER;
    report->just_created = false;
    report->refused[0] = '\0';
    report->refusals = 0;
    if (was_refused)
        hf_turn_wake(report->env->turn, HF_DUE_STATUS); /* the condition StatusDelivered goes */
    hf_pace_delivered(&report->pace, policy_of(report)->interval_ns, report->env->world.rng, now_of(report));
    hf_counters_add(report->env->counters->statuses, "delivered");
    hf_log(report->env->world.log, HF_LOG_DEBUG, "status.delivered", HF_D("sequence", report->sequence.number));
    report->delivered = !report->pace.changed;
    if (!echoes(report)) {
        report->echo.awaited = 0;
        hf_outbox_clear(&report->outbox);
    }
    hf_turn_wake(report->env->turn, 0);
}

/* The server has the EdgeNode, and yet no status of it. To create it once more would not help. */
static void no_status(struct hf_report *report)
{
    struct hf_err err = HF_ERR_INIT;

    report->just_created = false;
    (void)hf_err_set(&err, EBADMSG,
                     "the server has no subresource 'status' of EdgeNodes: install the CRDs of this version");
    failed(report, -EBADMSG, 0, &err);
}

/* What the answer to a creation shows of the EdgeNode; the write that follows has all news. */
static void learn(struct hf_report *report, const json_t *edgenode)
{
    bool first;

    (void)hf_echo_take(&report->echo, edgenode, &report->sequence, &first);
    if (first)
        hf_echo_adopt_times(report->conditions, hf_json_at(edgenode, "status.conditions"));
}

static void answered(void *arg, bool created, int r, uint64_t retry_after_ns, const json_t *answer,
                     const struct hf_err *err)
{
    struct hf_report *report = arg;

    if (report->stopping) {
        hf_turn_wake(report->env->turn, 0);
    } else if (created && r == 0) {
        report->echo.exists = report->just_created = true;
        if (answer != NULL)
            learn(report, answer);
        hf_report_build(report);
        write_status(report);
    } else if (r == -ENOENT && !created && echoes(report)) {
        report->echo.exists = false;
        if (report->just_created)
            no_status(report);
        else
            create_edgenode(report);
    } else if (r < 0) {
        failed(report, r, retry_after_ns, err);
    } else {
        succeeded(report);
    }
}

/* ---- when -------------------------------------------------------------------------------------------------------- */

static bool waits_for_edgenode(const struct hf_report *report, uint64_t now, uint64_t *ret_until)
{
    *ret_until = report->contact_ns + EDGENODE_WAIT_NS;
    return echoes(report) && !report->parts->follows->of[HF_FOLLOW_EDGENODE].synced && now < *ret_until;
}

static void send_now(struct hf_report *report, uint64_t now)
{
    uint64_t until;

    if (!hf_follow_delivers(report->parts->follows)) {
        park(report);
        return;
    }
    if (waits_for_edgenode(report, now, &until))
        return;
    hf_pace_started(&report->pace, now);
    bool unseen = report->sequence.uncertain && !report->echo.heard;
    if (echoes(report) && (unseen || !report->echo.exists))
        create_edgenode(report);
    else
        write_status(report);
}

void hf_report_send_if_due(struct hf_report *report)
{
    uint64_t now = now_of(report);
    struct hf_err err = HF_ERR_INIT;

    if (hf_echo_forget(&report->echo, now))
        hf_report_build(report);
    if (now >= report->look_again_ns)
        hf_report_build(report);
    if (hf_sender_abandon_late(&report->sender, now)) {
        (void)hf_err_set(&err, ETIMEDOUT, "no answer within the policy's timeout");
        failed(report, -ETIMEDOUT, 0, &err);
    }
    if (now >= report->keep_ns)
        keep(report);
    if (report->essence != NULL && now >= hf_pace_due_ns(&report->pace))
        send_now(report, now);
    if (now >= report->show_ns)
        show_newest(report);
}

uint64_t hf_report_wait_until_ns(const struct hf_report *report)
{
    uint64_t due = hf_pace_due_ns(&report->pace), until;

    if (report->sender.delivery != NULL)
        due = report->sender.deadline_ns;
    else if (due != HF_NEVER && hf_follow_delivers(report->parts->follows) &&
             waits_for_edgenode(report, now_of(report), &until))
        due = HF_MAX(due, until);
    return HF_MIN(HF_MIN(due, report->look_again_ns), HF_MIN(report->keep_ns, report->show_ns));
}

void hf_report_changed(struct hf_report *report)
{
    hf_pace_changed(&report->pace, false, now_of(report));
    show_soon(report);
}

void hf_report_reachable(struct hf_report *report, uint64_t spread_ns)
{
    uint64_t now = now_of(report);

    report->contact_ns = now;
    hf_backoff_reset(&report->backoff);
    hf_pace_changed(&report->pace, true, now);
    hf_pace_retry(&report->pace, spread_ns, now);
}

void hf_report_heard_edgenode(struct hf_report *report, const json_t *edgenode)
{
    bool first;

    switch (hf_echo_take(&report->echo, edgenode, &report->sequence, &first)) {
    case HF_ECHO_NOTHING:
    case HF_ECHO_SHARED:
        break;
    case HF_ECHO_ADOPTED:
        report->delivered = false;
        hf_report_changed(report);
        break;
    case HF_ECHO_WRITE_AGAIN:
        hf_report_changed(report);
        break;
    case HF_ECHO_DELIVERED:
        hf_outbox_clear(&report->outbox);
        break;
    }
    if (first)
        hf_echo_adopt_times(report->conditions, hf_json_at(edgenode, "status.conditions"));
    hf_turn_wake(report->env->turn, HF_DUE_STATUS);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

int hf_report_init(struct hf_report *report, const struct hf_agent_env *env, const struct hf_agent_parts *parts,
                   struct hf_err *err)
{
    *report = (struct hf_report){.env = env,
                                 .parts = parts,
                                 .look_again_ns = HF_NEVER,
                                 .keep_ns = HF_NEVER,
                                 .show_ns = HF_NEVER,
                                 .backoff = {.base_ns = HF_NS_PER_S}};
    hf_pace_init(&report->pace, echoes(report) ? HF_PACE_GAP_NS : LOCAL_GAP_NS);
    hf_steady_init(&report->steady);
    hf_sender_init(&report->sender, env, answered, report);
    hf_sequence_load(&report->sequence, env);
    report->conditions = hf_outbox_load(&report->outbox, env);
    if (report->conditions == NULL)
        report->conditions = json_array();
    return report->conditions != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

void hf_report_done(struct hf_report *report)
{
    if (report->env == NULL)
        return;
    hf_sender_abandon(&report->sender);
    json_decref(report->essence);
    json_decref(report->conditions);
    hf_outbox_done(&report->outbox);
    hf_steady_done(&report->steady);
}

/* Without contact the status in the outbox is the one to deliver later; that no agent runs is visible without it. */
void hf_report_stop(struct hf_report *report, bool last_status)
{
    _cleanup_(hf_json_freep) json_t *body = NULL;
    struct hf_err err = HF_ERR_INIT;

    hf_sender_abandon(&report->sender);
    report->stopping = true;
    if (!last_status || report->essence == NULL)
        return;
    hf_report_build(report);
    if (make_body(report, &body) < 0)
        return;
    hf_outbox_show(&report->outbox, body);
    if (!report->parts->contact->stale.connected || (echoes(report) && !report->echo.exists))
        return;
    int r = hf_sender_apply_status(&report->sender, body, now_of(report) + LAST_STATUS_NS, &err);
    if (r < 0)
        failed(report, r, 0, &err);
    hf_turn_wake(report->env->turn, 0); /* the turn ends the wait at the deadline */
}

bool hf_report_stopped(struct hf_report *report)
{
    (void)hf_sender_abandon_late(&report->sender, now_of(report));
    return report->sender.delivery == NULL;
}
