#include "api/meta.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/field.h"
#include "api/text.h"
#include "base/format.h"
#include "base/parse.h"

/* ---- issues ---------------------------------------------------------------------------------------------------------- */

HF_PRINTF(4, 0)
static void put_issue(struct hf_issue *list, size_t *n, const char *path, const char *format, va_list args)
{
    if (*n < HF_API_MAX_ISSUES) {
        (void)snprintf(list[*n].path, sizeof(list[*n].path), "%s", path);
        (void)vsnprintf(list[*n].text, sizeof(list[*n].text), format, args);
    }
    (*n)++;
}

void hf_issue_error(struct hf_issues *issues, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_issue(issues->errors, &issues->n_errors, path, format, args);
    va_end(args);
}

void hf_issue_warning(struct hf_issues *issues, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_issue(issues->warnings, &issues->n_warnings, path, format, args);
    va_end(args);
}

enum { MORE_TEXT = 32 }; /* room kept for "; and 12345 more" */

void hf_issues_format(const struct hf_issues *issues, struct hf_buf *out)
{
    size_t stored = HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES), shown = 0;

    for (; shown < stored; shown++) {
        const struct hf_issue *issue = &issues->errors[shown];
        size_t need = strlen(issue->path) + strlen(issue->text) + 4;
        bool last = shown + 1 == issues->n_errors;

        if (out->n + need + (last ? 0 : MORE_TEXT) > out->max ||
            hf_buf_addf(out, "%s%s%s%s", shown > 0 ? "; " : "", issue->path, issue->path[0] != '\0' ? ": " : "",
                        issue->text) < 0)
            break;
    }
    int r = 0; /* what does not fit is left out */
    if (shown == 0 && issues->n_errors > 0)
        r = hf_buf_addf(out, "%zu errors", issues->n_errors);
    else if (shown < issues->n_errors)
        r = hf_buf_addf(out, "; and %zu more", issues->n_errors - shown);
    (void)r;
}

/* ---- metadata -------------------------------------------------------------------------------------------------------- */

static const struct hf_field meta_fields[] = {
    HF_FIELD_TEXT(struct hf_meta, name, "name", 1, HF_API_MAX_NAME, hf_text_is_object_name,
                  "a name of lower case letters, digits, '-' and '.'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_meta, uid, "uid", 0, 128, NULL, NULL, .fallback = ""),
    HF_FIELD_TEXT(struct hf_meta, resource_version, "resourceVersion", 0, 128, NULL, NULL, .fallback = ""),
    HF_FIELD_INTEGER(struct hf_meta, generation, "generation", "0", 0, INT64_MAX),
    {0}};

static void expect_word(struct hf_decode *decode, const json_t *object, const char *key, const char *want)
{
    const json_t *value = json_object_get(object, key);
    char shown[HF_VALUE_TEXT];

    if (value != NULL && (!json_is_string(value) || strcmp(json_string_value(value), want) != 0))
        hf_decode_error_at(decode, key, "expected %s, got %s", want, hf_decode_describe(value, shown));
}

void hf_meta_decode(struct hf_decode *decode, json_t *object, const char *kind, struct hf_meta *ret_meta)
{
    json_t *metadata = json_object_get(object, "metadata");
    struct hf_issues *issues = decode->issues;
    size_t n_warnings = issues->n_warnings;
    size_t before;

    expect_word(decode, object, "apiVersion", HF_API_GROUP_VERSION);
    expect_word(decode, object, "kind", kind);
    before = hf_decode_enter(decode, "metadata", 0);
    if (metadata != NULL && !json_is_object(metadata))
        hf_decode_error(decode, "expected an object");
    hf_decode_fields(decode, meta_fields, metadata, ret_meta);
    hf_decode_leave(decode, before);
    issues->n_warnings = n_warnings; /* labels, annotations and the like are not unknown, only not ours */
}

/* ---- conditions ------------------------------------------------------------------------------------------------------ */

static json_t *find_condition(json_t *conditions, const char *type)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        json_t *entry = json_array_get(conditions, i);
        const char *has = json_string_value(json_object_get(entry, "type"));
        if (has != NULL && strcmp(has, type) == 0)
            return entry;
    }
    return NULL;
}

static int put(json_t *entry, const char *key, json_t *value)
{
    return value == NULL || json_object_set_new(entry, key, value) < 0 ? -ENOMEM : 0;
}

static int add_condition(json_t *conditions, const char *type, json_t **ret_entry)
{
    _cleanup_(hf_json_freep) json_t *entry = json_object();

    if (entry == NULL || put(entry, "type", json_string(type)) < 0 || json_array_append(conditions, entry) < 0)
        return -ENOMEM;
    *ret_entry = entry; /* the array holds it */
    return 0;
}

int hf_conditions_set(json_t *conditions, const struct hf_condition *condition, uint64_t now_unix_ns)
{
    json_t *entry = find_condition(conditions, condition->type);
    const char *old = json_string_value(json_object_get(entry, "status"));
    bool changed = old == NULL || strcmp(old, condition->status) != 0;
    char time[HF_TIME_TEXT];
    int r = entry == NULL ? add_condition(conditions, condition->type, &entry) : 0;

    if (r == 0)
        r = put(entry, "status", json_string(condition->status));
    if (r == 0)
        r = put(entry, "reason", json_string(condition->reason));
    if (r == 0)
        r = put(entry, "message", json_string(condition->message != NULL ? condition->message : ""));
    if (r == 0 && condition->observed_generation > 0)
        r = put(entry, "observedGeneration", json_integer(condition->observed_generation));
    if (r == 0 && changed)
        r = put(entry, "lastTransitionTime", json_string(hf_format_time(now_unix_ns, time)));
    return r;
}
