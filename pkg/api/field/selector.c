/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/selector.h"

#include <errno.h>
#include <string.h>

#include "api/field/text.h"

enum { MAX_LABELS = 32, MAX_EXPRESSIONS = 32, MAX_VALUES = 64 };

void hf_selector_done(struct hf_selector *selector)
{
    json_decref(selector->json);
    selector->json = NULL;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum operator{ OP_IN, OP_NOT_IN, OP_EXISTS, OP_DOES_NOT_EXIST, OP_COUNT };
static const char *const operators[OP_COUNT + 1] = {
    [OP_IN] = "In", [OP_NOT_IN] = "NotIn", [OP_EXISTS] = "Exists", [OP_DOES_NOT_EXIST] = "DoesNotExist"};

struct expression {
    const char *key;
    const char *values[MAX_VALUES + 1];
    enum operator op;
};

struct raw_selector {
    json_t *match_labels;
    struct expression *expressions;
    size_t n_expressions;
};

static const struct hf_field expression_fields[] = {
    HF_FIELD_TEXT(struct expression, key, "key", 1, 317, hf_text_is_label_key, "a label key", HF_REQUIRED),
    HF_FIELD_OF(HF_KIND_WORD, struct expression, op, "operator", .words = operators, HF_REQUIRED),
    HF_FIELD_OF(HF_KIND_TEXTS, struct expression, values, "values", .max = MAX_VALUES, .item_max = 63,
                .check = hf_text_is_label_value, .expected = "a label value"),
    {0}};

static void finish_expression(struct hf_decode *decode, void *object, json_t *json)
{
    const struct expression *expression = object;
    size_t n = json_array_size(json_object_get(json, "values"));
    bool takes_values = expression->op == OP_IN || expression->op == OP_NOT_IN;

    if (!json_is_string(json_object_get(json, "operator")))
        return; /* reported already */
    if (takes_values && n == 0)
        hf_decode_error_at(decode, "values", "%s needs at least one value", operators[expression->op]);
    if (!takes_values && n > 0)
        hf_decode_error_at(decode, "values", "%s takes no values", operators[expression->op]);
}

const struct hf_field hf_selector_fields[] = {
    HF_FIELD_OF(HF_KIND_LABELS, struct raw_selector, match_labels, "matchLabels", .max = MAX_LABELS),
    HF_FIELD_LIST(struct raw_selector, expressions, n_expressions, "matchExpressions", expression_fields,
                  MAX_EXPRESSIONS, .finish = finish_expression),
    {0}};

/* An unknown member is a mistake: Kubernetes cannot add one without a change in what old agents select. To ignore it
 * would select more nodes. */
static void refuse_unknown(struct hf_decode *decode, const struct hf_field *fields, const char *key,
                           const json_t *object)
{
    bool narrowed = json_object_size(json_object_get(object, "matchLabels")) > 0 ||
                    json_array_size(json_object_get(object, "matchExpressions")) > 0;

    if (fields != hf_selector_fields)
        hf_decode_error(decode, "unknown field; a requirement has key, operator and values");
    else
        hf_decode_error(decode, "unknown field; did you mean %s? without it this selects %s",
                        strcasestr(key, "expr") != NULL ? "matchExpressions" : "matchLabels",
                        narrowed ? "more nodes than intended" : "every node");
}

void hf_selector_decode(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    struct hf_selector *selector = slot;
    struct raw_selector raw = {0};
    char shown[HF_VALUE_TEXT];

    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected a label selector, got %s", hf_decode_describe(value, shown));
        return;
    }
    decode->unknown = refuse_unknown;
    hf_field_decode_all(decode, hf_selector_fields, value, &raw);
    decode->unknown = NULL;
    free(raw.expressions);
    selector->json = json_incref(value);
}

int hf_selector_read(json_t *json, struct hf_selector *ret_selector, struct hf_issues *issues)
{
    _cleanup_(hf_selector_done) struct hf_selector selector = {NULL};
    struct hf_decode decode = {.issues = issues};

    issues->n_errors = issues->n_warnings = 0;
    if (json != NULL)
        hf_selector_decode(&decode, NULL, json, &selector);
    if (decode.out_of_memory)
        return -ENOMEM;
    if (issues->n_errors > 0)
        return -EBADMSG;
    ret_selector->json = hf_steal(selector.json);
    return 0;
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static bool has_value(const json_t *values, const char *label)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value = json_string_value(json_array_get(values, i));
        if (value != NULL && strcmp(value, label) == 0)
            return true;
    }
    return false;
}

