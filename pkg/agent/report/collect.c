/* SPDX-License-Identifier: Apache-2.0 */
/* Fills a view of all parts for one status; the lists are fixed arrays, which hold the first entries. An update is
 * listed if the plan wants it, or if it must still reach its end. A refused object is listed if it concerns this
 * node: by the selector of the refused version, or of the older version that is in effect instead. The report of an
 * update that fails and restarts many times stays the same for a while (sync/steady.h), so that each attempt does
 * not cause a write; look_again_ns says when the report may change without an event. */
#include "agent/report/collect.h"

#include <errno.h>
#include <stdio.h>

#include "agent/desired/labeller.h"
#include "agent/desired/planner.h"
#include "agent/desired/policy.h"
#include "agent/desired/sets.h"
#include "agent/desired/site_hold.h"
#include "agent/diskq.h"
#include "agent/features.h"
#include "agent/follow/concern.h"
#include "agent/images/image_mirror.h"
#include "agent/images/images.h"
#include "agent/resources/disks.h"
#include "agent/trust/trust_watch.h"
#include "alone/alone.h"
#include "api/admission.h"
#include "update/engine.h"

enum { MAX_REFUSED = 16, MAX_NO_ROOM = 4 };

struct collection {
    struct hf_mirror_ready images;
    const struct hf_collect_params *params;
    const struct hf_agent_parts *parts;
    struct hf_update_status updates[HF_STATUS_MAX_UPDATES];
    size_t n_updates;
    struct hf_refused refused[MAX_REFUSED];
    size_t n_refused;
    struct hf_status_manifest manifests[HF_MAX_MANIFESTS];
    size_t n_manifests;
    struct hf_status_manifests judged_manifests;
    struct hf_status_disk disks[HF_STATUS_MAX_DISKS];
    size_t n_disks;
    char no_room[2][HF_READINESS_MESSAGE];
    char left_out[128];
    uint64_t look_again_ns;
};

