/* SPDX-License-Identifier: Apache-2.0 */
/* Two memories decide what needs an entry: `memory` while the log is open, filled from the log's own entries, and
 * `blind` while it is not, which only counts changes as lost. When the log opens, the entry AgentStarted says
 * whether the process before stopped in order, and a look follows, so the newest states get their entries.
 *
 * A look asks every part for its present state; nothing tells the trail of changes. Only a leap of the clock leaves
 * no state and is noticed by a count. The metric of lost entries counts those of the inlet at once, and those of the
 * log after each write. */
#include "agent/audit/trail.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/desired/policy.h"
#include "agent/desired/resync.h"
#include "agent/desired/sets.h"
#include "agent/desired/site_hold.h"
#include "agent/follow/contact.h"
#include "agent/report/collect.h"
#include "agent/trust/trust_watch.h"
#include "audit/access.h"
#include "base/format.h"
#include "config/config.h"
#include "os/file.h"

#define ALLOW_PRUNE "edge.codcompass.io/allow-prune"

enum { GROUP_FILE_MAX = 1 << 20 };

void hf_trail_init(struct hf_trail *trail, struct hf_agent_env *env, const struct hf_agent_parts *parts)
{
    struct hf_metrics *metrics = env->world.metrics;

    *trail = (struct hf_trail){.env = env, .parts = parts};
    env->audit = &trail->inlet;
    hf_audit_memory_init(&trail->memory);
    hf_audit_memory_init(&trail->blind);
    trail->blind.may_have_forgotten = true; /* the states of the first look may be old */
    trail->entries = hf_metric_family(metrics, HF_METRIC_COUNTER, "holdfast_journal_entries_total",
                                      "Entries that the agent added to the journal of this node.", HF_LABELS("kind"));
    trail->inlet.lost = hf_metric_counter(metrics, "holdfast_journal_lost_total",
                                          "Entries that the journal of this node could not take.");
}

void hf_trail_done(struct hf_trail *trail)
{
    if (trail->env == NULL)
        return;
    trail->env->audit = NULL;
    hf_audit_log_free(trail->inlet.log);
    trail->inlet.log = NULL;
    hf_audit_memory_done(&trail->memory);
    hf_audit_memory_done(&trail->blind);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The host's group: a container has groups of its own. Knows groups of the file alone. */
static gid_t find_group(const struct hf_trail *trail)
{
    const struct hf_agent_params *params = trail->env->params;
    const char *root = params->pod_mode && params->host_root != NULL ? params->host_root : "";
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(GROUP_FILE_MAX);
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/etc/group", root) >= (int)sizeof(path) ||
        hf_file_read(trail->env->world.fs, path, &text, NULL) < 0)
        return HF_AUDIT_NO_GROUP;
    return hf_audit_group_of(hf_buf_view(&text), HF_AUDIT_GROUP);
}

static void learn(void *arg, const struct hf_audit_entry *entry)
{
    struct hf_trail *trail = arg;

    hf_audit_memory_learn(&trail->memory, &entry->event);
    trail->ended_well = entry->event.kind == HF_AUDIT_AGENT_STOPPED;
}

static void added(void *arg, enum hf_audit_kind kind)
{
    const struct hf_trail *trail = arg;

    hf_metric_add(hf_metric_with(trail->entries, HF_LABELS(hf_audit_kind_name(kind))), 1);
}

static void report(struct hf_trail *trail, const char *event, int r, const struct hf_err *err)
{
    if (r < 0 && !trail->failing)
        hf_log_err(trail->env->world.log, HF_LOG_WARNING, event, "node", trail->env->params->node_name, err);
    trail->failing = r < 0;
}

static int open_log(struct hf_trail *trail, gid_t group, struct hf_err *err)
{
    char dir[PATH_MAX];
    const struct hf_audit_log_params params = {
        .fs = trail->env->world.fs,
        .clock = trail->env->world.clock,
        .dir = hf_home_path(trail->env->params->home, HF_AUDIT_FOLDER, dir),
        .boot = trail->env->params->home->boot,
        .group = group,
        .unread_ns = &trail->unread_ns,
        .added = added,
        .has = learn,
        .arg = trail,
    };

    return hf_audit_log_open(&params, &trail->inlet.log, err);
}

