/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/conditions.h"
#include "api/meta.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/parse.h"

enum { MAX_REASON = 128, MAX_MESSAGE = 256 };

static json_t *object_of(const char *kind, const char *name, const char *resource_version)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", HF_API_GROUP_VERSION, "kind", kind, "metadata", "name",
                     name, "resourceVersion", resource_version);
}

static int put(json_t *object, const char *key, json_t *value)
{
    return value == NULL || json_object_set_new(object, key, value) < 0 ? -1 : 0;
}

static int copy(json_t *object, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    return value == NULL ? 0 : json_object_set(object, key, value);
}

static json_t *text_up_to(const char *text, size_t max)
{
    return json_stringn(text, strlen(text) > max ? hf_utf8_prefix(text, max) : strlen(text));
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static int set_condition(json_t *conditions, const struct hf_rollout_status *status, const char *type, bool is_true)
{
    const json_t *old = hf_conditions_find(json_object_get(status->old, "conditions"), type);
    struct hf_condition condition = {type, is_true ? "True" : "False", status->verdict->reason,
                                     status->verdict->message, status->generation};
    _cleanup_(hf_json_freep) json_t *carried = NULL;

    /* The old entry brings the time of the last transition. */
    if (old != NULL && (carried = json_deep_copy(old)) != NULL && json_array_append(conditions, carried) < 0)
        return -1;
    return hf_conditions_set(conditions, &condition, status->now_unix_ns);
}

/* Reconciling and Stalled exist only while they are true, as kstatus wants it. */
static json_t *make_conditions(const struct hf_rollout_status *status)
{
    json_t *conditions = json_array();
    int r = conditions == NULL ? -1 : set_condition(conditions, status, "Ready", status->verdict->ready);

    if (r == 0 && status->verdict->reconciling)
        r = set_condition(conditions, status, "Reconciling", true);
    if (r == 0 && status->verdict->stalled)
        r = set_condition(conditions, status, "Stalled", true);
    if (r == 0)
        return conditions;
    json_decref(conditions);
    return NULL;
}

/* ---- the status of an EdgeUpdate --------------------------------------------------------------------------------- */

static json_t *make_counts(const struct hf_rollout_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "selected", (json_int_t)counts->selected,
                     "admitted", (json_int_t)counts->admitted, "updated", (json_int_t)counts->updated, "updating",
                     (json_int_t)counts->updating, "failed", (json_int_t)counts->failed, "incompatible",
                     (json_int_t)counts->incompatible, "unknown", (json_int_t)counts->unknown, "held",
                     (json_int_t)counts->held, "superseded", (json_int_t)counts->superseded);
}

static json_t *make_failure(const struct hf_rollout_failure *failure)
{
    return json_pack("{s:s, s:o, s:o}", "node", failure->node, "reason", text_up_to(failure->reason, MAX_REASON),
                     "message", text_up_to(failure->message, MAX_MESSAGE));
}