static bool expression_matches(const json_t *expression, const json_t *labels)
{
    const char *op = hf_json_str_or(expression, "operator", "");
    const char *label = json_string_value(json_object_get(labels, hf_json_str_or(expression, "key", "")));
    const json_t *values = json_object_get(expression, "values");

    if (strcmp(op, operators[OP_IN]) == 0)
        return label != NULL && has_value(values, label);
    if (strcmp(op, operators[OP_NOT_IN]) == 0)
        return label == NULL || !has_value(values, label);
    if (strcmp(op, operators[OP_EXISTS]) == 0)
        return label != NULL;
    return strcmp(op, operators[OP_DOES_NOT_EXIST]) == 0 && label == NULL;
}

bool hf_selector_matches(const struct hf_selector *selector, const json_t *labels)
{
    json_t *wanted = json_object_get(selector->json, "matchLabels");
    const json_t *expressions = json_object_get(selector->json, "matchExpressions");
    const char *key;
    json_t *value;

    json_object_foreach(wanted, key, value) {
        const char *label = json_string_value(json_object_get(labels, key)), *want = json_string_value(value);
        if (label == NULL || want == NULL || strcmp(label, want) != 0)
            return false;
    }
    for (size_t i = 0; i < json_array_size(expressions); i++)
        if (!expression_matches(json_array_get(expressions, i), labels))
            return false;
    return true;
}

/* ---- two selectors ----------------------------------------------------------------------------------------------- */

/* Returns true if what the selector requires of the label `key` holds for these labels. */
static bool key_matches(const struct hf_selector *selector, const char *key, const json_t *labels)
{
    const json_t *want = json_object_get(json_object_get(selector->json, "matchLabels"), key);
    const json_t *expressions = json_object_get(selector->json, "matchExpressions");

    if (want != NULL && !json_equal(hf_json_mutable(want), json_object_get(labels, key)))
        return false;
    for (size_t i = 0; i < json_array_size(expressions); i++) {
        const json_t *expression = json_array_get(expressions, i);
        if (strcmp(hf_json_str_or(expression, "key", ""), key) == 0 && !expression_matches(expression, labels))
            return false;
    }
    return true;
}

static bool both_match(const struct hf_selector *a, const struct hf_selector *b, const char *key, const char *value)
{
    _cleanup_(hf_json_freep) json_t *labels = value != NULL ? json_pack("{s:s}", key, value) : json_object();

    return labels == NULL || (key_matches(a, key, labels) && key_matches(b, key, labels));
}

/* Returns true if a value that `from` names for the key, in matchLabels or by In, fits both selectors. */
static bool named_value_fits(const struct hf_selector *a, const struct hf_selector *b, const struct hf_selector *from,
                             const char *key)
{
    const char *want = json_string_value(json_object_get(json_object_get(from->json, "matchLabels"), key));
    const json_t *expressions = json_object_get(from->json, "matchExpressions");

    if (want != NULL && both_match(a, b, key, want))
        return true;
    for (size_t i = 0; i < json_array_size(expressions); i++) {
        const json_t *expression = json_array_get(expressions, i), *values = json_object_get(expression, "values");
        if (strcmp(hf_json_str_or(expression, "key", ""), key) != 0)
            continue;
        for (size_t k = 0; k < json_array_size(values); k++)
            if (both_match(a, b, key, json_string_value(json_array_get(values, k))))
                return true;
    }
    return false;
}

/* Returns true if a node may fit both selectors as far as this label goes: without the label, with a value that none of
 * them names, or with one that they name. */
static bool key_may_fit(const struct hf_selector *a, const struct hf_selector *b, const char *key)
{
    return both_match(a, b, key, NULL) || both_match(a, b, key, "\1") || named_value_fits(a, b, a, key) ||
           named_value_fits(a, b, b, key);
}

static bool keys_may_fit(const struct hf_selector *a, const struct hf_selector *b, const struct hf_selector *from)
{
    const json_t *expressions = json_object_get(from->json, "matchExpressions");
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(from->json, "matchLabels"), key, value)
        if (!key_may_fit(a, b, key))
            return false;
    for (size_t i = 0; i < json_array_size(expressions); i++)
        if (!key_may_fit(a, b, hf_json_str_or(json_array_get(expressions, i), "key", "")))
            return false;
    return true;
}

bool hf_selector_may_overlap(const struct hf_selector *a, const struct hf_selector *b)
{
    return keys_may_fit(a, b, a) && keys_may_fit(a, b, b);
}
