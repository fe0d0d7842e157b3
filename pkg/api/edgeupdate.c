/* SPDX-License-Identifier: Apache-2.0 */
#include "api/edgeupdate.h"

#include <errno.h>
#include <string.h>

#include "api/field/field.h"
#include "api/field/text.h"
#include "api/release.h"
#include "api/schema.h"
#include "api/zone.h"
#include "codec/sha256.h"

#define DAY_NS (86400 * HF_NS_PER_S)

/* ---- strategy ---------------------------------------------------------------------------------------------------- */

static const struct hf_field canary_fields[] = {
    HF_FIELD_SELECTOR(struct hf_edgeupdate, canary_selector, "nodeSelector", HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_edgeupdate, canary_soak_ns, "soak", NULL, 0, 30 * DAY_NS, HF_REQUIRED),
    HF_FIELD_BOOL(struct hf_edgeupdate, canary_mandatory, "mandatory", "false"),
    {0}};

static void finish_canary(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_edgeupdate *update = object;
    const json_t *selector = json_object_get(json, "nodeSelector");

    update->has_canary = true;
    if (json_is_object(selector) && json_object_size(json_object_get(selector, "matchLabels")) == 0 &&
        json_array_size(json_object_get(selector, "matchExpressions")) == 0)
        hf_decode_error_at(decode, "nodeSelector", "must not be empty: every node would be a canary");
}

static const struct hf_field wave_fields[] = {
    HF_FIELD_INTEGER(struct hf_wave, percent, "percent", NULL, 1, 100, HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_wave, soak_ns, "soak", "0", 0, 30 * DAY_NS),
    {0}};

static const struct hf_field disruption_fields[] = {
    HF_FIELD_TEXT(struct hf_edgeupdate, group_by, "groupBy", 1, 317, hf_text_is_label_key,
                  "a label key such as topology.kubernetes.io/zone", HF_REQUIRED),
    HF_FIELD_SHARE(struct hf_edgeupdate, max_unavailable, "maxUnavailable", "1", 1, HF_MAX_SHARE),
    {0}};

static void finish_disruption(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    struct hf_edgeupdate *update = object;

    update->has_disruption = true;
}

static const struct hf_field strategy_fields[] = {
    HF_FIELD_PART("canary", canary_fields, .finish = finish_canary),
    HF_FIELD_LIST(struct hf_edgeupdate, waves, n_waves, "waves", wave_fields, HF_MAX_WAVES),
    HF_FIELD_SHARE(struct hf_edgeupdate, max_failures, "maxFailures", "0", 0, HF_MAX_SHARE),
    HF_FIELD_SHARE(struct hf_edgeupdate, min_updated, "minUpdated", "50%", 1, HF_MAX_SHARE),
    HF_FIELD_DURATION(struct hf_edgeupdate, min_updated_after_ns, "minUpdatedAfter", NULL, 60 * HF_NS_PER_S,
                      30 * DAY_NS),
    HF_FIELD_DURATION(struct hf_edgeupdate, unknown_after_ns, "unknownAfter", "30m", 60 * HF_NS_PER_S, 30 * DAY_NS),
    HF_FIELD_DURATION(struct hf_edgeupdate, progress_deadline_ns, "progressDeadline", NULL, 60 * HF_NS_PER_S,
                      30 * DAY_NS),
    HF_FIELD_PART("disruption", disruption_fields, .finish = finish_disruption),
    {0}};

static void finish_strategy(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    struct hf_edgeupdate *update = object;

    update->has_strategy = true;
    for (size_t i = 1; i < update->n_waves; i++) {
        if (update->waves[i].percent > update->waves[i - 1].percent || update->waves[i].percent == 0)
            continue;
        hf_decode_error_at(decode, "waves", "percent must rise from wave to wave: %u follows %u",
                           update->waves[i].percent, update->waves[i - 1].percent);
    }
    if (update->progress_deadline_ns > 0 && update->progress_deadline_ns <= update->unknown_after_ns)
        hf_issue_warning(decode->issues, "spec.strategy.progressDeadline",
                         "not longer than unknownAfter: nodes that are away for less than unknownAfter may count as "
                         "failed when they return");
}

/* ---- spec -------------------------------------------------------------------------------------------------------- */

static void finish_spec(struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    const struct hf_edgeupdate *update = object;

    hf_signatures_finish(decode, update->signatures, update->n_signatures);
}

