/* SPDX-License-Identifier: Apache-2.0 */
/* The CRDs and the tables that decode say the same: every field, its type, whether it is required, every bound. */
#include "api/edgeupdate.h"
#include "api/field/selector.h"
#include "api/meta.h"
#include "api/schema.h"
#include "api/window.h"

#include "api/telemetry.h"
#include "base/format.h"
#include "base/parse.h"
#include "support/check_main.h"

static unsigned compared;

static json_t *load_crd(const char *path)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    char chunk[4096];
    json_t *crd = NULL;
    struct hf_err err = HF_ERR_INIT;
    size_t n;
    FILE *file = fopen(path, "r");

    ck_assert_msg(file != NULL, "%s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(&text, chunk, n), 0);
    (void)fclose(file);
    ck_assert_msg(hf_yaml_parse(hf_buf_view(&text), NULL, &crd, &err) == 0, "%s: %s", path, err.cause);
    return crd;
}

static const json_t *schema_of(const json_t *crd)
{
    const json_t *versions = hf_json_at(crd, "spec.versions");

    ck_assert_uint_eq(json_array_size(versions), 1);
    return hf_json_at(json_array_get(versions, 0), "schema.openAPIV3Schema");
}

/* A rule with a message for people, where others would have a pattern: what the server says about that is the pattern.
 */
static bool has_rule(const json_t *schema)
{
    return json_array_size(json_object_get(schema, "x-kubernetes-validations")) > 0;
}

static void expect_number(const char *path, const json_t *schema, const char *key, uint64_t want)
{
    const json_t *value = json_object_get(schema, key);

    ck_assert_msg(json_is_integer(value) && json_integer_value(value) == (int64_t)want, "%s: %s should be %jd", path,
                  key, (intmax_t)want);
    compared++;
}

static void expect_type(const char *path, const json_t *schema, const char *want)
{
    ck_assert_msg(strcmp(hf_json_str_or(schema, "type", ""), want) == 0, "%s: type should be %s", path, want);
    compared++;
}

static void expect_duration(const char *path, const json_t *schema, const struct hf_field *field)
{
    const char *rule =
        hf_json_str_or(json_array_get(json_object_get(schema, "x-kubernetes-validations"), 0), "rule", "");
    char text[HF_DURATION_TEXT], call[64];

    expect_type(path, schema, "string");
    ck_assert_msg(strstr(rule, "self.matches(") != NULL, "%s: what is no duration is refused by the rule", path);
    (void)snprintf(call, sizeof(call), "<= duration('%s')", hf_format_duration(field->max, text));
    ck_assert_msg(strstr(rule, call) != NULL, "%s: '%s' is not in '%s'", path, call, rule);
    (void)snprintf(call, sizeof(call), ">= duration('%s')", hf_format_duration(field->min, text));
    ck_assert_msg(field->min == 0 || strstr(rule, call) != NULL, "%s: '%s' is not in '%s'", path, call, rule);
    compared++;
}

/* The description has "default 5m" or "Hold (default)"; a default of zero or false needs no words. */
static void expect_default(const char *path, const json_t *schema, const struct hf_field *field)
{
    const char *description = hf_json_str(schema, "description");
    char after[64], before[64];

    if (field->fallback == NULL || description == NULL || strcmp(field->fallback, "0") == 0 ||
        strcmp(field->fallback, "false") == 0)
        return;
    (void)snprintf(after, sizeof(after), "efault %s", field->fallback);
    (void)snprintf(before, sizeof(before), "%s (default)", field->fallback);
    ck_assert_msg(strstr(description, after) != NULL || strstr(description, before) != NULL,
                  "%s: the description lacks the default %s", path, field->fallback);
    compared++;
}

static void expect_words(const char *path, const json_t *schema, const struct hf_field *field)
{
    const json_t *set = json_object_get(schema, "enum");
    size_t n = 0;

    expect_type(path, schema, "string");
    for (; field->words[n] != NULL; n++) {
        const char *word = json_string_value(json_array_get(set, n));
        ck_assert_msg(word != NULL && strcmp(word, field->words[n]) == 0, "%s: enum lacks %s", path, field->words[n]);
    }
    ck_assert_msg(json_array_size(set) == n, "%s: enum has more than the decoder", path);
    compared++;
}

