/* SPDX-License-Identifier: Apache-2.0 */
/* Every event records which work has become due, and wakes the agent for a turn, which runs in the next iteration of
 * the event loop. In a turn the agent computes staleness and hold, makes the plan, passes the plan to the update
 * engine, builds the status, and sets the time of the next turn. Because a turn does all the work that is due, the
 * order of events does not matter, and an extra turn does no harm. */
#include "agent/agent.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "agent/audit/trail.h"
#include "agent/counters.h"
#include "agent/desired/labeller.h"
#include "agent/desired/machine.h"
#include "agent/desired/own_edgenode.h"
#include "agent/desired/own_program.h"
#include "agent/desired/planner.h"
#include "agent/desired/policy.h"
#include "agent/desired/resync.h"
#include "agent/desired/sets.h"
#include "agent/desired/site_hold.h"
#include "agent/diskq.h"
#include "agent/env.h"
#include "agent/features.h"
#include "agent/follow/concern.h"
#include "agent/follow/follow.h"
#include "agent/gauges.h"
#include "agent/images/image_mirror.h"
#include "agent/images/images.h"
#include "agent/parts.h"
#include "agent/report/herald.h"
#include "agent/report/report.h"
#include "agent/resources/disks.h"
#include "agent/resources/network.h"
#include "agent/standstill.h"
#include "agent/trust/trust_watch.h"
#include "agent/turn.h"
#include "api/conditions.h"
#include "share/share.h"
#include "sync/stale_table.h"

/* Each part belongs to the file of its type. This file makes them, passes to each what it needs, and orders the steps
 * of a turn. */
struct hf_agent {
    struct hf_agent_params params;
    struct hf_agent_env env;
    struct hf_agent_parts view;
    struct hf_agent_counters counters;
    struct hf_gauges *gauges;
    struct hf_turn turn;
    struct hf_diskq *diskq;
    struct hf_contact contact;
    struct hf_follows follows;
    struct hf_machine machine;
    struct hf_disks disks;
    struct hf_network network;
    struct hf_chosen_policy policy;
    struct hf_own_edgenode own_edgenode;
    struct hf_site_hold hold;
    struct hf_trust_watch trust_watch;
    struct hf_planner planner;
    struct hf_labeller labeller;
    struct hf_resync resync;
    struct hf_report report;
    struct hf_herald herald;
    struct hf_trail trail;
    struct hf_floor_guard *floors;
    struct hf_update_engine *engine;
    struct hf_sets sets;
    struct hf_images images;

    uint64_t next_interval_ns; /* mono: the next full reconcile */
    struct hf_standstill standstill;
    bool settled_reported; /* params.owner.settled() has run */
    bool gave_up;          /* --once: nothing got on any more */
    enum { RUNNING, STOPPING, STOPPED } state;
};

/* ---- steps of a turn --------------------------------------------------------------------------------------------- */

/* A policy's times apply to parts that know no policy. */
static void apply_limits(struct hf_agent *agent)
{
    const struct hf_syncpolicy *policy = agent->policy.in_effect;

    hf_clock_set_max_skew(&agent->params.home->clock, policy->clock_max_skew_ns);
    hf_disks_follow(&agent->disks, &policy->disk);
    if (agent->params.downloads.share != NULL)
        hf_share_allow(agent->params.downloads.share, policy->share_neighbours);
    agent->labeller.backoff.cap_ns = agent->report.backoff.cap_ns = policy->retry_interval_ns;
    if (agent->engine != NULL) {
        hf_update_engine_set_retain(agent->engine,
                                    &(const struct hf_kept_policy){
                                        .current = policy->retain.current,
                                        .previous = policy->retain.previous,
                                        .max_bytes = policy->retain.max_bytes,
                                        .unread = agent->follows.policies.by_name.n == 0 &&
                                                  !hf_follow_proves_absence(&agent->follows.of[HF_FOLLOW_POLICIES])});
        hf_update_engine_set_retry(agent->engine, agent->params.retry_base_ns, policy->retry_interval_ns);
    }
    agent->next_interval_ns = HF_MIN(agent->next_interval_ns, hf_mono_ns(agent->env.world.clock) + policy->interval_ns);
}