void hf_trail_open(struct hf_trail *trail)
{
    const struct hf_agent_params *params = trail->env->params;
    gid_t group = find_group(trail);
    struct hf_err err = HF_ERR_INIT;
    char text[128];

    trail->ended_well = true;
    trail->open_due_ns = hf_mono_ns(trail->env->world.clock) + HF_AUDIT_RETRY_NS;
    if (group != HF_AUDIT_NO_GROUP && hf_audit_let_pass(trail->env->world.fs, params->home->dir, group, &err) < 0 &&
        !trail->failing)
        hf_log_err(trail->env->world.log, HF_LOG_INFO, "journal.group_left_out", "group", HF_AUDIT_GROUP, &err);
    report(trail, "journal.not_opened", open_log(trail, group, &err), &err);
    if (trail->inlet.log == NULL)
        return;
    hf_audit_log_lose(trail->inlet.log, trail->inlet.missed);
    trail->lost_seen = trail->inlet.missed; /* the metric has them already */
    trail->config_seen = NULL;              /* the log has not seen it */
    trail->memory.may_have_forgotten = hf_audit_log_has_dropped(trail->inlet.log);
    (void)snprintf(text, sizeof(text), "version %.32s, mode %s%s", params->version, params->pod_mode ? "Pod" : "Host",
                   trail->ended_well || trail->unread_ns != 0 ? ""
                                                              : "; the process before this one did not stop in order");
    hf_audit_log_add(trail->inlet.log, HF_AUDIT_AGENT_STARTED, params->node_name, "", text);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static void add(struct hf_trail *trail, bool worth, const struct hf_audit_event *event)
{
    if (worth)
        hf_audit_inlet_add(&trail->inlet, event->kind, event->subject, event->reason, event->message);
}

static struct hf_audit_memory *memory_of(struct hf_trail *trail)
{
    return trail->inlet.log != NULL ? &trail->memory : &trail->blind;
}

static void see_update(void *arg, const struct hf_update_status *status)
{
    struct hf_trail *trail = arg;
    struct hf_audit_event event;

    add(trail, hf_audit_of_update(memory_of(trail), status, hf_mono_ns(trail->env->world.clock), &event), &event);
}

static void see_manifest(void *arg, const struct hf_manifest_status *status)
{
    struct hf_trail *trail = arg;
    const struct hf_audit_manifest manifest = {.name = status->name,
                                               .digest = status->digest,
                                               .message = status->message,
                                               .phase = status->phase,
                                               .reason = status->reason,
                                               .drifts = status->drifts};
    struct hf_audit_event event;

    add(trail, hf_audit_of_manifest(memory_of(trail), &manifest, &event), &event);
    add(trail, hf_audit_of_drift(memory_of(trail), &manifest, &event), &event);
}

static void list_others(const struct hf_policy_set *set, char others[HF_AUDIT_MESSAGE])
{
    size_t n = 0;

    others[0] = '\0';
    for (size_t i = 1; i < set->n_origins && n < HF_AUDIT_MESSAGE; i++)
        n += (size_t)snprintf(others + n, HF_AUDIT_MESSAGE - n, "%s%s@%" PRId64 "%s", i > 1 ? ", " : "",
                              set->origins[i].name, set->origins[i].generation,
                              set->origins[i].is_signed ? " (signed)" : "");
}

static void look_at_policy(struct hf_trail *trail)
{
    const struct hf_chosen_policy *chosen = trail->parts->policy;
    const struct hf_policy_set *set = chosen->set;
    const json_t *annotations = hf_json_at(set->effective->json, "metadata.annotations");
    char others[HF_AUDIT_MESSAGE];

    list_others(set, others);
    const struct hf_audit_policy state = {.name = set->n_origins > 0 ? set->origins[0].name : NULL,
                                          .generation = set->n_origins > 0 ? set->origins[0].generation : 0,
                                          .is_signed = set->n_origins > 0 && set->origins[0].is_signed,
                                          .others = others,
                                          .distrust = chosen->distrust,
                                          .distrust_text = chosen->distrust_text,
                                          .override = json_string_value(json_object_get(annotations, ALLOW_PRUNE))};
    struct hf_audit_event event;

    add(trail, hf_audit_of_policy(memory_of(trail), &state, &event), &event);
    add(trail, hf_audit_of_distrust(memory_of(trail), &state, &event), &event);
    add(trail, hf_audit_of_override(memory_of(trail), &state, &event), &event);
}

static void see_refused(void *arg, const struct hf_refused *refused)
{
    struct hf_trail *trail = arg;
    struct hf_audit_event event;

    add(trail, hf_audit_of_refused(memory_of(trail), refused, &event), &event);
}

/* Formatting takes time, and a configuration that is in effect never changes: another one is another object. */
static void look_at_configuration(struct hf_trail *trail)
{
    const struct hf_config *config = trail->env->config;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 * HF_CONFIG_MAX_BYTES);
    char digest[HF_SHA256_HEX];
    struct hf_audit_event event;

    if (config == NULL || config == trail->config_seen || hf_config_format(config, &text) < 0)
        return;
    (void)hf_sha256_hex(hf_buf_str(&text), text.n, digest);
    trail->config_seen = config;
    const struct hf_audit_configuration state = {
        .digest = digest,
        .n_faults = hf_config_n_faults(config),
        .fault = hf_config_n_faults(config) > 0 ? hf_config_fault(config, 0) : NULL,
        .summary = hf_config_requires_signed_policy(config)      ? "signed policies are required"
                   : hf_config_requires_signed_manifests(config) ? "signed manifests are required"
                                                                 : ""};
    add(trail, hf_audit_of_configuration(memory_of(trail), &state, &event), &event);
}

