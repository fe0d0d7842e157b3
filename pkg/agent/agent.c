#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parts.h"

/* How stale the written time of last contact may be, as part of the policy's window, and at least. A power cut then makes the
 * node believe it was away that much longer: the safe side. */
enum { SAVE_PART_OF_WINDOW = 24 };
#define TOLD_STEP_NS ((int64_t)(5 * HF_NS_PER_S))
#define SAVE_AT_LEAST_NS (10 * 60 * HF_NS_PER_S)

void hf_agent_wake(struct hf_agent *agent, unsigned due)
{
    agent->due |= due;
    if (!agent->turning && agent->timer != NULL && !agent->stopped)
        agent->params.sched->timer_arm(agent->params.sched->ctx, agent->timer, 0);
}

/* ---- the clock file ----------------------------------------------------------------------------------------------- */

void hf_agent_save_clock(struct hf_agent *agent)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_now now = hf_now_read(agent->clock);
    struct hf_clock_file file = {now.unix_ns, hf_stale_contact_unix_ns(&agent->stale)};
    char path[PATH_MAX];

    if (hf_clock_file_format(&file, &text) < 0)
        return;
    hf_diskq_write(agent->diskq, hf_home_path(agent->params.home, "clock", path), hf_buf_view(&text));
    agent->saved_contact_ns = file.contact_unix_ns;
}

static uint64_t save_step_ns(const struct hf_agent *agent)
{
    return HF_MAX(agent->policy->stale_window_ns / SAVE_PART_OF_WINDOW, SAVE_AT_LEAST_NS);
}

/* ---- a turn ------------------------------------------------------------------------------------------------------- */

static void judge_contact(struct hf_agent *agent, struct hf_now now, uint64_t *ret_wait_ns)
{
    enum hf_staleness staleness = hf_stale_judge(&agent->stale, agent->policy->stale_window_ns, now, ret_wait_ns);

    if (staleness == agent->staleness)
        return;
    hf_log(agent->log, staleness == HF_STALE_FRESH ? HF_LOG_INFO : HF_LOG_WARNING, "contact.changed",
           HF_S("from", hf_staleness_name(agent->staleness)), HF_S("to", hf_staleness_name(staleness)));
    agent->staleness = staleness;
    agent->due |= DUE_PLAN | DUE_STATUS;
}

static void judge_hold(struct hf_agent *agent, struct hf_now now)
{
    bool held = hf_hold_active(&agent->hold, now.unix_ns, &agent->hold_end_unix_ns);

    if (held == agent->held)
        return;
    hf_log(agent->log, HF_LOG_INFO, held ? "hold.begun" : "hold.ended", HF_S("reason", agent->hold.reason));
    agent->held = held;
    agent->due |= DUE_PLAN | DUE_STATUS;
}

/* How far ours is from the truth, as the best witness there is has it: the API server, else the kernel's clock when it says that it
 * is synchronized (behind a MetaServer there is no Date of a real server). */
static int64_t best_offset_ns(const struct hf_agent *agent, struct hf_now now)
{
    if (agent->skew.known)
        return hf_skew_offset_ns(&agent->skew, now.mono_ns, now.unix_ns);
    if (agent->params.ntp != NULL && agent->params.ntp() == HF_NTP_SYNCHRONIZED)
        return (int64_t)(hf_unix_ns(agent->params.home->floor.wall) - now.unix_ns);
    return 0;
}

/* Our clock never goes back, so one that once leapt forward stays ahead; what is told to others is in the server's time then. In
 * steps, so that the half second a Date is worth does not make every status new. */
static void judge_clock(struct hf_agent *agent, struct hf_now now)
{
    bool before = agent->skew.exceeded;
    int64_t offset = best_offset_ns(agent, now), moved = offset - agent->told_offset_ns;

    if (moved > TOLD_STEP_NS || moved < -TOLD_STEP_NS) {
        agent->told_offset_ns = offset;
        agent->due |= DUE_STATUS;
    }
    if (hf_skew_judge(&agent->skew, now.mono_ns, now.unix_ns, agent->policy->clock_max_skew_ns) == before)
        return;
    hf_log(agent->log, agent->skew.exceeded ? HF_LOG_WARNING : HF_LOG_INFO,
           agent->skew.exceeded ? "clock.skewed" : "clock.agrees",
           HF_D("offsetMilliseconds", offset / (int64_t)HF_NS_PER_MS));
    agent->due |= DUE_STATUS;
}

static void interval_if_due(struct hf_agent *agent, struct hf_now now)
{
    uint64_t interval = agent->policy->interval_ns;

    if (now.mono_ns < agent->next_interval_ns)
        return;
    /* Never later: "within the interval" is what the policy promises. */
    agent->next_interval_ns = now.mono_ns + interval - hf_rand_below(agent->params.rng, HF_MAX(interval / 5, 1));
    hf_reconcile_hold(agent);
    hf_follow_refresh(agent);
    hf_concern_trim(agent);
    hf_diskq_retry(agent->diskq);
    hf_update_engine_check_drift(agent->engine);
    agent->due |= DUE_FACTS | DUE_PLAN | DUE_STATUS;
}