/* A part of the policy that comes from elsewhere, or is gone, may have been what somebody relied on. */
static void tell_sections(struct hf_agent *agent)
{
    const char *change = agent->policy.origins.change;

    if (change[0] == '\0')
        return;
    hf_audit_inlet_add(agent->env.audit, HF_AUDIT_POLICY_SECTIONS, "policy", "SectionsChanged", change);
    hf_herald_tell(&agent->herald, HF_NOTICE_POLICY_CHANGED, change);
}

static void choose_policy(struct hf_agent *agent)
{
    const struct hf_follow *policies = &agent->follows.of[HF_FOLLOW_POLICIES];
    int changed = hf_policy_choose(&agent->policy, &agent->follows.policies, hf_follow_proves_absence(policies),
                                   &agent->machine.facts);

    tell_sections(agent);
    if (changed < 0)
        return;
    if ((changed & HF_POLICY_OWN_LABELS) != 0)
        hf_concern_labels_changed(&agent->follows.of[HF_FOLLOW_POLICIES]);
    if ((changed & HF_POLICY_LABELS) != 0) {
        agent->turn.due |= HF_DUE_PLAN;
        hf_concern_labels_changed(&agent->follows.of[HF_FOLLOW_UPDATES]);
    }
    apply_limits(agent);
    if (agent->params.owner.policy_changed != NULL)
        agent->params.owner.policy_changed(agent->params.owner.arg, agent->policy.in_effect, agent->policy.labels);
    hf_images_follow(&agent->images, agent->policy.set);
}

static void images_changed(void *arg)
{
    struct hf_agent *agent = arg;

    hf_turn_wake(&agent->turn, HF_DUE_PLAN | HF_DUE_STATUS);
}

static void images_fetched(void *arg, uint64_t bytes)
{
    struct hf_agent *agent = arg;

    hf_network_fetched_images(&agent->network, bytes);
}

static void read_hold(struct hf_agent *agent)
{
    if (hf_site_hold_read(&agent->hold))
        agent->turn.due |= HF_DUE_STATUS;
}

/* Judges what changes with time alone: contact, hold, clock. */
static void judge(struct hf_agent *agent, struct hf_now now, uint64_t *ret_stale_wait_ns)
{
    const struct hf_syncpolicy *policy = agent->policy.in_effect;

    if (hf_contact_judge(&agent->contact, policy->stale_window_ns, now, ret_stale_wait_ns))
        agent->turn.due |= HF_DUE_PLAN | HF_DUE_STATUS;
    if (hf_site_hold_judge(&agent->hold))
        agent->turn.due |= HF_DUE_PLAN | HF_DUE_STATUS;
    if (hf_contact_judge_clock(&agent->contact, policy->clock_max_skew_ns, now))
        agent->turn.due |= HF_DUE_STATUS;
    if (hf_resync_work(&agent->resync, &agent->contact, policy))
        agent->turn.due |= HF_DUE_STATUS;
}

static void run_sets(struct hf_agent *agent)
{
    const struct hf_follow *policies = &agent->follows.of[HF_FOLLOW_POLICIES];
    const struct hf_sets_input input = {
        .staleness = agent->contact.staleness,
        .held = agent->hold.active,
        .proven = hf_follow_proves_absence(policies) && !agent->policy.unsure,
        .no_space = hf_disks_home_is_critical(&agent->disks),
        .writes_used_up = agent->disks.writes.used_up,
    };

    hf_sets_run(&agent->sets, &input);
}

static void tell_images(struct hf_agent *agent)
{
    struct hf_image_workloads workloads = hf_sets_find_images(&agent->sets);

    hf_image_mirror_take(agent->params.downloads.images, &workloads);
}

/* Releases may wait for the images of manifests that have come with them. */
static void plan(struct hf_agent *agent)
{
    struct hf_planner_input input = {
        .updates = &agent->follows.updates,
        .labels = agent->policy.labels,
        .policy = agent->policy.in_effect,
        .edgenode = agent->own_edgenode.decoded,
        .staleness = agent->contact.staleness,
        .held = agent->hold.active,
        .writes_used_up = agent->disks.writes.used_up,
        .link = agent->network.gate,
    };

    if (input.labels == NULL)
        return;
    run_sets(agent);
    tell_images(agent);
    input.images_ready = hf_image_mirror_has_all(agent->params.downloads.images);
    hf_planner_run(&agent->planner, &input, agent->engine);
    agent->turn.due |= HF_DUE_STATUS;
}