/* The lists are large: clearing all of their room would take longer than filling them. */
static void begin(struct collection *all, const struct hf_agent_parts *parts, const struct hf_collect_params *params)
{
    all->params = params;
    all->parts = parts;
    all->n_updates = all->n_refused = all->n_manifests = all->n_disks = 0;
    all->no_room[0][0] = all->no_room[1][0] = '\0';
    all->look_again_ns = HF_NEVER;
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

static bool is_under_way(enum hf_phase phase)
{
    return phase >= HF_PHASE_SWAPPING && phase != HF_PHASE_COMMITTED && phase <= HF_PHASE_ROLLING_BACK;
}

/* Reports an update of the plan, or one that must still reach its end. Heartbeats renew details while the server takes
 * statuses; nobody reads an outbox. */
static void collect_update(void *arg, const struct hf_update_status *status)
{
    struct collection *all = arg;
    const struct hf_agent_parts *parts = all->parts;

    if ((!hf_planner_wants(parts->planner, status->name) && !is_under_way(status->phase)) ||
        all->n_updates == HF_LEN(all->updates))
        return;
    struct hf_update_status *reported = &all->updates[all->n_updates++];
    uint64_t now = hf_mono_ns(parts->env->world.clock), wait = HF_NEVER;
    uint64_t refresh = hf_follow_delivers(parts->follows) ? parts->policy->in_effect->interval_ns : HF_NEVER;
    int r = hf_steady_report(all->params->steady, status, refresh, now, reported, &wait);
    if (r == 0 && wait != HF_NEVER)
        all->look_again_ns = HF_MIN(all->look_again_ns, now + wait);
    reported->time_unix_ns = hf_contact_reported_past(parts->contact, reported->time_unix_ns);
}

static void collect_manifest(void *arg, const struct hf_manifest_status *status)
{
    struct collection *all = arg;

    if (all->n_manifests == HF_LEN(all->manifests))
        return;
    all->manifests[all->n_manifests++] = (struct hf_status_manifest){
        .name = status->name,
        .to = status->to,
        .phase = status->phase,
        .revision = status->revision,
        .digest = status->digest,
        .items = status->items,
        .drifts = status->drifts,
        .reason = status->reason,
        .message = status->message,
        .time_unix_ns = hf_contact_reported_past(all->parts->contact, status->time_unix_ns),
    };
    struct hf_status_manifest *last = &all->manifests[all->n_manifests - 1];
    if (status->when_alone && all->parts->sets->alone != NULL)
        last->alone_state = hf_alone_status(all->parts->sets->alone, status->name, &last->alone_message);
}

/* ---- refused objects --------------------------------------------------------------------------------------------- */

static void add_refused(struct collection *all, const char *kind, const char *name, const char *text)
{
    if (all->n_refused < HF_LEN(all->refused))
        all->refused[all->n_refused++] = (struct hf_refused){kind, name, text};
}

/* A refused version concerns this node if its selector matches; but if an older version is in effect, that one's
 * selector decides. */
static bool concerns(const struct hf_agent_parts *parts, const struct hf_objects *objects,
                     const struct hf_object *object)
{
    const struct hf_chosen_policy *labels = parts->policy;
    bool is_update = objects == &parts->follows->updates;

    if (object->decoded == NULL)
        return hf_objects_selects(objects, object->refused, is_update ? labels->labels : labels->own_labels);
    if (is_update)
        return hf_admission_selects(object->decoded, labels->labels);
    const struct hf_syncpolicy *policy = object->decoded;
    return hf_selector_matches(&policy->node_selector, labels->labels);
}

static void collect_refused(struct collection *all, const struct hf_objects *objects)
{
    for (size_t i = 0; i < objects->by_name.n; i++) {
        const struct hf_object *object = objects->by_name.entries[i].value;
        if (object->refused_text != NULL && concerns(all->parts, objects, object))
            add_refused(all, objects->kind->kind, objects->by_name.entries[i].key, object->refused_text);
    }
}

/* Names some of them; the text has their number. */
static void collect_no_room(struct collection *all, const struct hf_objects *objects, char *text, size_t n)
{
    (void)hf_objects_no_room_text(objects, text, n);
    for (size_t i = 0; i < objects->no_room.n && i < MAX_NO_ROOM; i++)
        add_refused(all, objects->kind->kind, objects->no_room.entries[i].key, text);
}

static void add_not_accepted(void *arg, const char *name, const char *why)
{
    add_refused(arg, "EdgeUpdate", name, why);
}

static void collect_unreadable(struct collection *all, const char *kind, const struct hf_strmap *unreadable)
{
    for (size_t i = 0; i < unreadable->n; i++)
        add_refused(all, kind, unreadable->entries[i].key, unreadable->entries[i].value);
}

/* An unreadable object may select this node. */
static void collect_failures(struct collection *all)
{
    const struct hf_agent_parts *parts = all->parts;
    const struct hf_follows *follows = parts->follows;

    if (parts->planner->failure[0] != '\0')
        add_refused(all, "Plan", parts->env->params->node_name, parts->planner->failure);
    hf_planner_each_not_accepted(parts->planner, add_not_accepted, all);
    collect_unreadable(all, "File", &follows->unreadable);
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++)
        collect_unreadable(all, follows->of[i].kind, &follows->of[i].unreadable);
}

void hf_collect_refused(const struct hf_agent_parts *parts, void (*each)(void *arg, const struct hf_refused *refused),
                        void *arg)
{
    struct collection all;

    begin(&all, parts, NULL);
    collect_refused(&all, &parts->follows->updates);
    collect_refused(&all, &parts->follows->policies);
    collect_failures(&all);
    for (size_t i = 0; i < all.n_refused; i++)
        each(arg, &all.refused[i]);
}

/* ---- the view ---------------------------------------------------------------------------------------------------- */