static json_t *make_failures(const struct hf_rollout_status *status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < status->n_failures && list != NULL; i++) {
        json_t *item = make_failure(&status->failures[i]);
        if (item == NULL || json_array_append_new(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *make_admission(const struct hf_rollout_status *status)
{
    const struct hf_rollout_decision *decision = status->decision;
    const json_t *old = json_object_get(status->old, "admission");
    int cutoff = (int)decision->admission_cutoff;
    bool canary = decision->admission_canary;

    if (status->claim != HF_ROLLOUT_NO_CLAIM) {
        bool keep = status->claim == HF_ROLLOUT_TAKES_OVER &&
                    strcmp(hf_json_str_or(old, "digest", ""), decision->state.digest) == 0;
        cutoff = keep ? (int)hf_json_int_or(old, "cutoff", 0) : 0;
        canary = keep && hf_json_bool_or(old, "canary", false);
    }
    return json_pack("{s:s, s:i, s:b, s:s}", "digest", decision->state.digest, "cutoff", cutoff, "canary", canary,
                     "selector", decision->state.selector);
}

static json_t *make_rollout(const struct hf_rollout_status *status)
{
    json_t *rollout = hf_rollout_state_encode(&status->decision->state, status->decision->phase);
    json_t *names = status->n_waiting_for > 0 ? json_array() : NULL;

    for (size_t i = 0; i < status->n_waiting_for; i++)
        if (json_array_append_new(names, json_string(status->waiting_for[i])) < 0) {
            json_decref(names);
            json_decref(rollout);
            return NULL;
        }
    int r = names != NULL ? json_object_set_new(rollout, "waitingFor", names) : 0;
    if (r == 0 && status->trouble.node != NULL)
        r = json_object_set_new(rollout, "trouble", make_failure(&status->trouble));
    if (r == 0)
        return rollout;
    json_decref(rollout);
    return NULL;
}

static int fill_old(json_t *to, const struct hf_rollout_status *status)
{
    static const char *const keys[] = {"admission", "wave", "nodes", "rollout", "failures"};

    for (size_t i = 0; i < HF_LEN(keys); i++)
        if (copy(to, status->old, keys[i]) < 0)
            return -1;
    return 0;
}

static int fill(json_t *to, const struct hf_rollout_status *status)
{
    int r = put(to, "nodes", make_counts(status->counts));

    if (r == 0 && status->n_failures > 0)
        r = put(to, "failures", make_failures(status));
    if (status->decision == NULL || r < 0)
        return r;
    r = put(to, "admission", make_admission(status));
    if (r == 0)
        r = put(to, "wave", json_integer(status->decision->state.wave));
    return r == 0 ? put(to, "rollout", make_rollout(status)) : r;
}

json_t *hf_rollout_status_make(const struct hf_rollout_status *status)
{
    json_t *body = object_of("EdgeUpdate", status->name, status->resource_version), *to = json_object();
    int r = body == NULL || to == NULL ? -1 : 0;

    if (r == 0 && status->generation > 0)
        r = put(to, "observedGeneration", json_integer(status->generation));
    if (r == 0)
        r = status->counts == NULL ? fill_old(to, status) : fill(to, status);
    if (r == 0)
        r = put(to, "conditions", make_conditions(status));
    if (r == 0 && json_object_set(body, "status", to) < 0)
        r = -1;
    json_decref(to);
    if (r == 0)
        return body;
    json_decref(body);
    return NULL;
}

/* ---- comparison -------------------------------------------------------------------------------------------------- */

static bool same(const json_t *a, const json_t *b, const char *path)
{
    json_t *x = hf_json_mutable(hf_json_at(a, path)), *y = hf_json_mutable(hf_json_at(b, path));

    return (x == NULL) == (y == NULL) && (x == NULL || json_equal(x, y));
}

static bool same_state(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {
        "observedGeneration",  "admission.digest", "admission.cutoff", "admission.canary", "wave",
        "rollout.digest",      "rollout.phase",    "rollout.wave",     "rollout.cutoff",   "rollout.slots",
        "rollout.slotsBefore", "rollout.forgiven", "rollout.resumed",  "rollout.epoch",    "rollout.reason",
        "rollout.settledWave", "rollout.startTime"};

    for (size_t i = 0; i < HF_LEN(keys); i++)
        if (!same(a, b, keys[i]))
            return false;
    /* Where the cluster's definition of EdgeUpdate is older, the API server drops the field. */
    return hf_json_at(b, "admission.selector") == NULL || same(a, b, "admission.selector");
}

/* With `whole`, also the words. A reason alone is not urgent: what agents and operators act on, a halt or a phase, is
 * in the status of a condition or in `rollout`, too. */
static bool same_conditions(const json_t *a, const json_t *b, bool whole)
{
    static const char *const types[] = {"Ready", "Reconciling", "Stalled"};
    static const char *const keys[] = {"status", "observedGeneration"}, *const words[] = {"reason", "message"};

    for (size_t i = 0; i < HF_LEN(types); i++) {
        const json_t *x = hf_conditions_find(json_object_get(a, "conditions"), types[i]),
                     *y = hf_conditions_find(json_object_get(b, "conditions"), types[i]);
        if ((x == NULL) != (y == NULL))
            return false;
        for (size_t k = 0; k < HF_LEN(keys) && x != NULL; k++)
            if (!same(x, y, keys[k]))
                return false;
        for (size_t k = 0; k < HF_LEN(words) && x != NULL && whole; k++)
            if (!same(x, y, words[k]))
                return false;
    }
    return true;
}

static uint64_t time_at(const json_t *status, const char *path)
{
    uint64_t ns = 0;

    return hf_parse_duration(hf_json_str_or(status, path, "0"), &ns) == 0 ? ns : 0;
}

static bool moved_on(const json_t *status, const json_t *old, const char *path, uint64_t step_ns)
{
    uint64_t ours = time_at(status, path), theirs = time_at(old, path);

    return step_ns != HF_NEVER && (ours < theirs || ours - theirs >= step_ns);
}

enum hf_rollout_urgency hf_rollout_status_compare(const json_t *body, const json_t *old, uint64_t soaked_step_ns,
                                                  uint64_t waited_step_ns)
{
    const json_t *status = json_object_get(body, "status");

    if (!same_state(status, old) || !same_conditions(status, old, false))
        return HF_ROLLOUT_URGENT;
    if (!same(status, old, "nodes") || !same(status, old, "failures") || !same(status, old, "rollout.waitingFor") ||
        !same(status, old, "rollout.trouble") || !same_conditions(status, old, true) ||
        moved_on(status, old, "rollout.soaked", soaked_step_ns) ||
        moved_on(status, old, "rollout.waited", waited_step_ns))
        return HF_ROLLOUT_SLOW;
    return HF_ROLLOUT_SAME;
}

/* ---- EdgeNodes --------------------------------------------------------------------------------------------------- */

static json_t *edgenode(const struct hf_fleet_node *node)
{
    char version[24];

    (void)snprintf(version, sizeof(version), "%" PRIu64, node->version.shown);
    return object_of("EdgeNode", node->name, version);
}

json_t *hf_rollout_turns_make(const struct hf_fleet_node *node, uint64_t epoch, const struct hf_fleet_turns *turns)
{
    json_t *body = edgenode(node), *list = json_array();
    int r = body == NULL || list == NULL ? -1 : 0;

    for (size_t i = 0; turns != NULL && i < turns->n && r == 0; i++)
        r = json_array_append_new(
            list, json_pack("{s:s, s:s}", "release", turns->turns[i].release, "digest", turns->turns[i].digest));
    if (r == 0)
        r = put(body, "spec", json_pack("{s:I, s:O}", "epoch", (json_int_t)epoch, "turns", list));
    json_decref(list);
    if (r == 0)
        return body;
    json_decref(body);
    return NULL;
}

json_t *hf_rollout_silent_make(const struct hf_fleet_node *node, uint64_t silent_s, uint64_t now_unix_ns)
{
    char age[HF_DURATION_TEXT], text[200];
    json_t *body = edgenode(node), *conditions = json_array();
    struct hf_condition ready = {"Ready", "Unknown", "NodeSilent", text, 0};
    int r = body == NULL || conditions == NULL ? -1 : 0;

    (void)snprintf(text, sizeof(text),
                   "the agent has sent no report for %s: the node is off, cut off from the API server, or its agent "
                   "does not run",
                   hf_format_duration(silent_s / 60 * 60 * HF_NS_PER_S, age));
    if (r == 0)
        r = hf_conditions_set(conditions, &ready, now_unix_ns);
    if (r == 0)
        r = put(body, "status", json_pack("{s:O, s:{s:s}}", "conditions", conditions, "contact", "state", "Silent"));
    json_decref(conditions);
    if (r == 0)
        return body;
    json_decref(body);
    return NULL;
}
