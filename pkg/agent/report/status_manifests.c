/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/status_manifests.h"

#include <stdio.h>
#include <string.h>

#include "agent/report/status.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/macros.h"

enum { SHOWN_DIGEST = 12 };

struct manifest_row {
    json_t *json;
    bool failed;
};

static void put(struct manifest_row *entry, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new_nocheck(entry->json, key, value) < 0)
        entry->failed = true;
}

/* Cuts the text after at most `max` bytes, between two characters, and before an invalid one. */
static void put_text(struct manifest_row *entry, const char *key, const char *text, size_t max)
{
    size_t n = text != NULL ? hf_utf8_prefix(text, HF_MIN(strlen(text), max)) : 0;

    if (n > 0)
        put(entry, key, json_stringn(text, n));
}

static void put_number(struct manifest_row *entry, const char *key, uint64_t number)
{
    put(entry, key, json_integer((json_int_t)number));
}

/* Without trouble an entry is short. */
static bool is_good_news(enum hf_manifest_reason reason)
{
    return reason == HF_MANIFEST_REASON_NONE || reason == HF_MANIFEST_REASON_APPLIED ||
           reason == HF_MANIFEST_REASON_HEALTH_PASSED;
}

static void put_alone(struct manifest_row *entry, const struct hf_status_manifest *manifest)
{
    struct manifest_row alone = {.json = json_object()};

    if (manifest->alone_state == NULL) {
        json_decref(alone.json);
        return;
    }
    alone.failed = alone.json == NULL;
    put_text(&alone, "state", manifest->alone_state, 16);
    put_text(&alone, "message", manifest->alone_message, 256);
    put(entry, "alone", alone.json);
    entry->failed = entry->failed || alone.failed;
}

static void put_entry(struct manifest_row *entry, const struct hf_status_manifest *manifest)
{
    bool is_applied = manifest->phase == HF_MANIFEST_APPLIED;
    char time[HF_TIME_TEXT];

    put_text(entry, "name", manifest->name, 63);
    put_text(entry, "to", hf_manifest_target_names[manifest->to], 16);
    put_text(entry, "phase", hf_manifest_phase_name(manifest->phase), 32);
    put_text(entry, "revision", manifest->revision, 128);
    put_text(entry, "digest", manifest->digest, SHOWN_DIGEST);
    put_number(entry, "items", manifest->items);
    if (manifest->drifts > 0)
        put_number(entry, "drifts", manifest->drifts);
    if (!is_applied || manifest->reason != HF_MANIFEST_REASON_APPLIED)
        put_text(entry, "reason", hf_manifest_reason_name(manifest->reason), 128);
    if (!is_applied || !is_good_news(manifest->reason))
        put_text(entry, "message", manifest->message, HF_STATUS_MAX_MESSAGE);
    if (manifest->time_unix_ns != 0 && manifest->time_unix_ns != HF_NEVER)
        put_text(entry, "time", hf_format_time(manifest->time_unix_ns, time), sizeof(time));
    put_alone(entry, manifest);
}

json_t *hf_status_manifests_list(const struct hf_status_manifest *manifests, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < HF_MIN(n, (size_t)HF_MAX_MANIFESTS); i++) {
        struct manifest_row entry = {.json = json_object()};
        entry.failed = entry.json == NULL;
        put_entry(&entry, &manifests[i]);
        if (entry.failed || json_array_append(list, entry.json) < 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(entry.json);
    }
    return list;
}

/* An applied entry whose files or objects the node can no longer keep as they should be: it tries to repair them, and
 * fails. A source that is away, or a wait, leaves good content in place. */
static bool is_trouble(enum hf_manifest_reason reason)
{
    switch (reason) {
    case HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM:
    case HF_MANIFEST_REASON_NO_SPACE:
    case HF_MANIFEST_REASON_WRITE_FAILED:
    case HF_MANIFEST_REASON_RESTART_FAILED:
    case HF_MANIFEST_REASON_TARGET_MISSING:
    case HF_MANIFEST_REASON_IMMUTABLE:
    case HF_MANIFEST_REASON_CONFLICT:
        return true;
    default:
        return false;
    }
}

void hf_status_manifests_judge(const struct hf_status_manifest *manifests, size_t n,
                               struct hf_status_manifests *ret_judged, struct hf_readiness_params *params)
{
    struct hf_status_manifests *judged = ret_judged;
    char text[HF_READINESS_NAMES / 2];

    *judged = (struct hf_status_manifests){.n_failed = 0};
    for (size_t i = 0; i < n; i++) {
        const struct hf_status_manifest *manifest = &manifests[i];
        const char *reason = hf_manifest_reason_name(manifest->reason);
        bool is_failed = manifest->phase == HF_MANIFEST_REFUSED || manifest->phase == HF_MANIFEST_ROLLED_BACK;
        bool is_applied = manifest->phase == HF_MANIFEST_APPLIED;
        if (is_applied && !is_trouble(manifest->reason))
            continue;
        (void)snprintf(text, sizeof(text), "%s: %s", manifest->name,
                       reason[0] != '\0' ? reason : hf_manifest_phase_name(manifest->phase));
        if (is_applied) {
            hf_readiness_names_add(&judged->troubled, text);
            params->manifests_trouble = judged->n_troubled++ == 0 ? reason : params->manifests_trouble;
            continue;
        }
        hf_readiness_names_add(is_failed ? &judged->failed : &judged->pending, text);
        *(is_failed ? &judged->n_failed : &judged->n_pending) += 1;
    }
    params->manifests_troubled = judged->n_troubled > 0 ? hf_readiness_names_text(&judged->troubled) : NULL;
    params->manifests_failed = judged->n_failed > 0 ? hf_readiness_names_text(&judged->failed) : NULL;
    params->manifests_pending = judged->n_pending > 0 ? hf_readiness_names_text(&judged->pending) : NULL;
}