static void look_at_trust(struct hf_trail *trail)
{
    const struct hf_trust_watch *watch = trail->parts->trust_watch;
    struct hf_audit_event event;

    if (watch->stamp[0] != '\0')
        add(trail, hf_audit_of_trust(memory_of(trail), watch->stamp, watch->keys, &event), &event);
}

/* A process that has just started has no contact yet. */
static void look_at_contact(struct hf_trail *trail)
{
    const struct hf_contact *contact = trail->parts->contact;
    bool stale = contact->staleness != HF_STALE_FRESH;
    uint64_t last = hf_stale_contact_unix_ns(&contact->stale);
    char text[128], since[HF_TIME_TEXT];
    struct hf_audit_event event;

    if (stale && !contact->stale.this_life && contact->staleness != HF_STALE_EXPIRED)
        return;
    if (stale && last == 0 && !contact->stale.this_life)
        return;
    (void)snprintf(text, sizeof(text), "no contact with the source of desired state since %s",
                   hf_format_time(last, since));
    add(trail, hf_audit_of_contact(memory_of(trail), stale, text, &event), &event);
}

static void look_at_clock(struct hf_trail *trail)
{
    const struct hf_resync *resync = trail->parts->resync;
    uint64_t size = resync->leap_ns < 0 ? 0 - (uint64_t)resync->leap_ns : (uint64_t)resync->leap_ns;
    bool back = resync->leap_ns < 0;
    char text[96], span[HF_DURATION_TEXT];

    if (resync->leaps == trail->leaps_seen)
        return;
    trail->leaps_seen = resync->leaps;
    (void)snprintf(text, sizeof(text), "the wall clock leapt %s by %s", back ? "back" : "forward",
                   hf_format_duration(size / HF_NS_PER_S * HF_NS_PER_S, span));
    hf_audit_inlet_add(&trail->inlet, HF_AUDIT_CLOCK_LEAPT, "clock", back ? "Back" : "Forward", text);
}

void hf_trail_look(struct hf_trail *trail)
{
    const struct hf_agent_parts *parts = trail->parts;
    struct hf_audit_event event;

    memory_of(trail)->look_again_ns = HF_NEVER;
    hf_audit_memory_begin_look(memory_of(trail));
    look_at_configuration(trail);
    look_at_trust(trail);
    look_at_policy(trail);
    hf_collect_refused(parts, see_refused, trail);
    add(trail, hf_audit_of_hold(memory_of(trail), parts->hold->active, parts->hold->file.reason, &event), &event);
    look_at_contact(trail);
    look_at_clock(trail);
    if (parts->engine != NULL)
        hf_update_engine_each(parts->engine, see_update, trail);
    if (parts->sets->engine != NULL)
        hf_manifest_engine_each(parts->sets->engine, see_manifest, trail);
    trail->memory.may_have_forgotten = false;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void count_lost(struct hf_trail *trail)
{
    uint64_t lost = hf_audit_log_lost(trail->inlet.log);

    hf_metric_add(trail->inlet.lost, lost - trail->lost_seen);
    trail->lost_seen = lost;
}

void hf_trail_work(struct hf_trail *trail)
{
    struct hf_err err = HF_ERR_INIT;

    if (trail->inlet.log == NULL && hf_mono_ns(trail->env->world.clock) >= trail->open_due_ns) {
        hf_trail_open(trail);
        hf_trail_look(trail);
    }
    if (trail->inlet.log == NULL)
        return;
    if (hf_mono_ns(trail->env->world.clock) >= trail->memory.look_again_ns)
        hf_trail_look(trail);
    report(trail, "journal.not_written", hf_audit_log_work(trail->inlet.log, &err), &err);
    count_lost(trail);
}

uint64_t hf_trail_wait_until_ns(const struct hf_trail *trail)
{
    return trail->inlet.log == NULL ? trail->open_due_ns
                                    : HF_MIN(hf_audit_log_due_ns(trail->inlet.log), trail->memory.look_again_ns);
}

void hf_trail_stop(struct hf_trail *trail)
{
    struct hf_err err = HF_ERR_INIT;

    if (trail->inlet.log == NULL)
        return;
    hf_audit_log_add(trail->inlet.log, HF_AUDIT_AGENT_STOPPED, trail->env->params->node_name, "", "");
    report(trail, "journal.not_written", hf_audit_log_end(trail->inlet.log, &err), &err);
    count_lost(trail);
}

struct hf_status_journal hf_trail_status(const struct hf_trail *trail, char hash[HF_AUDIT_SUM + 1])
{
    struct hf_status_journal journal = {.last_hash = hash};

    hash[0] = '\0';
    if (trail->inlet.log == NULL)
        return journal;
    struct hf_audit_head head = hf_audit_log_head(trail->inlet.log);
    (void)snprintf(hash, HF_AUDIT_SUM + 1, "%.*s", HF_AUDIT_SUM, head.hash);
    journal.present = head.entries > 0;
    journal.entries = head.entries;
    return journal;
}
