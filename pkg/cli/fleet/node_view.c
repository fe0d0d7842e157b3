/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/node_view.h"

#include <string.h>

#include "api/conditions.h"
#include "api/edgenode.h"
#include "api/field/nearest.h"
#include "api/update/reason.h"
#include "base/clock.h"
#include "base/parse.h"

/* All phases of an update, and how much attention they need. */
static const struct {
    const char *name;
    unsigned attention;
} phases[] = {
    {"RolledBack", 9}, {"Rejected", 9},  {"RollingBack", 8}, {"Swapping", 6}, {"Probation", 6},
    {"Verified", 5},   {"Patching", 5},  {"Fetching", 5},    {"Waiting", 4},  {"Incompatible", 3},
    {"Superseded", 2}, {"Committed", 1}, {"Idle", 0},
};

static unsigned attention(const char *phase)
{
    for (size_t i = 0; i < HF_LEN(phases); i++)
        if (strcmp(phase, phases[i].name) == 0)
            return phases[i].attention;
    return 4; /* a phase of a newer agent */
}

bool hf_node_view_update_failed(const json_t *update)
{
    return hf_reason_is_failure(hf_phase_of(hf_json_str_or(update, "phase", "")),
                                hf_reason_of(hf_json_str_or(update, "reason", "")));
}

/* The conditions that do not resolve by themselves. */
static const struct {
    const char *type, *status;
} wrong[] = {{"Stalled", "True"},        {"SourceReadable", "False"},         {"StatusDelivered", "False"},
             {"PolicyTrusted", "False"}, {"PolicyConflict", "True"},          {"ConfigurationValid", "False"},
             {"StateWritable", "False"}, {"TrustFolderSafe", "False"},        {"FloorsKnown", "False"},
             {"NodeNameShared", "True"}, {"ClientCertificateValid", "False"}, {"FeaturesPresent", "False"}};

const json_t *hf_node_view_trouble(const json_t *node)
{
    const json_t *conditions = hf_json_at(node, "status.conditions");

    for (size_t i = 0; i < HF_LEN(wrong); i++) {
        const json_t *condition = hf_conditions_find(conditions, wrong[i].type);
        if (strcmp(hf_json_str_or(condition, "status", ""), wrong[i].status) == 0)
            return condition;
    }
    return NULL;
}

bool hf_node_view_needs_person(const json_t *node)
{
    const json_t *updates = hf_json_at(node, "status.updates");

    if (hf_node_view_trouble(node) != NULL)
        return true;
    for (size_t i = 0; i < json_array_size(updates); i++)
        if (hf_node_view_update_failed(json_array_get(updates, i)))
            return true;
    return false;
}

const char *hf_node_view_phase_find(const char *typed, const char **ret_near)
{
    struct hf_nearest nearest = {.typed = typed};

    for (size_t i = 0; i < HF_LEN(phases); i++) {
        if (strcasecmp(typed, phases[i].name) == 0)
            return phases[i].name;
        hf_nearest_try(&nearest, phases[i].name);
    }
    *ret_near = nearest.best;
    return NULL;
}

void hf_node_view_phases(void (*take)(void *arg, const char *name), void *arg)
{
    for (size_t i = 0; i < HF_LEN(phases); i++)
        take(arg, phases[i].name);
}

static const json_t *choose(const json_t *updates, const char *release)
{
    const json_t *best = NULL;

    for (size_t i = 0; i < json_array_size(updates); i++) {
        const json_t *update = json_array_get(updates, i);
        if (release != NULL && strcmp(hf_json_str_or(update, "name", ""), release) != 0)
            continue;
        if (best == NULL ||
            attention(hf_json_str_or(update, "phase", "")) > attention(hf_json_str_or(best, "phase", "")))
            best = update;
    }
    return best;
}

static void read_ready(const json_t *node, struct hf_node_view *view)
{
    const json_t *ready = hf_conditions_find(hf_json_at(node, "status.conditions"), "Ready");

    view->ready = hf_json_str_or(ready, "status", "");
    view->reason = hf_json_str_or(ready, "reason", "");
}

static void read_age(const json_t *node, uint64_t now_unix_ns, struct hf_node_view *view)
{
    uint64_t observed = 0, interval = hf_edgenode_interval_ns(hf_json_at(node, "status"));

    view->seen = hf_parse_time(hf_json_str_or(node, "status.observedTime", ""), &observed) == 0 && observed != 0;
    view->age_ns = view->seen ? now_unix_ns - HF_MIN(observed, now_unix_ns) : 0;
    view->silent =
        !view->seen || view->age_ns > hf_edgenode_silent_after_ns(interval) || strcmp(view->reason, "NodeSilent") == 0;
    if (view->silent && view->seen) { /* what the last report said is not true now */
        view->ready = "Unknown";
        view->reason = "NodeSilent";
        view->contact = "Silent";
    }
}

void hf_node_view_of(const json_t *node, const char *release, uint64_t now_unix_ns, struct hf_node_view *ret_view)
{
    struct hf_node_view view = {
        .name = hf_json_str_or(node, "metadata.name", ""),
        .ready = "",
        .reason = "",
        .contact = hf_json_str_or(node, "status.contact.state", ""),
        .update = choose(hf_json_at(node, "status.updates"), release),
    };

    read_ready(node, &view);
    read_age(node, now_unix_ns, &view);
    view.phase = hf_json_str_or(view.update, "phase", "");
    *ret_view = view;
}
