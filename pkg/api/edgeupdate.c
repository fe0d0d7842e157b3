#include "api/edgeupdate.h"

#include <errno.h>
#include <string.h>

#include "api/field.h"
#include "api/release.h"
#include "api/schema.h"
#include "api/text.h"
#include "api/zone.h"

#define DAY_NS (86400 * HF_NS_PER_S)

/* ---- strategy -------------------------------------------------------------------------------------------------------- */

static const struct hf_field canary_fields[] = {
    HF_FIELD_SELECTOR(struct hf_edgeupdate, canary_selector, "nodeSelector", HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_edgeupdate, canary_soak_ns, "soak", NULL, 0, 30 * DAY_NS, HF_REQUIRED),
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

static const struct hf_field strategy_fields[] = {
    HF_FIELD_PART("canary", canary_fields, .finish = finish_canary),
    HF_FIELD_LIST(struct hf_edgeupdate, waves, n_waves, "waves", wave_fields, HF_MAX_WAVES),
    {.name = "maxFailures",
     .kind = HF_KIND_PERCENT,
     HF_FIELD_SLOT(struct hf_edgeupdate, max_failures),
     .fallback = "0%"},
    HF_FIELD_DURATION(struct hf_edgeupdate, unknown_after_ns, "unknownAfter", "30m", 60 * HF_NS_PER_S, 30 * DAY_NS),
    {0}};

static void finish_strategy(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_edgeupdate *update = object;

    (void)json;
    update->has_strategy = true;
    for (size_t i = 1; i < update->n_waves; i++) {
        if (update->waves[i].percent > update->waves[i - 1].percent || update->waves[i].percent == 0)
            continue;
        hf_decode_error_at(decode, "waves", "percent must rise from wave to wave, %u does not follow %u",
                           update->waves[i].percent, update->waves[i - 1].percent);
    }
}

/* ---- windows --------------------------------------------------------------------------------------------------------- */

static void decode_days(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    unsigned days = 0;
    char shown[HF_VALUE_TEXT];

    (void)field;
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > HF_LEN(names)) {
        hf_decode_error(decode, "expected a list of 1 to 7 days, got %s", hf_decode_describe(value, shown));
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));
        size_t before = hf_decode_enter(decode, NULL, i), day = 0;

        while (day < HF_LEN(names) && (name == NULL || strcmp(name, names[day]) != 0))
            day++;
        if (day == HF_LEN(names))
            hf_decode_error(decode, "expected one of Mon Tue Wed Thu Fri Sat Sun, got %s",
                            hf_decode_describe(json_array_get(value, i), shown));
        else if ((days >> day & 1) != 0)
            hf_decode_error(decode, "%s is there twice", name);
        days |= day < HF_LEN(names) ? 1u << day : 0;
        hf_decode_leave(decode, before);
    }
    *(unsigned *)slot = days;
}

static void decode_start(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = json_string_value(value);
    char shown[HF_VALUE_TEXT];

    (void)field;
    if (text == NULL || !hf_text_is_clock_time(text)) {
        hf_decode_error(decode, "expected a time such as \"02:00\", got %s", hf_decode_describe(value, shown));
        return;
    }
    *(unsigned *)slot =
        (unsigned)(((text[0] - '0') * 10 + text[1] - '0') * 3600 + ((text[3] - '0') * 10 + text[4] - '0') * 60);
}

const struct hf_field hf_window_fields[] = {
    {.name = "days", .kind = HF_KIND_OTHER, HF_FIELD_SLOT(struct hf_window, days), .decode = decode_days},
    {.name = "start",
     .kind = HF_KIND_OTHER,
     HF_FIELD_SLOT(struct hf_window, start_s),
     .decode = decode_start,
     HF_REQUIRED},
    HF_FIELD_DURATION(struct hf_window, duration_ns, "duration", NULL, 60 * HF_NS_PER_S, HF_MAX_WINDOW_NS, HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_window, time_zone, "timeZone", 1, 64, hf_text_is_time_zone,
                  "a time zone such as Europe/Berlin", .fallback = "UTC"),
    {0}};