static void compare(const char *path, const struct hf_field *fields, const json_t *schema);

static void compare_field(const char *path, const struct hf_field *field, const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");

    expect_default(path, schema, field);
    switch (field->kind) {
    case HF_KIND_TEXT:
        expect_type(path, schema, "string");
        expect_number(path, schema, "maxLength", field->max);
        if (field->min > 0)
            expect_number(path, schema, "minLength", field->min);
        ck_assert_msg((field->check != NULL) == has_rule(schema),
                      "%s: the decoder and the CRD differ in what text is good", path);
        break;
    case HF_KIND_BOOL:
        expect_type(path, schema, "boolean");
        break;
    case HF_KIND_INTEGER:
        expect_type(path, schema, "integer");
        expect_number(path, schema, "minimum", field->min);
        expect_number(path, schema, "maximum", field->max);
        break;
    case HF_KIND_DURATION:
        expect_duration(path, schema, field);
        break;
    case HF_KIND_QUANTITY:
        ck_assert_msg(hf_json_bool_or(schema, "x-kubernetes-int-or-string", false), "%s", path);
        expect_number(path, schema, "minimum", field->min);
        expect_number(path, schema, "maximum", field->max);
        break;
    case HF_KIND_SHARE:
        ck_assert_msg(hf_json_bool_or(schema, "x-kubernetes-int-or-string", false), "%s", path);
        expect_number(path, schema, "minimum", field->min);
        expect_number(path, schema, "maximum", field->max);
        ck_assert_msg(has_rule(schema), "%s has no rule for the text", path);
        break;
    case HF_KIND_TIME:
        expect_type(path, schema, "string");
        break;
    case HF_KIND_WORD:
        expect_words(path, schema, field);
        break;
    case HF_KIND_OBJECT:
        expect_type(path, schema, "object");
        compare(path, field->fields, schema);
        break;
    case HF_KIND_LIST:
        expect_type(path, schema, "array");
        expect_number(path, schema, "maxItems", field->max);
        compare(path, field->fields, items);
        break;
    case HF_KIND_TEXTS:
        expect_type(path, schema, "array");
        expect_number(path, schema, "maxItems", field->max);
        expect_number(path, items, "maxLength", field->item_max);
        if (field->min > 0)
            expect_number(path, schema, "minItems", field->min);
        break;
    case HF_KIND_LABELS:
        expect_number(path, schema, "maxProperties", field->max);
        break;
    case HF_KIND_SELECTOR:
        compare(path, hf_selector_fields, schema);
        break;
    case HF_KIND_OTHER:
    default:
        if (field->fields != NULL)
            compare(path, field->fields, schema);
        break;
    }
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");

    for (size_t i = 0; i < json_array_size(required); i++)
        if (strcmp(json_string_value(json_array_get(required, i)), name) == 0)
            return true;
    return false;
}

static void compare(const char *path, const struct hf_field *fields, const json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties"), *property;
    const char *name;
    char inner[400];

    for (const struct hf_field *field = fields; field->name != NULL; field++) {
        (void)snprintf(inner, sizeof(inner), "%s.%s", path, field->name);
        property = json_object_get(properties, field->name);
        ck_assert_msg(property != NULL, "%s is decoded, but not in the CRD", inner);
        ck_assert_msg(field->required == is_required(schema, field->name), "%s: required", inner);
        compare_field(inner, field, property);
    }
    json_object_foreach(properties, name, property) {
        const struct hf_field *field = fields;
        while (field->name != NULL && strcmp(field->name, name) != 0)
            field++;
        ck_assert_msg(field->name != NULL, "%s.%s is in the CRD, but not decoded", path, name);
    }
}

/* What a person reads after kubectl apply is a sentence, never a regular expression: the server prints a pattern as it
 * is, and a rule without a message too. Of a quantity that may be an integer the server knows no length, which makes
 * rules about lists of them too dear. */
