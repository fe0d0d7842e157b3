/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ui/row.h"

#include <string.h>

#include "api/admission.h"
#include "api/edgenode.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/fleet/node_view.h"
#include "cli/fleet/update_view.h"

enum { WORD = 128, SENTENCE = 300, DIGEST = 16, MAX_LABEL = 320, MAX_WAVES = 20, MAX_ITEMS = 20 };

/* Cuts between two characters. NULL is "". */
static json_t *text_of(const char *text, size_t max)
{
    size_t n = text != NULL ? strnlen(text, max + 1) : 0;

    if (n > max)
        for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--;
    return json_stringn(text != NULL ? text : "", n);
}

static json_t *word_at(const json_t *root, const char *path)
{
    return text_of(hf_json_str_or(root, path, ""), WORD);
}

static json_t *seconds_at(const json_t *root, const char *path)
{
    uint64_t ns;

    return json_integer(hf_parse_duration(hf_json_str_or(root, path, ""), &ns) == 0 ? (json_int_t)(ns / HF_NS_PER_S)
                                                                                    : 0);
}

/* Unix seconds; 0: none. */
static json_t *time_at(const json_t *root, const char *path)
{
    uint64_t ns = 0;

    (void)!hf_parse_time(hf_json_str_or(root, path, ""), &ns);
    return json_integer((json_int_t)(ns / HF_NS_PER_S));
}

/* ---- a node ------------------------------------------------------------------------------------------------------ */

const char *hf_ui_look_name(enum hf_ui_look look)
{
    static const char *const names[] = {
        [HF_UI_GOOD] = "good", [HF_UI_BUSY] = "busy", [HF_UI_WAIT] = "wait", [HF_UI_BAD] = "bad"};

    return names[look];
}

static enum hf_ui_look look_of_phase(const char *phase)
{
    static const char *const settled[] = {"", "Committed", "Idle", "Superseded", "Incompatible"};

    for (size_t i = 0; i < HF_LEN(settled); i++)
        if (strcmp(phase, settled[i]) == 0)
            return HF_UI_GOOD;
    return strcmp(phase, "Waiting") == 0 ? HF_UI_WAIT : HF_UI_BUSY;
}

/* Lost events, a sink that cannot even begin, and a sink that fails, whose events wait. */
static struct hf_ui_verdict of_telemetry(const json_t *telemetry)
{
    const json_t *sinks = hf_json_at(telemetry, "sinks");
    const char *trouble = json_string_value(json_array_get(hf_json_at(telemetry, "troubles"), 0));
    struct hf_ui_verdict verdict = {HF_UI_GOOD, "", "", ""};

    if (trouble != NULL)
        return (struct hf_ui_verdict){HF_UI_BAD, "SinkFails", "", trouble};
    for (size_t i = 0; i < json_array_size(sinks); i++) {
        const json_t *sink = json_array_get(sinks, i);
        const char *name = hf_json_str_or(sink, "name", ""), *breaker = hf_json_str_or(sink, "breaker", "Closed");
        if (hf_json_int_or(sink, "droppedEvents", 0) > 0)
            return (struct hf_ui_verdict){HF_UI_BAD, "EventsLost", name, ""};
        if (strcmp(breaker, "Closed") != 0)
            verdict = (struct hf_ui_verdict){HF_UI_WAIT, "SinkFails", name, hf_json_str_or(sink, "message", "")};
    }
    return verdict;
}