/* What one step finds out may make another one due: in this order one pass is enough. */
static void work(struct hf_agent *agent, struct hf_now now, uint64_t *ret_stale_wait_ns)
{
    interval_if_due(agent, now);
    if ((agent->due & DUE_FACTS) != 0)
        hf_reconcile_facts(agent);
    if ((agent->due & (DUE_FACTS | DUE_POLICY)) != 0)
        hf_reconcile_policy(agent);
    judge_contact(agent, now, ret_stale_wait_ns);
    judge_hold(agent, now);
    judge_clock(agent, now);
    if ((agent->due & DUE_PLAN) != 0)
        hf_reconcile_plan(agent);
    if (agent->due != 0)
        hf_report_build(agent);
    agent->due = 0;
    hf_labeller_apply_if_due(agent);
    hf_report_send_if_due(agent);
}

static void say_settled(struct hf_agent *agent)
{
    bool hopeless = agent->source_trouble[0] != '\0'; /* what comes later, if it comes, is not waited for */

    if (agent->settled_said || agent->params.settled == NULL || !agent->report.told ||
        (!hopeless && (!hf_follow_synced(agent) || agent->follows[FOLLOW_UPDATES].relisting ||
                       agent->follows[FOLLOW_POLICIES].relisting)) ||
        !hf_diskq_idle(agent->diskq))
        return;
    for (size_t i = 0; !hopeless && i < json_array_size(agent->report.conditions); i++)
        if (strcmp(hf_json_str_or(json_array_get(agent->report.conditions, i), "type", ""), "Reconciling") == 0)
            return;
    agent->settled_said = true;
    agent->params.settled(agent->params.arg);
}

static void schedule(struct hf_agent *agent, struct hf_now now, uint64_t stale_wait_ns)
{
    uint64_t until = agent->next_interval_ns;

    until = HF_MIN(until, hf_report_wait_until_ns(agent));
    until = HF_MIN(until, hf_labeller_wait_until_ns(agent));
    if (stale_wait_ns != HF_NEVER)
        until = HF_MIN(until, now.mono_ns + stale_wait_ns);
    if (agent->held && agent->hold_end_unix_ns != HF_NEVER)
        until = HF_MIN(until, now.mono_ns + (agent->hold_end_unix_ns - HF_MIN(agent->hold_end_unix_ns, now.unix_ns)));
    agent->params.sched->timer_arm(agent->params.sched->ctx, agent->timer, until - HF_MIN(until, now.mono_ns));
}

void hf_agent_finish_stop(struct hf_agent *agent)
{
    if (!agent->stopping || agent->stopped || !hf_report_stopped(agent) || !hf_diskq_idle(agent->diskq) ||
        !hf_update_engine_quiesced(agent->engine))
        return;
    agent->stopped = true;
    agent->params.sched->timer_disarm(agent->params.sched->ctx, agent->timer);
    agent->params.stopped(agent->params.arg);
}

static void turn(void *arg)
{
    struct hf_agent *agent = arg;
    struct hf_now now = hf_now_read(agent->clock);
    uint64_t stale_wait_ns = HF_NEVER;

    if (agent->stopping) {
        if (!hf_report_stopped(agent))
            agent->params.sched->timer_arm(agent->params.sched->ctx, agent->timer,
                                           agent->report.give_up_ns - now.mono_ns);
        hf_agent_finish_stop(agent);
        return;
    }
    agent->turning = true;
    hf_follow_hear(agent);
    work(agent, now, &stale_wait_ns);
    uint64_t contact = hf_stale_contact_unix_ns(&agent->stale);
    if (agent->stale.connected && contact - HF_MIN(contact, agent->saved_contact_ns) > save_step_ns(agent))
        hf_agent_save_clock(agent);
    agent->turning = false;
    if (agent->due != 0)
        hf_agent_wake(agent, 0);
    else
        schedule(agent, now, stale_wait_ns);
    say_settled(agent);
}