/* The next interval is never longer than the policy's: a policy promises "within the interval". */
static void begin_interval_if_due(struct hf_agent *agent, struct hf_now now)
{
    uint64_t interval = agent->policy.in_effect->interval_ns;

    if (now.mono_ns < agent->next_interval_ns)
        return;
    agent->next_interval_ns = now.mono_ns + interval - hf_rand_below(agent->env.world.rng, HF_MAX(interval / 5, 1));
    read_hold(agent);
    hf_trust_watch_look(&agent->trust_watch);
    hf_follow_refresh(&agent->follows);
    hf_concern_trim(&agent->follows);
    hf_diskq_retry(agent->diskq);
    hf_disks_look(&agent->disks);
    hf_update_engine_check_drift(agent->engine);
    hf_sets_check(&agent->sets);
    agent->turn.due |= HF_DUE_FACTS | HF_DUE_PLAN | HF_DUE_STATUS;
}

/* The labeller writes only a Node that this process has seen: a cached one may be long gone. */
static bool may_label(const struct hf_agent *agent)
{
    return !agent->params.labels_by_controller && !agent->policy.unsure && agent->follows.of[HF_FOLLOW_NODE].synced &&
           hf_follow_delivers(&agent->follows) &&
           hf_stale_table_may(HF_STALE_ACT_LABELS, agent->contact.staleness, agent->policy.in_effect->on_expiry);
}

/* A step may make a later one due; in this order one pass is enough. */
static void work(struct hf_agent *agent, struct hf_now now, uint64_t *ret_stale_wait_ns)
{
    struct hf_turn *turn = &agent->turn;

    begin_interval_if_due(agent, now);
    if ((turn->due & HF_DUE_FACTS) != 0)
        hf_machine_read(&agent->machine);
    if ((turn->due & (HF_DUE_FACTS | HF_DUE_POLICY)) != 0)
        choose_policy(agent);
    judge(agent, now, ret_stale_wait_ns);
    if (hf_disks_count(&agent->disks))
        turn->due |= HF_DUE_PLAN | HF_DUE_STATUS;
    if (hf_network_judge(&agent->network, &agent->policy.in_effect->connectivity)) {
        turn->due |= HF_DUE_PLAN | HF_DUE_STATUS;
        if (agent->network.gate == HF_LINK_OPEN)
            hf_sets_link_opened(&agent->sets);
    }
    if (turn->due != 0 && (turn->due & HF_DUE_PLAN) == 0)
        tell_images(agent); /* which may make a plan due */
    if ((turn->due & HF_DUE_PLAN) != 0)
        plan(agent);
    hf_network_enforce(&agent->network);
    hf_image_mirror_gate(agent->params.downloads.images, agent->network.gate != HF_LINK_OPEN
                                                             ? hf_link_reason(agent->network.gate)
                                                         : agent->disks.writes.used_up ? "WriteBudgetUsed"
                                                                                       : NULL);
    hf_images_work(&agent->images);
    if (turn->due != 0) {
        hf_sets_look_alone(&agent->sets);
        hf_report_build(&agent->report);
        hf_herald_look(&agent->herald);
        hf_trail_look(&agent->trail);
    }
    turn->due = 0;
    hf_labeller_apply_if_due(&agent->labeller, may_label(agent));
    hf_report_send_if_due(&agent->report);
    hf_herald_send_if_due(&agent->herald);
    hf_trail_work(&agent->trail);
}

/* ---- a turn ------------------------------------------------------------------------------------------------------ */

/* True if the agent has received, installed and reported all there is, and the TPM has counted the floors. Also true if
 * this never happens, because the agent cannot read the folder of objects. */
static bool is_settled(const struct hf_agent *agent)
{
    const char *message;

    if (hf_floor_guard_ask(agent->floors, &message) == HF_R_FloorsPending)
        return false;
    if (!agent->report.delivered || !hf_diskq_idle(agent->diskq))
        return false;
    if (agent->contact.folder_failure[0] != '\0')
        return true;
    return hf_follow_synced(&agent->follows) && !hf_follow_relisting(&agent->follows) &&
           !hf_update_engine_is_behind(agent->engine) && !hf_report_reconciling(&agent->report);
}

