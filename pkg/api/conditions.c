/* SPDX-License-Identifier: Apache-2.0 */
#include "api/conditions.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/format.h"

const json_t *hf_conditions_find(const json_t *conditions, const char *type)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *entry = json_array_get(conditions, i);
        if (strcmp(hf_json_str_or(entry, "type", ""), type) == 0)
            return entry;
    }
    return NULL;
}

static int put(json_t *entry, const char *key, json_t *value)
{
    return value == NULL || json_object_set_new(entry, key, value) < 0 ? -ENOMEM : 0;
}

/* A message may hold what a server wrote, cut within a character. */
static int put_text(json_t *entry, const char *key, const char *text)
{
    const char *old = json_string_value(json_object_get(entry, key));

    if (old != NULL && strcmp(old, text) == 0) /* the usual case */
        return 0;
    return put(entry, key, json_stringn(text, hf_utf8_prefix(text, strlen(text))));
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
    json_t *entry = hf_json_mutable(hf_conditions_find(conditions, condition->type));
    const char *old = json_string_value(json_object_get(entry, "status"));
    bool changed = old == NULL || strcmp(old, condition->status) != 0;
    char time[HF_TIME_TEXT];
    int r = entry == NULL ? add_condition(conditions, condition->type, &entry) : 0;

    if (r == 0)
        r = put_text(entry, "status", condition->status);
    if (r == 0)
        r = put_text(entry, "reason", condition->reason);
    if (r == 0)
        r = put_text(entry, "message", condition->message != NULL ? condition->message : "");
    if (r == 0 && condition->observed_generation > 0)
        r = put(entry, "observedGeneration", json_integer(condition->observed_generation));
    if (r == 0 && changed)
        r = put(entry, "lastTransitionTime", json_string(hf_format_time(now_unix_ns, time)));
    return r;
}