static void check_messages(const char *path, const json_t *schema)
{
    const json_t *rules = json_object_get(schema, "x-kubernetes-validations");

    ck_assert_msg(hf_json_str(schema, "pattern") == NULL ||
                      hf_json_bool_or(schema, "x-kubernetes-int-or-string", false),
                  "%s has a pattern", path);
    for (size_t i = 0; i < json_array_size(rules); i++)
        ck_assert_msg(hf_json_str(json_array_get(rules, i), "message") != NULL, "%s: rule %zu has no message", path, i);
}

/* Every list, map and string has a bound (else the server cannot tell the cost of the rules); nothing has a default. */
static void check_bounds(const char *path, json_t *schema, bool in_release, bool spoken)
{
    json_t *properties = json_object_get(schema, "properties"), *property;
    const char *type = hf_json_str_or(schema, "type", ""), *name;
    char inner[400];

    ck_assert_msg(json_object_get(schema, "default") == NULL, "%s has a default", path);
    if (spoken)
        check_messages(path, schema);
    if (strcmp(type, "string") == 0)
        ck_assert_msg(json_object_get(schema, "maxLength") != NULL || json_object_get(schema, "enum") != NULL ||
                          hf_json_str(schema, "format") != NULL,
                      "%s has no maxLength", path);
    if (strcmp(type, "array") == 0) {
        ck_assert_msg(json_object_get(schema, "maxItems") != NULL, "%s has no maxItems", path);
        ck_assert_msg(json_object_get(schema, "x-kubernetes-list-type") != NULL, "%s has no list type", path);
        (void)snprintf(inner, sizeof(inner), "%s[]", path);
        check_bounds(inner, json_object_get(schema, "items"), in_release, spoken);
    }
    if (spoken && json_is_object(json_object_get(schema, "additionalProperties")))
        check_messages(path, json_object_get(schema, "additionalProperties"));
    if (json_object_get(schema, "additionalProperties") != NULL)
        ck_assert_msg(json_object_get(schema, "maxProperties") != NULL, "%s has no maxProperties", path);
    if (in_release && strcmp(type, "object") == 0)
        ck_assert_msg(hf_json_bool_or(schema, "x-kubernetes-preserve-unknown-fields", false),
                      "%s is signed: unknown fields must stay", path);
    json_object_foreach(properties, name, property) {
        (void)snprintf(inner, sizeof(inner), "%s.%s", path, name);
        ck_assert_msg(!spoken || hf_json_str(property, "description") != NULL, "%s has no description", inner);
        check_bounds(inner, property, in_release || strcmp(inner, "spec.release") == 0, spoken);
    }
}

static const struct {
    const char *file, *kind, *short_name;
    const struct hf_field *fields;
    unsigned at_least;
    bool spoken; /* people write these: every field is described, every refusal is a sentence */
    bool bare;   /* an object without spec is valid */
} crds[] = {
    {"crds/edgeupdates.yaml", "EdgeUpdate", "eu", hf_edgeupdate_fields, 120, true, false},
    {"crds/syncpolicies.yaml", "SyncPolicy", "sp", hf_syncpolicy_fields, 200, true, false},
    {"crds/edgenodes.yaml", "EdgeNode", "en", hf_edgenode_fields, 8, true, true},
};