/* --once does not wait for ever for a server that stays away. */
static bool gives_up(struct hf_agent *agent)
{
    const json_t *ready = hf_conditions_find(agent->report.conditions, "Ready");
    const struct hf_contact *contact = &agent->contact;

    if (!agent->params.once || !hf_standstill_look(&agent->standstill, &agent->view))
        return false;
    agent->gave_up = true;
    hf_log(agent->env.world.log, HF_LOG_ERROR, "agent.gave_up", HF_D("after_s", HF_STANDSTILL_NS / HF_NS_PER_S),
           HF_S("ready", hf_json_str_or(ready, "message", "")),
           HF_S("contact", contact->stale.connected ? "" : contact->reason_text));
    return true;
}

static void report_settled(struct hf_agent *agent)
{
    if (agent->settled_reported || agent->params.owner.settled == NULL || !(is_settled(agent) || gives_up(agent)))
        return;
    agent->settled_reported = true;
    agent->params.owner.settled(agent->params.owner.arg);
}

static void schedule(struct hf_agent *agent, struct hf_now now, uint64_t stale_wait_ns)
{
    uint64_t until = agent->next_interval_ns;

    until = HF_MIN(until, hf_report_wait_until_ns(&agent->report));
    until = HF_MIN(until, hf_herald_wait_until_ns(&agent->herald));
    until = HF_MIN(until, hf_trail_wait_until_ns(&agent->trail));
    until = HF_MIN(until, hf_disks_wait_until_ns(&agent->disks, hf_report_reconciling(&agent->report)));
    until = HF_MIN(until, hf_network_wait_until_ns(&agent->network));
    until = HF_MIN(until, hf_labeller_wait_until_ns(&agent->labeller, may_label(agent)));
    until = HF_MIN(until, hf_resync_wait_until_ns(&agent->resync));
    until = HF_MIN(until, hf_images_wait_until_ns(&agent->images));
    if (stale_wait_ns != HF_NEVER)
        until = HF_MIN(until, now.mono_ns + stale_wait_ns);
    if (agent->hold.wait_ns != HF_NEVER)
        until = HF_MIN(until, now.mono_ns + agent->hold.wait_ns);
    if (agent->params.once && !agent->settled_reported) /* not all that it waits for wakes a turn */
        until = HF_MIN(until, now.mono_ns + HF_NS_PER_S);
    hf_turn_schedule(&agent->turn, until - HF_MIN(until, now.mono_ns));
}

static void finish_stop(struct hf_agent *agent)
{
    if (agent->state != STOPPING || !hf_report_stopped(&agent->report) || !hf_diskq_idle(agent->diskq) ||
        !hf_update_engine_quiesced(agent->engine))
        return;
    agent->state = STOPPED;
    hf_turn_end(&agent->turn);
    agent->params.owner.stopped(agent->params.owner.arg);
}