void hf_window_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_window *window = object;
    int r = 0;

    if (json_object_get(json, "days") == NULL)
        window->days = 0x7f;
    if (window->time_zone != NULL)
        r = hf_zone_load(window->time_zone, &window->zone, NULL);
    if (r == -ENOMEM)
        decode->out_of_memory = true;
    else if (r < 0)
        hf_decode_error_at(decode, "timeZone", "time zone '%s' is not known on this machine", window->time_zone);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static const struct hf_field signature_fields[] = {
    HF_FIELD_TEXT(struct hf_signature, key_id, "keyId", 1, 63, hf_text_is_key_id,
                  "a key id of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_signature, signature, "signature", 1, 88, hf_text_is_signature,
                  "the base64 of an ed25519 signature (88 characters)", HF_REQUIRED),
    {0}};

static void finish_spec(struct hf_decode *decode, void *object, json_t *json)
{
    const struct hf_edgeupdate *update = object;

    (void)json;
    for (size_t i = 1; i < update->n_signatures; i++)
        for (size_t k = 0; k < i; k++)
            if (update->signatures[i].key_id != NULL && update->signatures[k].key_id != NULL &&
                strcmp(update->signatures[i].key_id, update->signatures[k].key_id) == 0)
                hf_decode_error_at(decode, "signatures", "key %s is there twice", update->signatures[i].key_id);
}

static const struct hf_field spec_fields[] = {
    HF_FIELD_SELECTOR(struct hf_edgeupdate, node_selector, "nodeSelector"),
    HF_FIELD_OBJECT(struct hf_edgeupdate, release, "release", hf_release_fields, .finish = hf_release_finish,
                    HF_REQUIRED),
    HF_FIELD_LIST(struct hf_edgeupdate, signatures, n_signatures, "signatures", signature_fields, HF_MAX_SIGNATURES),
    HF_FIELD_PART("strategy", strategy_fields, .finish = finish_strategy),
    HF_FIELD_LIST(struct hf_edgeupdate, windows, n_windows, "windows", hf_window_fields, HF_MAX_WINDOWS,
                  .finish = hf_window_finish),
    HF_FIELD_QUANTITY(struct hf_edgeupdate, bandwidth_limit, "bandwidthLimit", 1024, 1ull << 40),
    HF_FIELD_BOOL(struct hf_edgeupdate, suspend, "suspend", "false"),
    {0}};

const struct hf_field hf_edgeupdate_fields[] = {HF_FIELD_PART("spec", spec_fields, .finish = finish_spec, HF_REQUIRED),
                                                {0}};

/* The controller's word. One that makes no sense admits nobody, but does not make the object wrong. */
static void take_admission(struct hf_edgeupdate *update, const json_t *json, struct hf_issues *issues)
{
    const json_t *admission = hf_json_at(json, "status.admission");
    const char *digest = hf_json_str(admission, "digest");
    int64_t cutoff = hf_json_int_or(admission, "cutoff", 0);

    if (admission == NULL)
        return;
    if (digest == NULL || !hf_text_is_sha256(digest) || cutoff < 0 || cutoff > 10000) {
        hf_issue_warning(issues, "status.admission", "no digest with a cutoff of 0 to 10000: admits nobody");
        return;
    }
    (void)snprintf(update->admission_digest, sizeof(update->admission_digest), "%s", digest);
    update->admission_cutoff = (unsigned)cutoff;
    update->admission_canary = hf_json_bool_or(admission, "canary", false);
}

int hf_edgeupdate_decode(json_t *json, struct hf_edgeupdate **ret_update, struct hf_issues *issues)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = calloc(1, sizeof(*update));
    struct hf_decode decode = {.issues = issues};

    issues->n_errors = issues->n_warnings = 0;
    if (update == NULL)
        return -ENOMEM;
    update->json = json_incref(json);
    update->release.expires_unix_ns = HF_NEVER;
    if (!json_is_object(json)) {
        hf_issue_error(issues, "", "expected an object");
        return -EBADMSG;
    }
    hf_meta_decode(&decode, json, "EdgeUpdate", &update->meta);
    hf_decode_spec(&decode, hf_edgeupdate_fields, json, update);
    take_admission(update, json, issues);
    if (decode.out_of_memory)
        return -ENOMEM;
    if (issues->n_errors > 0)
        return -EBADMSG;
    *ret_update = hf_steal(update);
    return 0;
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