void hf_ui_judge(const json_t *edgenode, struct hf_ui_verdict *ret_verdict)
{
    const struct hf_ui_verdict telemetry = of_telemetry(hf_json_at(edgenode, "status.telemetry"));
    const json_t *condition = hf_node_view_trouble(edgenode);
    struct hf_node_view view;

    hf_node_view_of(edgenode, NULL, 0, &view);
    const struct hf_ui_verdict of_update = {look_of_phase(view.phase), hf_json_str_or(view.update, "reason", ""),
                                            hf_json_str_or(view.update, "name", ""),
                                            hf_json_str_or(view.update, "message", "")};
    const char *contact = hf_json_str_or(edgenode, "status.contact.state", "");
    const char *why_contact = hf_json_str_or(edgenode, "status.contact.reason", contact);

    *ret_verdict = telemetry;
    if (hf_node_view_update_failed(view.update)) {
        *ret_verdict = of_update;
        ret_verdict->look = HF_UI_BAD;
    } else if (condition != NULL) {
        *ret_verdict =
            (struct hf_ui_verdict){HF_UI_BAD, hf_json_str_or(condition, "reason", ""),
                                   hf_json_str_or(condition, "type", ""), hf_json_str_or(condition, "message", "")};
    } else if (telemetry.look == HF_UI_BAD) {
        return;
    } else if (!view.seen) {
        *ret_verdict = (struct hf_ui_verdict){HF_UI_WAIT, "NeverReported", "", ""};
    } else if (of_update.look != HF_UI_GOOD) {
        *ret_verdict = of_update;
    } else if (strcmp(contact, "Stale") == 0 || strcmp(contact, "Expired") == 0) {
        *ret_verdict = (struct hf_ui_verdict){HF_UI_WAIT, why_contact, "", ""};
    } else if (hf_json_bool_or(edgenode, "status.hold.active", false)) {
        *ret_verdict =
            (struct hf_ui_verdict){HF_UI_WAIT, "Held", "", hf_json_str_or(edgenode, "status.hold.reason", "")};
    }
}

static json_t *slot_of(const char *node, const json_t *update)
{
    const char *digest = hf_json_str_or(update, "digest", "");

    return digest[0] != '\0' ? json_integer(hf_admission_slot(node, digest)) : json_null();
}