static void disk_moved(void *arg)
{
    struct hf_agent *agent = arg;

    if (agent->stopping)
        hf_agent_finish_stop(agent);
    else
        hf_agent_wake(agent, DUE_STATUS);
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

static int open_disk(struct hf_agent *agent, struct hf_err *err)
{
    struct hf_cache *cache = NULL;
    char path[PATH_MAX];
    int r = hf_cache_open(agent->fs, hf_home_path(agent->params.home, "cache", path), &cache, err);

    if (r < 0)
        return r;
    r = hf_follow_load(agent, cache, err);
    struct hf_diskq_params params = {.fs = agent->fs,
                                     .sched = agent->params.sched,
                                     .cache = cache,
                                     .log = agent->log,
                                     .metrics = agent->params.metrics,
                                     .moved = disk_moved,
                                     .arg = agent};
    if (r == 0)
        agent->diskq = hf_diskq_new(&params);
    if (r == 0 && agent->diskq == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0)
        hf_cache_free(cache);
    return r;
}

static int prepare(struct hf_agent *agent, struct hf_err *err)
{
    const struct hf_sched_ops *sched = agent->params.sched;

    agent->default_policy = hf_syncpolicy_default();
    agent->plan = calloc(1, sizeof(*agent->plan));
    agent->timer = sched->timer_new(sched->ctx, turn, agent);
    if (agent->default_policy == NULL || agent->plan == NULL || agent->timer == NULL || hf_gauges_init(agent) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    agent->policy = agent->default_policy;
    hf_objects_init(&agent->updates, &hf_kind_edgeupdate);
    hf_objects_init(&agent->policies, &hf_kind_syncpolicy);
    hf_labeller_init(agent);
    return 0;
}

/* Everything a node needs to act alone, in the order in which it needs it. */
static int begin(struct hf_agent *agent, struct hf_err *err)
{
    uint64_t wait_ns;
    int r = prepare(agent, err);

    if (r == 0)
        r = open_disk(agent, err);
    if (r < 0)
        return r;
    struct hf_now now = hf_now_read(agent->clock);
    hf_stale_init(&agent->stale, agent->params.home->kept.contact_unix_ns, now);
    agent->saved_contact_ns = agent->stale.contact_unix_ns;
    r = hf_report_init(agent, err);
    hf_reconcile_facts(agent);
    hf_reconcile_hold(agent);
    hf_reconcile_policy(agent);
    agent->staleness = hf_stale_judge(&agent->stale, agent->policy->stale_window_ns, now, &wait_ns);
    agent->next_interval_ns = now.mono_ns + agent->policy->interval_ns;
    if (r == 0)
        r = hf_reconcile_engine_new(agent, err);
    if (r < 0)
        return r;
    agent->due = DUE_PLAN | DUE_STATUS;
    turn(agent);
    return hf_follow_start(agent, err);
}

int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err)
{
    _cleanup_(hf_agent_freep) struct hf_agent *agent = calloc(1, sizeof(*agent));

    if (agent == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    agent->params = *params;
    agent->unreadable.free_value = free;
    agent->fs = params->home->fs;
    agent->clock = hf_home_clock(params->home);
    agent->log = params->log;
    agent->result = 1;
    int r = begin(agent, err);
    if (r < 0)
        return r;
    hf_log(agent->log, HF_LOG_INFO, "agent.started", HF_S("node", params->node_name), HF_S("version", params->version),
           HF_S("mode", params->pod_mode ? "Pod" : "Host"), HF_S("arch", agent->facts.arch),
           HF_D("cachedUpdates", agent->updates.by_name.n), HF_S("contact", hf_staleness_name(agent->staleness)));
    *ret_agent = hf_steal(agent);
    return 0;
}

void hf_agent_free(struct hf_agent *agent)
{
    if (agent == NULL)
        return;
    agent->turning = true; /* nothing wakes it any more */
    hf_follow_stop(agent);
    hf_update_engine_free(agent->engine);
    hf_labeller_done(agent);
    hf_report_done(agent);
    hf_diskq_free(agent->diskq);
    agent->params.sched->timer_free(agent->params.sched->ctx, agent->timer);
    hf_gauges_done(agent);
    hf_reconcile_done(agent);
    hf_objects_done(&agent->updates);
    hf_objects_done(&agent->policies);
    json_decref(agent->node);
    hf_syncpolicy_free(agent->default_policy);
    hf_facts_done(&agent->facts);
    free(agent->plan);
    free(agent);
}

void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why)
{
    if (agent->stopping)
        return;
    agent->stopping = true;
    hf_follow_hear(agent);
    hf_follow_save_marks(agent);
    hf_agent_save_clock(agent);
    hf_report_stop(agent, why == HF_AGENT_STOP_TOLD);
    hf_report_save_sequence(agent);
    hf_update_engine_quiesce(agent->engine);
    hf_agent_finish_stop(agent);
}

void hf_agent_look_at_hold(struct hf_agent *agent)
{
    hf_reconcile_hold(agent);
    hf_agent_wake(agent, 0);
}

void hf_agent_telemetry_changed(struct hf_agent *agent)
{
    hf_pace_changed(&agent->report.pace, false, hf_mono_ns(agent->clock));
    hf_agent_wake(agent, 0);
}

bool hf_agent_ready(const struct hf_agent *agent)
{
    return agent->had_cache || hf_follow_synced(agent);
}

const char *hf_agent_source_trouble(const struct hf_agent *agent)
{
    const struct follow *barred = hf_follow_barred(agent);

    return barred != NULL ? barred->barred_text : NULL;
}

int hf_agent_result(const struct hf_agent *agent)
{
    return agent->source_trouble[0] != '\0' ? 1 : agent->result;
}
