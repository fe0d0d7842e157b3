/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/cluster/refusal.h"

#include "base/encoding/cut.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FIELDS = 3 };

/* Words of the validation of built-in kinds, of CEL rules that compare with oldSelf, and of older servers. */
static const char *const immutable_words[] = {
    "field is immutable",
    "Value is immutable",
    "is immutable",
    "cannot change roleRef",
    "updates to statefulset spec for fields other than",
    "pod updates may not change fields other than",
    "may not change once set",
};

static bool is_immutable(const json_t *refusal)
{
    const json_t *causes = hf_json_at(refusal, "details.causes");
    const char *message = hf_json_str_or(refusal, "message", "");

    for (size_t i = 0; i <= json_array_size(causes); i++) {
        for (size_t w = 0; w < HF_LEN(immutable_words); w++)
            if (strcasestr(message, immutable_words[w]) != NULL)
                return true;
        message = hf_json_str_or(json_array_get(causes, i), "message", "");
    }
    return false;
}

/* A server answers 500 to a body that does not fit the kind's schema, and will do so again. */
static bool is_malformed(const struct hf_kube_answer *answer)
{
    return answer->status == 500 &&
           strstr(hf_json_str_or(answer->refusal, "message", ""), "typed patch object") != NULL;
}

/* Appends to a text of n bytes, and cuts what finds no room. */
static void HF_PRINTF(3, 4) append(char *text, size_t n, const char *format, ...)
{
    size_t used = strlen(text);
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text + used, n - used, format, list);
    va_end(list);
}

/* "the manager \"kubectl\" owns .spec.replicas, .spec.x" from causes such as {"reason": "FieldManagerConflict",
 * "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.replicas"}. Returns false if the refusal is
 * another one. */
static bool conflict_text(const json_t *refusal, char *text, size_t n)
{
    const json_t *causes = hf_json_at(refusal, "details.causes");
    unsigned fields = 0;

    *text = '\0';
    for (size_t i = 0; i < json_array_size(causes); i++) {
        const json_t *cause = json_array_get(causes, i);
        const char *message = hf_json_str_or(cause, "message", ""), *quote = strchr(message, '"');
        const char *end = quote != NULL ? strchr(quote + 1, '"') : NULL;
        if (strcmp(hf_json_str_or(cause, "reason", ""), "FieldManagerConflict") != 0)
            continue;
        if (++fields <= MOST_FIELDS)
            append(text, n, "%s%.80s belongs to the manager %.*s", fields > 1 ? ", " : "",
                   hf_json_str_or(cause, "field", "a field"), end != NULL ? (int)HF_MIN(end - quote + 1, 64) : 7,
                   end != NULL ? quote : "unknown");
    }
    if (fields > MOST_FIELDS)
        append(text, n, " and %u more", fields - MOST_FIELDS);
    if (fields > 0)
        append(text, n, "; `force: true` takes the fields over");
    return fields > 0;
}

/* The first fields that the server names, and its words. */
static void quote_server(const struct hf_kube_answer *answer, char *text, size_t n)
{
    const char *message = hf_json_str(answer->refusal, "message");

    if (message != NULL)
        (void)snprintf(text, n, "the server answered %d: %s", answer->status, HF_CUT(260, message));
    else
        (void)hf_err_text(&answer->err, text, n);
}

static struct hf_cluster_refusal refused(const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = {.sense = HF_CLUSTER_REFUSED, .reason = HF_MANIFEST_REASON_API_REFUSED};

    quote_server(answer, refusal.why, sizeof(refusal.why));
    if (answer->r == -EACCES)
        append(refusal.why, sizeof(refusal.why), "; the chart's value manifests.cluster.rules gives agents rights");
    return refusal;
}

struct hf_cluster_refusal hf_cluster_refusal_of(const struct hf_kube_answer *answer)
{
    struct hf_cluster_refusal refusal = {.sense = HF_CLUSTER_DONE};

    switch (answer->r) {
    case 0:
        return refusal;
    case -EBADMSG:
        refusal = refused(answer);
        if (is_immutable(answer->refusal)) {
            refusal.sense = HF_CLUSTER_REPLACE;
            refusal.reason = HF_MANIFEST_REASON_IMMUTABLE;
        }
        return refusal;
    case -EACCES:
    case -ENOENT:
    case -E2BIG:
    case -EINVAL:
        return refused(answer);
    case -ESTALE:
        if (conflict_text(answer->refusal, refusal.why, sizeof(refusal.why))) {
            refusal.sense = HF_CLUSTER_REFUSED;
            refusal.reason = HF_MANIFEST_REASON_CONFLICT;
            return refusal;
        }
        break;
    default:
        if (is_malformed(answer))
            return refused(answer);
        break;
    }
    refusal.sense = HF_CLUSTER_AGAIN;
    refusal.reason = HF_MANIFEST_REASON_API_UNREACHABLE;
    quote_server(answer, refusal.why, sizeof(refusal.why));
    return refusal;
}
