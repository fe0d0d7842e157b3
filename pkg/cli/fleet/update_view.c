/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/update_view.h"

#include <stdio.h>
#include <string.h>

#include "api/conditions.h"
#include "api/edgeupdate.h"
#include "base/macros.h"

static bool is_true(const json_t *condition)
{
    return strcmp(hf_json_str_or(condition, "status", ""), "True") == 0;
}

/* ---- the stage --------------------------------------------------------------------------------------------------- */

static void name_stage(const json_t *update, struct hf_update_view *view)
{
    const char *phase = hf_json_str_or(update, "status.rollout.phase", "");
    long long wave = (long long)hf_json_int_or(update, "status.rollout.wave", hf_json_int_or(update, "status.wave", 0));
    size_t waves = json_array_size(hf_json_at(update, "spec.strategy.waves"));
    char *stage = view->stage;

    if (strcmp(phase, "Canary") == 0 || strcmp(phase, "CanarySoak") == 0)
        (void)snprintf(stage, sizeof(view->stage), "canary%s", strcmp(phase, "Canary") == 0 ? "" : " soak");
    else if (strcmp(phase, "Wave") == 0 || strcmp(phase, "WaveSoak") == 0)
        (void)snprintf(stage, sizeof(view->stage), "wave %lld/%zu%s", wave, HF_MAX(waves, (size_t)1),
                       strcmp(phase, "Wave") == 0 ? "" : " soak");
    else if (strcmp(phase, "Complete") == 0 || (!view->has_strategy && view->state == HF_VIEW_COMPLETE))
        (void)snprintf(stage, sizeof(view->stage), "complete");
    else if (!view->has_strategy)
        (void)snprintf(stage, sizeof(view->stage), "all at once");
    else if (wave > 0)
        (void)snprintf(stage, sizeof(view->stage), "wave %lld/%zu", wave, HF_MAX(waves, (size_t)1));
    else if (phase[0] != '\0')
        (void)snprintf(stage, sizeof(view->stage), "canary");
}

/* ---- the state --------------------------------------------------------------------------------------------------- */

/* The controller handles each resume once, and records its token. */
static bool resume_is_pending(const json_t *update)
{
    const char *token = hf_edgeupdate_annotation(update, HF_ROLLOUT_RESUME_ANNOTATION);

    return token != NULL && strcmp(token, hf_json_str_or(update, "status.rollout.resumed", "")) != 0;
}

static void set_state(struct hf_update_view *view, enum hf_update_view_state state, const char *reason,
                      const char *message)
{
    view->state = state;
    view->reason = reason;
    view->message = message;
}

static void read_conditions(const json_t *update, struct hf_update_view *view)
{
    const json_t *conditions = hf_json_at(update, "status.conditions");
    const json_t *ready = hf_conditions_find(conditions, "Ready"), *stalled = hf_conditions_find(conditions, "Stalled");
    const json_t *source = is_true(stalled) ? stalled : ready;
    const char *reason = hf_json_str_or(source, "reason", ""), *message = hf_json_str_or(source, "message", "");

    if (is_true(stalled) && strcmp(reason, "ObjectRefused") == 0)
        set_state(view, HF_VIEW_REFUSED, reason, message);
    else if (is_true(stalled))
        set_state(view, HF_VIEW_STALLED, reason, message);
    else if (is_true(ready))
        set_state(view, HF_VIEW_COMPLETE, reason, message);
    else if (strcmp(reason, "Paused") == 0 || strcmp(reason, "Suspended") == 0)
        set_state(view, HF_VIEW_PAUSED, reason, message);
    else
        set_state(view, HF_VIEW_PROGRESSING, reason[0] != '\0' ? reason : "Progressing", message);
}

/* The orders of operators count from the moment that they are in the object, before the controller reports them. */
static void read_state(const json_t *update, struct hf_update_view *view)
{
    int64_t generation = hf_json_int_or(update, "metadata.generation", 0);
    const char *halted = hf_edgeupdate_annotation(update, HF_ROLLOUT_HALTED_ANNOTATION);
    bool paused = hf_edgeupdate_is_paused(update);

    if (hf_conditions_find(hf_json_at(update, "status.conditions"), "Ready") == NULL ||
        hf_json_int_or(update, "status.observedGeneration", -1) != generation)
        set_state(view, HF_VIEW_UNREPORTED, "Unreported", "holdfast-controller has not reported on this spec yet");
    else
        read_conditions(update, view);
    if (view->state == HF_VIEW_REFUSED || view->state == HF_VIEW_UNREPORTED)
        return;
    if (halted != NULL && view->has_strategy)
        set_state(view, HF_VIEW_STALLED, "HaltedByOperator", halted);
    else if (view->state == HF_VIEW_STALLED && strcmp(view->reason, "HaltedByOperator") == 0)
        set_state(view, HF_VIEW_PROGRESSING, "Resuming", "the controller has not acted on the resume yet");
    else if (view->state == HF_VIEW_STALLED && view->has_strategy && resume_is_pending(update))
        set_state(view, HF_VIEW_PROGRESSING, "Resuming", "the controller has not acted on the resume yet");
    else if (view->state == HF_VIEW_PROGRESSING && paused)
        set_state(view, HF_VIEW_PAUSED, "Paused", "paused by annotation");
    else if (view->state == HF_VIEW_PAUSED && strcmp(view->reason, "Paused") == 0 && !paused)
        set_state(view, HF_VIEW_PROGRESSING, "Resuming", "the controller has not acted on the resume yet");
}