static json_t *updates_of(const char *node, const json_t *updates)
{
    json_t *list = json_array();

    for (size_t i = 0; i < HF_MIN(json_array_size(updates), (size_t)HF_UI_MAX_UPDATES); i++) {
        const json_t *one = json_array_get(updates, i);
        json_t *item =
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "r", word_at(one, "name"), "v",
                      word_at(one, "version"), "i", word_at(one, "installedVersion"), "p", word_at(one, "phase"), "w",
                      word_at(one, "reason"), "d", text_of(hf_json_str_or(one, "digest", ""), DIGEST), "s",
                      slot_of(node, one), "t", time_at(one, "time"), "f", word_at(one, "from"));
        if (json_array_append_new(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* {"Ready": "True", ...} */
static json_t *conditions_of(const json_t *conditions)
{
    json_t *few = json_object();

    for (size_t i = 0; i < HF_MIN(json_array_size(conditions), (size_t)MAX_ITEMS); i++) {
        const char *type = hf_json_str_or(json_array_get(conditions, i), "type", "");
        if (strlen(type) <= WORD)
            (void)json_object_set_new(few, type, word_at(json_array_get(conditions, i), "status"));
    }
    return few;
}

json_t *hf_ui_row_of_node(const json_t *edgenode)
{
    const json_t *status = hf_json_at(edgenode, "status");
    uint64_t quiet_ns = hf_edgenode_silent_after_ns(hf_edgenode_interval_ns(status));
    const char *name = hf_json_str_or(edgenode, "metadata.name", "");
    struct hf_ui_verdict verdict;
    struct hf_node_view view;

    hf_ui_judge(edgenode, &verdict);
    hf_node_view_of(edgenode, NULL, 0, &view);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o}", "look", hf_ui_look_name(verdict.look),
                     "reason", text_of(verdict.reason, WORD), "what", text_of(verdict.what, WORD), "message",
                     text_of(verdict.message, SENTENCE), "seen", time_at(status, "observedTime"), "quiet",
                     (json_int_t)(quiet_ns / HF_NS_PER_S), "silent", strcmp(view.reason, "NodeSilent") == 0, "agent",
                     word_at(status, "agent.version"), "policy", word_at(status, "policy.name"), "conditions",
                     conditions_of(hf_json_at(status, "conditions")), "updates",
                     updates_of(name, hf_json_at(status, "updates")));
}

json_t *hf_ui_row_of_labels(const json_t *node)
{
    const json_t *labels = hf_json_at(node, "metadata.labels");
    json_t *few = json_object(), *value;
    const char *name = hf_json_str_or(node, "metadata.name", ""), *key;

    json_object_foreach(hf_json_mutable(labels), key, value) {
        if (!json_is_string(value) || strcmp(json_string_value(value), name) == 0 || strlen(key) > MAX_LABEL ||
            json_object_size(few) >= HF_UI_MAX_LABELS)
            continue;
        if (json_object_set_new(few, key, text_of(json_string_value(value), WORD)) < 0) {
            json_decref(few);
            return NULL;
        }
    }
    return json_pack("{s:o}", "labels", few);
}

/* ---- a rollout --------------------------------------------------------------------------------------------------- */

/* Whatever a server sends, also one without the CRD's limits. */
static json_t *bounded(const json_t *json, unsigned depth)
{
    json_t *copy = json_is_array(json) ? json_array() : json_object(), *value;
    const char *key;
    size_t i;

    if (json_is_string(json) || depth == 0) {
        json_decref(copy);
        return text_of(json_string_value(json), SENTENCE);
    }
    if (!json_is_array(json) && !json_is_object(json)) {
        json_decref(copy);
        return json != NULL ? json_deep_copy(json) : json_null();
    }
    json_array_foreach(json, i, value) {
        if (i == MAX_ITEMS)
            break;
        (void)json_array_append_new(copy, bounded(value, depth - 1));
    }
    i = 0;
    json_object_foreach(hf_json_mutable(json), key, value) {
        if (i++ < MAX_ITEMS && strlen(key) <= WORD)
            (void)json_object_set_new(copy, key, bounded(value, depth - 1));
    }
    return copy;
}

static json_t *waves_of(const json_t *strategy)
{
    const json_t *waves = hf_json_at(strategy, "waves");
    json_t *list = json_array();

    for (size_t i = 0; i < HF_MIN(json_array_size(waves), (size_t)MAX_WAVES); i++)
        (void)json_array_append_new(list,
                                    json_pack("{s:I, s:o}", "percent",
                                              (json_int_t)hf_json_int_or(json_array_get(waves, i), "percent", 100),
                                              "soak", seconds_at(json_array_get(waves, i), "soak")));
    return list;
}

/* Of the present stage. */
static json_t *soak_of(const json_t *update, int64_t wave)
{
    const json_t *strategy = hf_json_at(update, "spec.strategy"), *waves = hf_json_at(strategy, "waves");

    return wave <= 0 ? seconds_at(strategy, "canary.soak")
                     : seconds_at(json_array_get(waves, (size_t)wave - 1), "soak");
}

json_t *hf_ui_row_of_update(const json_t *edgeupdate)
{
    const json_t *rollout = hf_json_at(edgeupdate, "status.rollout"),
                 *strategy = hf_json_at(edgeupdate, "spec.strategy");
    int64_t wave = hf_json_int_or(rollout, "wave", hf_json_int_or(edgeupdate, "status.wave", 0));
    struct hf_update_view view;

    hf_update_view_of(edgeupdate, &view);
    _cleanup_(hf_json_freep) json_t *whole = hf_update_view_json(&view);
    json_t *row = whole != NULL ? bounded(whole, 4) : NULL;
    json_t *film =
        json_pack("{s:b, s:b, s:o, s:I, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "strategy", view.has_strategy, "person",
                  hf_update_view_needs_person(&view), "waves", waves_of(strategy), "wave", (json_int_t)wave, "phase",
                  word_at(rollout, "phase"), "digest", text_of(hf_json_str_or(rollout, "digest", ""), DIGEST), "slots",
                  (json_int_t)hf_json_int_or(rollout, "slots", 0), "slotsBefore",
                  (json_int_t)hf_json_int_or(rollout, "slotsBefore", 0), "soaked", seconds_at(rollout, "soaked"),
                  "soak", soak_of(edgeupdate, wave), "waitingFor", bounded(hf_json_at(rollout, "waitingFor"), 2));

    if (row == NULL || film == NULL || json_object_update_missing(row, film) < 0) {
        json_decref(row);
        row = NULL;
    }
    json_decref(film);
    return row;
}