static void collect_disks(struct collection *all)
{
    const struct hf_disks *disks = all->parts->disks;

    for (size_t i = 0; i < disks->n && all->n_disks < HF_STATUS_MAX_DISKS; i++) {
        const struct hf_pressure_disk *disk = &disks->disks[i];
        if (disk->level == HF_DISK_OK && !(disk->missing && hf_disks_is_asked(disks, disk->path)))
            continue;
        all->disks[all->n_disks++] = (struct hf_status_disk){.path = disk->path,
                                                             .used_percent = disks->shown[i].used_percent,
                                                             .level = disk->level,
                                                             .inodes_used_percent = disks->shown[i].inodes_percent,
                                                             .missing = disk->missing,
                                                             .read_only = disk->usage.read_only,
                                                             .has_wear = disk->wear.percent >= 0,
                                                             .wear_percent = (unsigned)HF_MAX(disk->wear.percent, 0)};
    }
}

static void collect(struct collection *all)
{
    const struct hf_follows *follows = all->parts->follows;

    hf_update_engine_each(all->parts->engine, collect_update, all);
    if (all->parts->sets->engine != NULL)
        hf_manifest_engine_each(all->parts->sets->engine, collect_manifest, all);
    collect_refused(all, &follows->updates);
    collect_refused(all, &follows->policies);
    collect_no_room(all, &follows->updates, all->no_room[0], sizeof(all->no_room[0]));
    collect_no_room(all, &follows->policies, all->no_room[1], sizeof(all->no_room[1]));
    collect_failures(all);
    collect_disks(all);
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* The agent cannot read the folder of objects, or the server refuses a kind, or is out of reach. */
static void set_source_failure(const struct hf_agent_parts *parts, struct hf_status_view *view)
{
    const struct hf_follow *barred = hf_follow_barred(parts->follows);

    if (parts->contact->folder_failure[0] != '\0') {
        view->source.message = parts->contact->folder_failure;
        view->source.reason = "FolderUnreadable";
    } else if (barred != NULL) {
        view->source.message = barred->barred_text;
        view->source.reason = barred->barred == ENOENT ? "KindNotFound" : "Forbidden";
    } else if (view->contact_reason != NULL) {
        view->source.message = parts->contact->reason_text;
        view->source.reason = view->contact_reason;
    }
}

/* A clock that no time server keeps is fine while the API server confirms it. */
static enum hf_status_clock judge_clock(const struct hf_agent_parts *parts)
{
    const struct hf_contact *contact = parts->contact;

    if (contact->skew.exceeded)
        return HF_STATUS_CLOCK_BEYOND_MAX_SKEW;
    if (contact->skew.known || contact->staleness == HF_STALE_FRESH ||
        hf_clock_synchronized(&parts->env->params->home->clock))
        return HF_STATUS_CLOCK_FINE;
    return HF_STATUS_CLOCK_NOT_SYNCHRONIZED;
}

/* What the policy in effect asks for, and `make agent FEATURES=...` left out. */
static const char *judge_features(const struct hf_syncpolicy *policy, char *text, size_t n)
{
    static const char begin[] = "this agent was built without what a policy asks for:";
    const struct {
        enum hf_feature feature;
        bool asked;
    } rows[] = {{HF_FEATURE_IMAGES, policy->images.allowed != NULL || policy->images.mirror_registries[0] != NULL ||
                                        policy->images.prefetch[0] != NULL || policy->images.prefetch_workloads},
                {HF_FEATURE_MANIFESTS, policy->n_manifests > 0},
                {HF_FEATURE_SHARE, policy->share_neighbours},
                {HF_FEATURE_TELEMETRY, policy->telemetry.present}};
    size_t length = (size_t)snprintf(text, n, "%s", begin);

    for (size_t i = 0; i < HF_LEN(rows); i++)
        if (rows[i].asked && !hf_feature_has(rows[i].feature, NULL))
            length += (size_t)snprintf(text + length, n - length, " %s", hf_feature_name(rows[i].feature));
    return length > sizeof(begin) - 1 ? text : NULL;
}

static struct hf_status_view view_of(struct collection *all, const struct hf_readiness *readiness)
{
    const struct hf_agent_parts *parts = all->parts;
    const struct hf_agent_params *params = parts->env->params;
    const struct hf_chosen_policy *policy = parts->policy;
    uint64_t hold_end = parts->hold->end_unix_ns;
    struct hf_status_view view = {
        .version = params->version,
        .pod_mode = params->pod_mode,
        .once = params->once,
        .stopped = all->params->stopped,
        .staleness = parts->contact->staleness,
        .contact_reason = hf_contact_reason_name(hf_contact_reported_reason(parts->contact)),
        .clock = judge_clock(parts),
        .clock_synchronized = hf_clock_synchronized(&params->home->clock),
        .updates = all->updates,
        .n_updates = all->n_updates,
        .refused = all->refused,
        .n_refused = all->n_refused,
        .manifests = all->manifests,
        .n_manifests = all->n_manifests,
        .disks = all->disks,
        .n_disks = all->n_disks,
        .disk_pressure = {parts->disks->pressure.reason, parts->disks->pressure.text},
        .memory_pressure = {parts->disks->memory.reason, parts->disks->memory.text},
        .log_rotation = {parts->disks->logs.reason, parts->disks->logs.text},
        .hold = parts->hold->active ? &parts->hold->file : NULL,
        .hold_end_unix_ns = hold_end == HF_NEVER ? HF_NEVER : hf_contact_reported_past(parts->contact, hold_end),
        .policies = policy->set,
        .labels_refused = &policy->labels_refused,
        .config_fault = hf_config_fault(parts->env->config, 0),
        .policy_distrust = {policy->distrust, policy->distrust_text},
        .name_shared = all->params->name_shared,
        .labels = params->labels_by_controller ? policy->desired_labels : NULL,
        .failure = {.labels = or_null(parts->labeller->failure), .delivery = all->params->delivery_failure},
        .left_out = judge_features(policy->in_effect, all->left_out, sizeof(all->left_out)),
        .host_life = params->host_life,
        .images = {parts->images->finding.verified, parts->images->finding.reason, parts->images->finding.message},
        .mirror = {parts->images->hosts.verified, parts->images->hosts.reason, parts->images->hosts.message},
        .readiness = readiness,
        .observed_generation = all->params->generation,
    };

    set_source_failure(parts, &view);
    enum hf_reason floors = hf_floor_guard_ask(parts->floors, &view.floors.message);
    view.floors.reason = hf_reason_name(floors);
    if (floors == HF_R_None || floors == HF_R_FloorsPending)
        view.floors.message = NULL;
    if (params->owner.certificate_problem != NULL)
        view.certificate.message =
            params->owner.certificate_problem(params->owner.arg, &view.certificate_valid, &view.certificate.reason);
    all->images = hf_image_mirror_ready(params->downloads.images);
    if (all->images.asked)
        view.prefetch = (struct hf_status_finding){all->images.ready, all->images.reason, all->images.message};
    return view;
}

int hf_collect_status(const struct hf_collect_params *params, struct hf_readiness *ret_readiness, json_t **ret_essence,
                      uint64_t *ret_look_again_ns)
{
    const struct hf_agent_parts *parts = params->parts;
    struct collection all;
    char disk[HF_READINESS_MESSAGE];

    begin(&all, parts, params);
    collect(&all);
    *ret_look_again_ns = all.look_again_ns;
    struct hf_readiness_params judged = {.known = hf_follow_knows(parts->follows),
                                         .once = parts->env->params->once,
                                         .updates = all.updates,
                                         .n_updates = all.n_updates,
                                         .refused = all.refused,
                                         .n_refused = all.n_refused,
                                         .superseded = parts->planner->superseded,
                                         .not_admitted = parts->planner->not_admitted};
    hf_status_manifests_judge(all.manifests, all.n_manifests, &all.judged_manifests, &judged);
    hf_readiness_judge(&judged, ret_readiness);
    struct hf_status_view view = view_of(&all, ret_readiness);
    if (hf_diskq_failing(parts->env->diskq, disk, sizeof(disk)))
        view.failure.disk = disk;
    if (parts->trust_watch->stamp[0] != '\0')
        view.trusted = &parts->trust_watch->ids;
    view.failure.trust = hf_update_engine_trust_problem(parts->engine);
    uint64_t now = hf_contact_reported(parts->contact, hf_unix_ns(parts->env->world.clock));
    return hf_status_essence(&view, params->conditions, now, ret_essence);
}