static void read_counts(const json_t *update, struct hf_update_view *view)
{
    const json_t *nodes = hf_json_at(update, "status.nodes");

    view->counted = json_is_object(nodes) && view->state != HF_VIEW_UNREPORTED;
    view->selected = hf_json_int_or(nodes, "selected", 0);
    view->admitted = hf_json_int_or(nodes, "admitted", 0);
    view->updated = hf_json_int_or(nodes, "updated", 0);
    view->updating = hf_json_int_or(nodes, "updating", 0);
    view->failed = hf_json_int_or(nodes, "failed", 0);
    view->forgiven = hf_json_int_or(update, "status.rollout.forgiven", 0);
    view->incompatible = hf_json_int_or(nodes, "incompatible", 0);
    view->unknown = hf_json_int_or(nodes, "unknown", 0);
    view->held = hf_json_int_or(nodes, "held", 0);
    view->superseded = hf_json_int_or(nodes, "superseded", 0);
}

void hf_update_view_of(const json_t *update, struct hf_update_view *ret_view)
{
    const json_t *failures = hf_json_at(update, "status.failures");
    struct hf_update_view view = {
        .name = hf_json_str_or(update, "metadata.name", ""),
        .release = hf_json_str_or(update, "spec.release.name", ""),
        .version = hf_json_str_or(update, "spec.release.version", ""),
        .sequence = hf_json_int_or(update, "spec.release.sequence", 0),
        .has_strategy = json_is_object(hf_json_at(update, "spec.strategy")),
    };

    read_state(update, &view);
    name_stage(update, &view);
    read_counts(update, &view);
    view.trouble = hf_json_at(update, "status.rollout.trouble");
    if (json_array_size(failures) > 0 && view.state != HF_VIEW_UNREPORTED)
        view.failures = failures;
    *ret_view = view;
}

const char *hf_update_view_state_name(const struct hf_update_view *view)
{
    static const char *const names[] = {
        [HF_VIEW_UNREPORTED] = "Unreported", [HF_VIEW_PROGRESSING] = "Progressing", [HF_VIEW_COMPLETE] = "Complete",
        [HF_VIEW_PAUSED] = "Paused",         [HF_VIEW_STALLED] = "Halted",          [HF_VIEW_REFUSED] = "Refused"};

    if (view->state == HF_VIEW_STALLED && !view->has_strategy)
        return "Failed";
    return names[view->state];
}

const char *hf_update_view_reason(const struct hf_update_view *view)
{
    bool progresses = view->state == HF_VIEW_PROGRESSING && strcmp(view->reason, "Progressing") == 0;

    return progresses ? hf_json_str_or(view->trouble, "reason", view->reason) : view->reason;
}

json_t *hf_update_view_json(const struct hf_update_view *view)
{
    json_t *failures = view->failures != NULL ? json_deep_copy(view->failures) : json_array();
    json_t *nodes =
        view->counted
            ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "selected", (json_int_t)view->selected,
                        "admitted", (json_int_t)view->admitted, "updated", (json_int_t)view->updated, "updating",
                        (json_int_t)view->updating, "failed", (json_int_t)view->failed, "incompatible",
                        (json_int_t)view->incompatible, "unknown", (json_int_t)view->unknown, "held",
                        (json_int_t)view->held, "superseded", (json_int_t)view->superseded)
            : json_null();

    return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:O?}", "name", view->name, "release",
                     view->release, "version", view->version, "sequence", (json_int_t)view->sequence, "state",
                     hf_update_view_state_name(view), "stage", view->stage, "reason", view->reason, "message",
                     view->message, "nodes", nodes, "failures", failures, "trouble", view->trouble);
}

bool hf_update_view_needs_person(const struct hf_update_view *view)
{
    return view->state == HF_VIEW_STALLED || view->state == HF_VIEW_REFUSED ||
           (view->counted && view->failed > view->forgiven);
}

bool hf_update_view_reached_all(const struct hf_update_view *view, bool reachable)
{
    int64_t reached = view->updated + view->incompatible + view->superseded + (reachable ? view->unknown : 0);

    return view->counted && view->selected > 0 && view->state == HF_VIEW_COMPLETE && reached >= view->selected;
}