START_TEST(says_the_same)
{
    _cleanup_(hf_json_freep) json_t *crd = load_crd(crds[_i].file);
    const json_t *schema = schema_of(crd);
    json_t *properties = json_object_get(schema, "properties");

    ck_assert_str_eq(hf_json_str(crd, "spec.names.kind"), crds[_i].kind);
    ck_assert_str_eq(hf_json_str(crd, "spec.group"), HF_API_GROUP);
    ck_assert_str_eq(hf_json_str(crd, "spec.scope"), "Cluster");
    ck_assert_str_eq(json_string_value(json_array_get(hf_json_at(crd, "spec.names.shortNames"), 0)),
                     crds[_i].short_name);
    ck_assert_str_eq(json_string_value(json_array_get(hf_json_at(crd, "spec.names.categories"), 0)), "holdfast");
    ck_assert_str_eq(hf_json_str(json_array_get(hf_json_at(crd, "spec.versions"), 0), "name"), HF_API_VERSION);
    ck_assert_ptr_nonnull(hf_json_at(json_array_get(hf_json_at(crd, "spec.versions"), 0), "subresources.status"));
    check_bounds("spec", json_object_get(properties, "spec"), false, crds[_i].spoken);
    check_bounds("status", json_object_get(properties, "status"), false, crds[_i].spoken);
    ck_assert(is_required(schema, "spec") != crds[_i].bare);
    compare_field("spec", crds[_i].fields, json_object_get(properties, "spec"));
    ck_assert_msg(compared >= crds[_i].at_least, "only %u things compared", compared);
}
END_TEST

/* The rows of HF_TELEMETRY_SOURCES and the fields of spec.telemetry.sources are the same set. */
START_TEST(every_source_has_a_row)
{
    static const char *const fields[] = {
#define FIELD(class, number, create, name, field, on) field,
        HF_TELEMETRY_SOURCES(FIELD)
#undef FIELD
    };
    _cleanup_(hf_json_freep) json_t *crd = load_crd("crds/syncpolicies.yaml");
    const json_t *sources =
        hf_json_at(schema_of(crd), "properties.spec.properties.telemetry.properties.sources.properties");

    for (size_t i = 0; i < HF_LEN(fields); i++)
        ck_assert_msg(json_object_get(sources, fields[i]) != NULL, "no field %s in the CRD", fields[i]);
    ck_assert_uint_eq(json_object_size(sources), HF_LEN(fields));
}
END_TEST

/* Every kind of health check is a field of the CRD, and the rule that wants exactly one kind counts it. */
START_TEST(every_check_kind_has_a_field_and_a_rule)
{
    _cleanup_(hf_json_freep) json_t *crd = load_crd("crds/edgeupdates.yaml");
    const json_t *items =
        hf_json_at(schema_of(crd), "properties.spec.properties.release.properties.health.properties.checks.items");
    _cleanup_(hf_freep) char *rules = json_dumps(json_object_get(items, "x-kubernetes-validations"), 0);

    ck_assert_ptr_nonnull(rules);
    for (size_t i = 0; i < HF_CHECK_COUNT; i++) {
        const char *field = hf_release_check_rows[i].field;
        _cleanup_(hf_freep) char *has = hf_asprintf("has(self.%s)", field);
        ck_assert_msg(json_object_get(json_object_get(items, "properties"), field) != NULL, "no field %s", field);
        ck_assert_msg(strstr(rules, has) != NULL, "no rule with %s: %s", has, rules);
    }
}
END_TEST

static unsigned undescribed(const char *path, const json_t *schema)
{
    const json_t *properties = json_object_get(schema, "properties"), *items = json_object_get(schema, "items");
    unsigned n = hf_json_str(schema, "description") == NULL;
    const char *name;
    json_t *property;
    char inner[512];

    if (n > 0)
        (void)fprintf(stderr, "%s has no description\n", path);
    if (items != NULL) {
        (void)snprintf(inner, sizeof(inner), "%s[]", path);
        n += undescribed(inner, items);
    }
    json_object_foreach((json_t *)(uintptr_t)properties, name, property) {
        (void)snprintf(inner, sizeof(inner), "%s.%s", path, name);
        n += undescribed(inner, property);
    }
    return n;
}

/* `kubectl explain` has nothing else to say. */
START_TEST(explains_every_field_of_a_status)
{
    _cleanup_(hf_json_freep) json_t *crd = load_crd("crds/edgenodes.yaml");

    ck_assert_uint_eq(undescribed("", schema_of(crd)), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, says_the_same, 0, (int)HF_LEN(crds));
    tcase_add_test(tc, every_source_has_a_row);
    tcase_add_test(tc, every_check_kind_has_a_field_and_a_rule);
    tcase_add_test(tc, explains_every_field_of_a_status);
}
HF_TEST_MAIN("api/schema", cases)