static const struct hf_field spec_fields[] = {
    HF_FIELD_SELECTOR(struct hf_edgeupdate, node_selector, "nodeSelector"),
    HF_FIELD_OBJECT(struct hf_edgeupdate, release, "release", hf_release_fields, .finish = hf_release_finish,
                    HF_REQUIRED),
    HF_FIELD_LIST(struct hf_edgeupdate, signatures, n_signatures, "signatures", hf_signature_fields, HF_MAX_SIGNATURES),
    HF_FIELD_PART("strategy", strategy_fields, .finish = finish_strategy),
    HF_FIELD_LIST(struct hf_edgeupdate, windows, n_windows, "windows", hf_window_fields, HF_MAX_WINDOWS,
                  .finish = hf_window_finish),
    HF_FIELD_QUANTITY(struct hf_edgeupdate, bandwidth_limit, "bandwidthLimit", 1024, 1ull << 40),
    HF_FIELD_BOOL(struct hf_edgeupdate, suspend, "suspend", "false"),
    HF_FIELD_BOOL(struct hf_edgeupdate, wait_for_images, "waitForImages", "false"),
    {0}};

const struct hf_field hf_edgeupdate_fields[] = {HF_FIELD_PART("spec", spec_fields, .finish = finish_spec, HF_REQUIRED),
                                                {0}};

/* Decodes the admission, which the controller writes. A malformed one admits nobody, but does not make the object
 * invalid. */
static void take_admission(struct hf_edgeupdate *update, const json_t *json, struct hf_issues *issues)
{
    const json_t *admission = hf_json_at(json, "status.admission");
    const char *digest = hf_json_str(admission, "digest");
    int64_t cutoff = hf_json_int_or(admission, "cutoff", 0);

    if (admission == NULL)
        return;
    if (digest == NULL || !hf_text_is_sha256(digest) || cutoff < 0 || cutoff > 10000) {
        hf_issue_warning(issues, "status.admission",
                         "expected a digest and a cutoff of 0 to 10000; this admission admits no node");
        return;
    }
    (void)snprintf(update->admission_digest, sizeof(update->admission_digest), "%s", digest);
    update->admission_cutoff = (unsigned)cutoff;
    update->admission_canary = hf_json_bool_or(admission, "canary", false);
    (void)snprintf(update->admission_selector, sizeof(update->admission_selector), "%s",
                   hf_json_str_or(admission, "selector", ""));
}

static int hash_selector(struct hf_edgeupdate *update, const json_t *selector)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);
    char hex[HF_SHA256_HEX];
    int r = selector != NULL ? hf_json_canonical(selector, &text, NULL) : hf_buf_add_str(&text, "{}");

    if (r < 0)
        return r;
    (void)hf_sha256_hex(text.p, text.n, hex);
    (void)memcpy(update->selector_hash, hex, sizeof(update->selector_hash) - 1);
    return 0;
}

int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = calloc(1, sizeof(*update));

    if (update == NULL)
        return -ENOMEM;
    update->json = json_incref(json);
    update->release.expires_unix_ns = HF_NEVER;
    int r = hf_meta_decode_object(json, "EdgeUpdate", hf_edgeupdate_fields, &update->meta, update, issues);
    take_admission(update, json, issues);
    if (r == 0)
        r = hash_selector(update, hf_json_at(json, "spec.nodeSelector"));
    if (r < 0)
        return r;
    *ret_update = hf_steal(update);
    return 0;
}

const char *hf_edgeupdate_annotation(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(hf_json_at(json, "metadata.annotations"), key));
}

bool hf_edgeupdate_is_paused(const json_t *json)
{
    const char *paused = hf_edgeupdate_annotation(json, HF_ROLLOUT_PAUSED_ANNOTATION);

    return paused != NULL && strcmp(paused, "false") != 0; /* somebody who writes "yes" wants a pause */
}

void hf_edgeupdate_free(struct hf_edgeupdate *update)
{
    if (update == NULL)
        return;
    hf_selector_done(&update->node_selector);
    hf_selector_done(&update->canary_selector);
    hf_release_done(&update->release);
    for (size_t i = 0; i < update->n_windows; i++)
        hf_zone_free(update->windows[i].zone);
    free(update->windows);
    free(update->waves);
    free(update->signatures);
    json_decref(update->json);
    free(update);
}