static void run_turn(void *arg)
{
    struct hf_agent *agent = arg;
    struct hf_now now = hf_now_read(agent->env.world.clock);
    uint64_t stale_wait_ns = HF_NEVER;

    if (agent->state != RUNNING) {
        if (!hf_report_stopped(&agent->report))
            hf_turn_schedule(&agent->turn, agent->report.sender.deadline_ns - now.mono_ns);
        finish_stop(agent);
        return;
    }
    agent->turn.running = true;
    hf_contact_confirm(&agent->contact);
    work(agent, now, &stale_wait_ns);
    hf_contact_save_if_old(&agent->contact);
    agent->turn.running = false;
    if (agent->turn.due != 0) {
        hf_turn_wake(&agent->turn, 0);
        return;
    }
    schedule(agent, now, stale_wait_ns);
    report_settled(agent);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void disk_changed(void *arg)
{
    struct hf_agent *agent = arg;

    if (agent->state != RUNNING)
        finish_stop(agent);
    else
        hf_turn_wake(&agent->turn, HF_DUE_STATUS);
}

static void engine_changed(void *arg)
{
    struct hf_agent *agent = arg;

    finish_stop(agent);
    hf_turn_wake(&agent->turn, HF_DUE_STATUS);
}

/* The floors or the keys: the node may accept something else now. */
static void trust_changed(void *arg)
{
    struct hf_agent *agent = arg;

    hf_turn_wake(&agent->turn, HF_DUE_POLICY | HF_DUE_PLAN | HF_DUE_STATUS);
}

static void sets_changed(void *arg)
{
    struct hf_agent *agent = arg;

    hf_turn_wake(&agent->turn, HF_DUE_STATUS);
}

static void engine_repaired(void *arg, const char *release, const char *version, const char *what)
{
    struct hf_agent *agent = arg;
    char text[HF_NOTICES_TEXT];

    (void)snprintf(text, sizeof(text), "somebody changed what %s %s has installed; the agent has put it back: %s",
                   release, version, what);
    hf_herald_tell(&agent->herald, HF_NOTICE_REPAIRED, text);
}

static void engine_went_back(void *arg, const char *release, const char *version, const char *what)
{
    struct hf_agent *agent = arg;
    char text[HF_NOTICES_TEXT];

    (void)snprintf(text, sizeof(text), "%s %s runs again: %s", release, version, what);
    hf_herald_tell(&agent->herald, HF_NOTICE_HELD_BACK, text);
}

static void engine_was_lied_to(void *arg, const char *release, const char *version, const char *node)
{
    struct hf_agent *agent = arg;
    char text[HF_NOTICES_TEXT];

    (void)snprintf(text, sizeof(text), "the node %s served other content as %s %s; it is left alone for a day", node,
                   release, version);
    hf_herald_tell(&agent->herald, HF_NOTICE_NEIGHBOUR_LIED, text);
}

static void sets_happened(void *arg, enum hf_notice_reason reason, const char *text)
{
    struct hf_agent *agent = arg;

    hf_herald_tell(&agent->herald, reason, text);
}

static void images_refused(void *arg, const char *text)
{
    struct hf_agent *agent = arg;

    hf_herald_tell(&agent->herald, HF_NOTICE_IMAGE_REFUSED, text);
}

static void edgenode_heard(void *arg, const json_t *edgenode)
{
    struct hf_agent *agent = arg;

    hf_report_heard_edgenode(&agent->report, edgenode);
}

static void reachable(void *arg, uint64_t spread_ns)
{
    struct hf_agent *agent = arg;

    hf_report_reachable(&agent->report, spread_ns);
    hf_herald_reachable(&agent->herald, spread_ns);
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

static void wire(struct hf_agent *agent, const struct hf_agent_params *params)
{
    const struct hf_follow_events events = {.edgenode = edgenode_heard, .reachable = reachable, .arg = agent};
    const struct hf_follow_keepers kept = {&agent->contact, &agent->policy, &agent->own_edgenode};

    agent->params = *params;
    agent->env = (struct hf_agent_env){.params = &agent->params,
                                       .world = params->world,
                                       .config = params->config,
                                       .turn = &agent->turn,
                                       .counters = &agent->counters};
    agent->view = (struct hf_agent_parts){.env = &agent->env,
                                          .contact = &agent->contact,
                                          .follows = &agent->follows,
                                          .policy = &agent->policy,
                                          .own_edgenode = &agent->own_edgenode,
                                          .machine = &agent->machine,
                                          .disks = &agent->disks,
                                          .network = &agent->network,
                                          .hold = &agent->hold,
                                          .trust_watch = &agent->trust_watch,
                                          .planner = &agent->planner,
                                          .labeller = &agent->labeller,
                                          .resync = &agent->resync,
                                          .sets = &agent->sets,
                                          .images = &agent->images,
                                          .trail = &agent->trail,
                                          .report = &agent->report};
    hf_counters_init(&agent->counters, params->world.metrics);
    hf_machine_init(&agent->machine, &agent->env);
    hf_disks_init(&agent->disks, &agent->env);
    hf_network_init(&agent->network, &agent->env);
    hf_site_hold_init(&agent->hold, &agent->env);
    hf_resync_init(&agent->resync, &agent->env);
    hf_sets_init(&agent->sets, &agent->env, &agent->policy);
    agent->sets.network = &agent->network;
    agent->sets.contact = &agent->contact;
    agent->sets.changed = sets_changed;
    agent->sets.happened = sets_happened;
    agent->sets.arg = agent;
    hf_images_init(&agent->images, &agent->env);
    hf_image_mirror_report(agent->params.downloads.images, images_changed, images_fetched, agent);
    agent->images.tell = images_refused;
    agent->images.arg = agent;
    hf_labeller_init(&agent->labeller, &agent->env, &agent->policy);
    hf_own_edgenode_init(&agent->own_edgenode, &agent->env);
    hf_herald_init(&agent->herald, &agent->env, &agent->view);
    hf_trail_init(&agent->trail, &agent->env, &agent->view);
    hf_follow_init(&agent->follows, &agent->env, &kept, &events);
}

static void configure_floors(struct hf_agent *agent)
{
    const struct hf_config_tpm tpm = hf_config_tpm(agent->env.config);

    hf_floor_guard_configure(agent->floors, tpm.counts_floors, tpm.tcti);
}

static int open_floors(struct hf_agent *agent, struct hf_err *err)
{
    const struct hf_agent_params *from = &agent->params;
    const struct hf_floor_guard_params params = {
        .world = agent->env.world,
        .proc = from->proc,
        .state_dir = from->home->dir,
        .roots = from->roots,
        .host_root = from->host_root,
        .uid = from->uid,
        .program = from->tpm_program,
        .changed = trust_changed,
        .arg = agent,
    };
    int r = hf_floor_guard_new(&params, &agent->floors);

    if (r < 0)
        return hf_err_sys(err, r, "guard the floors");
    agent->view.floors = agent->env.floors = agent->floors;
    configure_floors(agent);
    return 0;
}

static int prepare(struct hf_agent *agent, struct hf_err *err)
{
    int r = hf_turn_init(&agent->turn, agent->env.world.sched, run_turn, agent);

    if (r < 0)
        return hf_err_sys(err, r, "make the agent's turn");
    r = open_floors(agent, err);
    if (r < 0)
        return r;
    if ((r = hf_policy_init(&agent->policy, &agent->env)) < 0 ||
        (r = hf_planner_init(&agent->planner, &agent->env)) < 0 ||
        (r = hf_trust_watch_init(&agent->trust_watch, &agent->env, trust_changed, agent)) < 0 ||
        (r = hf_gauges_new(agent->env.world.metrics, &agent->view, &agent->gauges)) < 0)
        return hf_err_sys(err, r, "make the agent's parts");
    return 0;
}

static int open_disk(struct hf_agent *agent, struct hf_err *err)
{
    struct hf_cache *cache = NULL;
    char path[PATH_MAX];
    int r = hf_cache_open(agent->env.world.fs, hf_home_path(agent->params.home, "cache", path), &cache, err);

    if (r < 0)
        return r;
    r = hf_follow_load(&agent->follows, cache, err);
    struct hf_diskq_params params = {.world = agent->env.world, .cache = cache, .changed = disk_changed, .arg = agent};
    if (r == 0)
        agent->diskq = hf_diskq_new(&params);
    if (r == 0 && agent->diskq == NULL)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0)
        hf_cache_free(cache);
    agent->env.diskq = agent->diskq;
    return r;
}

static int meets(void *arg, const struct hf_requires *requires_, struct hf_err *err)
{
    struct hf_agent *agent = arg;

    return hf_machine_meets(&agent->machine, requires_, err);
}

static bool allows_exec(void *arg, const char *program, struct hf_err *err)
{
    const struct hf_agent *agent = arg;

    return hf_config_allows_exec(agent->env.config, program, err);
}

static bool allows_unit(void *arg, const char *unit, struct hf_err *err)
{
    const struct hf_agent *agent = arg;

    return hf_feature_has(HF_FEATURE_SYSTEMD, err) && hf_config_allows_unit(agent->env.config, unit, err);
}

static bool is_own(void *arg, const struct hf_install *install, struct hf_err *err)
{
    const struct hf_agent *agent = arg;
    char host_dir[HF_HOME_PATH + sizeof("/" HF_HOST_DIR)];
    const struct hf_own_program own = {
        .exe = agent->params.own_exe, .unit = agent->params.own_unit, .host_dir = host_dir};

    (void)snprintf(host_dir, sizeof(host_dir), "%s/" HF_HOST_DIR, agent->params.home->dir);

    return hf_own_program_is(agent->env.world.fs, &own, install, err);
}

static bool disk_critical(void *arg, const char *path, struct hf_err *err)
{
    const struct hf_agent *agent = arg;

    return hf_disks_is_critical(&agent->disks, path, err);
}

static bool disk_warned(void *arg, const char *path)
{
    const struct hf_agent *agent = arg;

    return hf_disks_is_warned(&agent->disks, path);
}

static bool names_unit(void *arg, const char *unit)
{
    const struct hf_agent *agent = arg;

    return hf_config_names_unit(agent->env.config, unit);
}

static uint64_t disk_reserve(void *arg, uint64_t disk_bytes)
{
    const struct hf_agent *agent = arg;

    return hf_config_disk_reserve_bytes(agent->env.config, disk_bytes);
}

static int open_engine(struct hf_agent *agent, struct hf_err *err)
{
    const struct hf_agent_params *from = &agent->params;
    struct hf_update_params params = {
        .world = agent->env.world,
        .http = from->http,
        .bulk_http = &agent->network.releases.ops,
        .access = from->downloads.access,
        .share = from->downloads.share,
        .proc = from->proc,
        .probe = from->probe,
        .unit = from->unit,
        .watch = from->watch,
        .state_dir = from->home->dir,
        .trust_dir = from->trust_dir,
        .roots = from->roots,
        .arch = agent->machine.facts.arch,
        .pod_mode = from->pod_mode,
        .host_root = from->host_root,
        .uid = from->uid,
        .self_unit = from->own_unit,
        .life = from->life,
        .retry_base_ns = from->retry_base_ns,
        .retry_cap_ns = agent->policy.in_effect->retry_interval_ns,
        .meets = meets,
        .disk_reserve = disk_reserve,
        .disk_critical = disk_critical,
        .disk_warned = disk_warned,
        .is_own = is_own,
        .allows_exec = allows_exec,
        .allows_unit = allows_unit,
        .names_unit = names_unit,
        .floors = agent->floors,
        .changed = engine_changed,
        .repaired = engine_repaired,
        .went_back = engine_went_back,
        .lied = engine_was_lied_to,
        .arg = agent,
    };
    if (from->update_fs != NULL)
        params.world.fs = from->update_fs;
    int r = hf_update_engine_new(&params, &agent->engine, err);

    if (r == 0)
        apply_limits(agent);

    agent->view.engine = agent->engine;
    return r;
}

/* Makes everything that a node needs to act alone, in the order in which it needs it. */
static int begin(struct hf_agent *agent, struct hf_err *err)
{
    uint64_t wait_ns;
    int r = prepare(agent, err);

    if (r == 0)
        r = open_disk(agent, err);
    if (r < 0)
        return r;
    hf_contact_init(&agent->contact, &agent->env);
    r = hf_report_init(&agent->report, &agent->env, &agent->view, err);
    if (r < 0)
        return r;
    hf_herald_load(&agent->herald);
    struct hf_now now = hf_now_read(agent->env.world.clock);
    agent->next_interval_ns = HF_NEVER;
    apply_limits(agent);
    hf_machine_read(&agent->machine);
    hf_trail_open(&agent->trail);
    choose_policy(agent); /* the disks are judged by its levels, and the bytes of a day by its budgets */
    hf_disks_begin(&agent->disks);
    hf_network_begin(&agent->network);
    read_hold(agent);
    agent->contact.staleness =
        hf_stale_judge(&agent->contact.stale, agent->policy.in_effect->stale_window_ns, now, &wait_ns);
    agent->next_interval_ns = now.mono_ns + agent->policy.in_effect->interval_ns;
    r = open_engine(agent, err);
    if (r == 0)
        r = hf_sets_open(&agent->sets, agent->machine.facts.arch, err);
    if (r < 0)
        return r;
    agent->turn.due = HF_DUE_PLAN | HF_DUE_STATUS;
    run_turn(agent);
    return hf_follow_start(&agent->follows, err);
}

int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err)
{
    _cleanup_(hf_agent_freep) struct hf_agent *agent = calloc(1, sizeof(*agent));

    if (agent == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    wire(agent, params);
    int r = begin(agent, err);
    if (r < 0)
        return r;
    hf_log(agent->env.world.log, HF_LOG_INFO, "agent.started", HF_S("node", params->node_name),
           HF_S("version", params->version), HF_S("mode", params->pod_mode ? "Pod" : "Host"),
           HF_S("arch", agent->machine.facts.arch), HF_D("cachedUpdates", agent->follows.updates.by_name.n),
           HF_S("contact", hf_staleness_name(agent->contact.staleness)));
    *ret_agent = hf_steal(agent);
    return 0;
}

/* ---- end --------------------------------------------------------------------------------------------------------- */

void hf_agent_free(struct hf_agent *agent)
{
    if (agent == NULL)
        return;
    hf_turn_end(&agent->turn);
    hf_follow_stop(&agent->follows);
    hf_update_engine_free(agent->engine);
    hf_sets_done(&agent->sets);
    hf_images_done(&agent->images);
    hf_image_mirror_report(agent->params.downloads.images, NULL, NULL, NULL);
    hf_labeller_done(&agent->labeller);
    hf_resync_done(&agent->resync);
    hf_report_done(&agent->report);
    hf_herald_done(&agent->herald);
    hf_trail_done(&agent->trail);
    hf_diskq_free(agent->diskq);
    hf_turn_done(&agent->turn);
    hf_gauges_free(agent->gauges);
    hf_planner_done(&agent->planner);
    hf_own_edgenode_done(&agent->own_edgenode);
    hf_policy_done(&agent->policy);
    hf_trust_watch_done(&agent->trust_watch);
    hf_floor_guard_free(agent->floors);
    hf_follow_done(&agent->follows);
    hf_disks_done(&agent->disks);
    hf_machine_done(&agent->machine);
    free(agent);
}

void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why)
{
    if (agent->state != RUNNING)
        return;
    agent->state = STOPPING;
    hf_contact_confirm(&agent->contact);
    hf_follow_save_resume_points(&agent->follows);
    hf_contact_save(&agent->contact);
    hf_report_stop(&agent->report, why == HF_AGENT_STOP_REQUESTED);
    hf_sequence_save(&agent->report.sequence);
    hf_disks_save(&agent->disks);
    hf_network_save(&agent->network);
    hf_trail_stop(&agent->trail);
    hf_update_engine_quiesce(agent->engine);
    finish_stop(agent);
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

void hf_agent_configure(struct hf_agent *agent, const struct hf_config *config)
{
    agent->params.config = agent->env.config = config;
    configure_floors(agent);
    if (agent->state == RUNNING)
        hf_turn_wake(&agent->turn, HF_DUE_POLICY | HF_DUE_PLAN | HF_DUE_STATUS);
}

void hf_agent_hold_changed(struct hf_agent *agent)
{
    read_hold(agent);
    hf_turn_wake(&agent->turn, 0);
}

void hf_agent_clock_changed(struct hf_agent *agent)
{
    hf_turn_wake(&agent->turn, 0);
}

void hf_agent_telemetry_changed(struct hf_agent *agent)
{
    hf_report_changed(&agent->report);
    hf_turn_wake(&agent->turn, 0);
}

void hf_agent_telemetry_sent(struct hf_agent *agent, uint64_t bytes, bool backlog)
{
    hf_network_sent(&agent->network, bytes, backlog);
}

void hf_agent_certificate_changed(struct hf_agent *agent)
{
    hf_turn_wake(&agent->turn, HF_DUE_STATUS);
}

void hf_agent_certificate_issued(struct hf_agent *agent, const char *request, const char *reason, const char *message)
{
    hf_audit_inlet_add(agent->env.audit, HF_AUDIT_CERTIFICATE_ISSUED, request, reason, message);
    hf_turn_wake(&agent->turn, 0);
}

void hf_agent_page_acted(struct hf_agent *agent, const char *subject, const char *reason, const char *message)
{
    hf_audit_inlet_add(agent->env.audit, message != NULL ? HF_AUDIT_PAGE_ACT : HF_AUDIT_PAGE_REFUSED, subject, reason,
                       message);
    hf_turn_wake(&agent->turn, 0);
}

bool hf_agent_ready(const struct hf_agent *agent)
{
    return hf_follow_knows(&agent->follows);
}

bool hf_agent_knows_policy(const struct hf_agent *agent)
{
    const struct hf_follows *follows = &agent->follows;

    return (follows->had_cache || follows->of[HF_FOLLOW_POLICIES].synced) && (agent->turn.due & HF_DUE_POLICY) == 0;
}

const char *hf_agent_source_failure(const struct hf_agent *agent)
{
    const struct hf_follow *barred = hf_follow_barred(&agent->follows);

    return barred != NULL ? barred->barred_text : NULL;
}

int hf_agent_result(const struct hf_agent *agent)
{
    const struct hf_report *report = &agent->report;

    return agent->contact.folder_failure[0] == '\0' && !agent->gave_up && report->ready && !report->waiting ? 0 : 1;
}
