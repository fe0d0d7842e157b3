/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/selector.h"

#include <errno.h>

#include "support/check_main.h"

static const struct {
    const char *selector; /* JSON; NULL: absent */
    const char *labels;
    bool want;
} rows[] = {
    {NULL, "{}", true},
    {"{}", "{}", true},
    {"{}", "{\"a\":\"b\"}", true},
    {"{\"matchLabels\":{\"a\":\"b\"}}", "{\"a\":\"b\",\"c\":\"d\"}", true},
    {"{\"matchLabels\":{\"a\":\"b\"}}", "{\"a\":\"x\"}", false},
    {"{\"matchLabels\":{\"a\":\"b\"}}", "{}", false},
    {"{\"matchLabels\":{\"a\":\"\"}}", "{\"a\":\"\"}", true},
    {"{\"matchLabels\":{\"a\":\"\"}}", "{}", false},
    {"{\"matchLabels\":{\"a\":\"b\",\"c\":\"d\"}}", "{\"a\":\"b\"}", false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"b\",\"c\"]}]}", "{\"a\":\"c\"}", true},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"b\",\"c\"]}]}", "{\"a\":\"d\"}", false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"b\"]}]}", "{}", false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"b\"]}]}", "{}", true},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"b\"]}]}", "{\"a\":\"b\"}", false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"b\"]}]}", "{\"a\":\"c\"}", true},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", "{\"a\":\"\"}", true},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"}]}", "{}", false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]}", "{}", true},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"DoesNotExist\"}]}", "{\"a\":\"x\"}", false},
    {"{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"c\",\"operator\":\"Exists\"}]}", "{\"a\":\"b\"}",
     false},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\"},{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":["
     "\"z\"]}]}",
     "{\"a\":\"y\"}", true},
};

START_TEST(selects)
{
    struct hf_selector selector = {0};
    _cleanup_(hf_json_freep) json_t *labels = NULL;

    if (rows[_i].selector != NULL)
        ck_assert_int_eq(hf_json_parse(hf_view_of(rows[_i].selector), NULL, &selector.json, NULL), 0);
    ck_assert_int_eq(hf_json_parse(hf_view_of(rows[_i].labels), NULL, &labels, NULL), 0);
    ck_assert_msg(hf_selector_matches(&selector, labels) == rows[_i].want, "%s on %s",
                  rows[_i].selector != NULL ? rows[_i].selector : "none", rows[_i].labels);
    hf_selector_done(&selector);
}
END_TEST

/* YAML in flow style; the order of the two does not matter. */
static const struct {
    const char *a, *b;
    bool want;
} pairs[] = {
    {"{}", "{}", true},
    {"{}", "{matchLabels: {a: x}}", true},
    {"{matchLabels: {a: x}}", "{matchLabels: {b: y}}", true},
    {"{matchLabels: {a: x}}", "{matchLabels: {a: x}}", true},
    {"{matchLabels: {a: x}}", "{matchLabels: {a: y}}", false},
    {"{matchLabels: {a: x, b: y}}", "{matchLabels: {a: x, b: z}}", false},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: In, values: [y, x]}]}", true},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: In, values: [y, z]}]}", false},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", false},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: NotIn, values: [y]}]}", true},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: Exists}]}", true},
    {"{matchLabels: {a: x}}", "{matchExpressions: [{key: a, operator: DoesNotExist}]}", false},
    {"{matchExpressions: [{key: a, operator: Exists}]}", "{matchExpressions: [{key: a, operator: DoesNotExist}]}",
     false},
    {"{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}",
     "{matchExpressions: [{key: a, operator: DoesNotExist}]}", true},
    {"{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", "{matchExpressions: [{key: a, operator: Exists}]}",
     true},
    {"{matchExpressions: [{key: a, operator: In, values: [x, y]}]}",
     "{matchExpressions: [{key: a, operator: NotIn, values: [x]}, {key: a, operator: NotIn, values: [y]}]}", false},
    {"{matchExpressions: [{key: a, operator: In, values: [x]}, {key: a, operator: In, values: [y]}]}", "{}", false},
};

START_TEST(overlap)
{
    struct hf_selector a = {0}, b = {0};

    ck_assert_int_eq(hf_yaml_parse(hf_view_of(pairs[_i].a), NULL, &a.json, NULL), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_view_of(pairs[_i].b), NULL, &b.json, NULL), 0);
    ck_assert_msg(hf_selector_may_overlap(&a, &b) == pairs[_i].want, "%s and %s", pairs[_i].a, pairs[_i].b);
    ck_assert_msg(hf_selector_may_overlap(&b, &a) == pairs[_i].want, "%s and %s", pairs[_i].b, pairs[_i].a);
    hf_selector_done(&a);
    hf_selector_done(&b);
}
END_TEST

START_TEST(a_node_without_labels)
{
    struct hf_selector all = {0}, some = {.json = json_pack("{s:{s:s}}", "matchLabels", "a", "b")};

    ck_assert(hf_selector_matches(&all, NULL));
    ck_assert(!hf_selector_matches(&some, NULL));
    hf_selector_done(&some);
    hf_selector_done(&some);
}
END_TEST

/* Passing over what it does not know, an agent would take part in what was meant for other nodes. */
static const struct {
    const char *selector, *path, *text;
} unknowns[] = {
    {"{\"matchlabels\":{\"a\":\"b\"}}", "matchlabels",
     "unknown field; did you mean matchLabels? without it this selects every node"},
    {"{\"matchexpressions\":[]}", "matchexpressions",
     "unknown field; did you mean matchExpressions? without it this selects every node"},
    {"{\"example.com/canary\":\"true\"}", "example.com/canary",
     "unknown field; did you mean matchLabels? without it this selects every node"},
    {"{\"matchLabels\":{\"a\":\"b\"},\"matchLables\":{\"c\":\"d\"}}", "matchLables",
     "unknown field; did you mean matchLabels? without it this selects more nodes than intended"},
    {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\",\"vaules\":[]}]}", "matchExpressions[0].vaules",
     "unknown field; a requirement has key, operator and values"},
};

START_TEST(unknown_members_are_refused)
{
    struct hf_selector selector = {0};
    struct hf_issues issues;
    _cleanup_(hf_json_freep) json_t *json = NULL;

    ck_assert_int_eq(hf_json_parse(hf_view_of(unknowns[_i].selector), NULL, &json, NULL), 0);
    ck_assert_msg(hf_selector_read(json, &selector, &issues) == -EBADMSG, "%s is taken", unknowns[_i].selector);
    ck_assert_uint_eq(issues.n_errors, 1);
    ck_assert_uint_eq(issues.n_warnings, 0);
    ck_assert_str_eq(issues.errors[0].path, unknowns[_i].path);
    ck_assert_str_eq(issues.errors[0].text, unknowns[_i].text);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, selects, 0, (int)HF_LEN(rows));
    tcase_add_loop_test(tc, overlap, 0, (int)HF_LEN(pairs));
    tcase_add_test(tc, a_node_without_labels);
    tcase_add_loop_test(tc, unknown_members_are_refused, 0, (int)HF_LEN(unknowns));
}
HF_TEST_MAIN("api/selector", cases)
