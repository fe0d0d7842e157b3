/* SPDX-License-Identifier: Apache-2.0 */
#include "node/labels.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"

static const struct {
    const char *key;
    bool want;
} keys[] = {
    {"edge.codcompass.io/role", true},
    {"edge.codcompass.io/cpu.avx2", true},
    {"edge.codcompass.io/", false},
    {"edge.codcompass.io/-role", false},
    {"edge.codcompass.io/a/b", false},
    {"kubernetes.io/role", false},
    {"edge.codcompass.io", false},
    {"role", false},
    {"", false},
    {"xedge.codcompass.io/role", false},
    {"edge.codcompass.io/r\xc3\xb6", false},
    {"edge.codcompass.io/a123456789012345678901234567890123456789012345678901234567890bc", true},
    {"edge.codcompass.io/a123456789012345678901234567890123456789012345678901234567890bcd", false},
};

START_TEST(key)
{
    ck_assert_msg(hf_label_key_valid(keys[_i].key) == keys[_i].want, "'%s'", keys[_i].key);
}
END_TEST

static const struct {
    const char *value;
    bool want;
} values[] = {{"", true},    {"a", true},    {"edge-prod_01.x", true}, {"a b", false}, {".a", false},
              {"a-", false}, {"a/b", false}, {"\xc3\xa4", false},      {"1", true}};

START_TEST(value)
{
    ck_assert_msg(hf_label_value_valid(values[_i].value) == values[_i].want, "'%s'", values[_i].value);
}
END_TEST

static struct hf_facts some_facts(void)
{
    return (struct hf_facts){.arch = "arm64",
                             .memory_bytes = 8ull << 30,
                             .cpus = 4,
                             .storage = HF_STORAGE_SD,
                             .cpu_features = (char *)(uintptr_t) " fp asimd "};
}

START_TEST(policy_wins)
{
    struct hf_facts facts = some_facts();
    _cleanup_(hf_json_freep) json_t *fixed =
        json_pack("{s:s, s:s}", "edge.codcompass.io/class", "compliance", "edge.codcompass.io/tier", "standard");
    struct hf_syncpolicy policy = {.detect_labels = true, .static_labels = fixed};
    struct hf_issues refused = {0};
    json_t *labels = NULL;

    ck_assert_int_eq(hf_labels_desired(&facts, &policy, &labels, &refused), 0);
    ck_assert_str_eq(json_string_value(json_object_get(labels, "edge.codcompass.io/class")), "compliance");
    ck_assert_str_eq(json_string_value(json_object_get(labels, "edge.codcompass.io/tier")), "standard");
    ck_assert_str_eq(json_string_value(json_object_get(labels, "edge.codcompass.io/memory")), "8");
    ck_assert_uint_eq(refused.n_errors, 0);
    json_decref(labels);
    policy.detect_labels = false;
    ck_assert_int_eq(hf_labels_desired(&facts, &policy, &labels, &refused), 0);
    ck_assert_uint_eq(json_object_size(labels), 2);
    json_decref(labels);
}
END_TEST

START_TEST(foreign_labels_are_refused)
{
    struct hf_facts facts = some_facts();
    _cleanup_(hf_json_freep) json_t *fixed =
        json_pack("{s:s, s:s, s:i, s:s}", "node-role.kubernetes.io/control-plane", "", "edge.codcompass.io/a",
                  "not valid!", "edge.codcompass.io/b", 1, "edge.codcompass.io/c", "yes");
    struct hf_syncpolicy policy = {.static_labels = fixed};
    struct hf_issues refused = {0};
    json_t *labels = NULL;

    ck_assert_int_eq(hf_labels_desired(&facts, &policy, &labels, &refused), 0);
    ck_assert_uint_eq(json_object_size(labels), 1);
    ck_assert_uint_eq(refused.n_errors, 3);
    ck_assert_str_eq(refused.errors[0].path, "spec.labels.static['node-role.kubernetes.io/control-plane']");
    json_decref(labels);
}
END_TEST

static const struct {
    const char *name, *node, *desired;
    bool want;
} dues[] = {
    {"all there", "{'metadata':{'labels':{'e/a':'1','x':'y'}}}", "{'e/a':'1'}", false},
    {"one lacks", "{'metadata':{'labels':{'x':'y'}}}", "{'e/a':'1'}", true},
    {"another value", "{'metadata':{'labels':{'e/a':'2'}}}", "{'e/a':'1'}", true},
    {"no labels at all", "{'metadata':{}}", "{'e/a':'1'}", true},
    {"nothing wanted, nothing owned", "{'metadata':{'labels':{'e/a':'1'}}}", "{}", false},
    {"owned and no longer wanted",
     "{'metadata':{'labels':{'e/a':'1','e/b':'1'},'managedFields':[{'manager':'holdfast-agent','operation':'Apply',"
     "'fieldsV1':{'f:metadata':{'f:labels':{'f:e/a':{},'f:e/b':{}}}}}]}}",
     "{'e/a':'1'}", true},
    {"owned by another manager",
     "{'metadata':{'labels':{'e/a':'1','e/b':'1'},'managedFields':[{'manager':'kubectl','operation':'Apply',"
     "'fieldsV1':{'f:metadata':{'f:labels':{'f:e/b':{}}}}}]}}",
     "{'e/a':'1'}", false},
    {"ours, but by an update",
     "{'metadata':{'labels':{'e/a':'1','e/b':'1'},'managedFields':[{'manager':'holdfast-agent','operation':'Update',"
     "'fieldsV1':{'f:metadata':{'f:labels':{'f:e/b':{}}}}}]}}",
     "{'e/a':'1'}", false},
    {"odd managed fields", "{'metadata':{'labels':{'e/a':'1'},'managedFields':[1,{},{'manager':7},null]}}",
     "{'e/a':'1'}", false},
};

static json_t *parse(const char *text)
{
    char copy[1024];

    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_loads(copy, 0, NULL);
    ck_assert_msg(json != NULL, "%s", copy);
    return json;
}

START_TEST(due)
{
    _cleanup_(hf_json_freep) json_t *node = parse(dues[_i].node), *desired = parse(dues[_i].desired);

    ck_assert_msg(hf_labels_due(node, desired) == dues[_i].want, "%s", dues[_i].name);
}
END_TEST

START_TEST(body)
{
    _cleanup_(hf_json_freep) json_t *desired = parse("{'e/a':'1'}"), *got = NULL;
    _cleanup_(hf_json_freep) json_t *want =
        parse("{'apiVersion':'v1','kind':'Node','metadata':{'name':'n','labels':{'e/a':'1'},'uid':'12-34'}}");

    ck_assert_int_eq(hf_labels_apply_body("n", "12-34", desired, &got), 0);
    ck_assert(json_equal(got, want));
}
END_TEST

START_TEST(local)
{
    struct hf_facts facts = some_facts();
    _cleanup_(hf_json_freep) json_t *desired = parse("{'edge.codcompass.io/tier':'x'}"), *got = NULL;
    _cleanup_(hf_json_freep) json_t *want = parse("{'kubernetes.io/arch':'arm64','kubernetes.io/os':'linux',"
                                                  "'kubernetes.io/hostname':'n','edge.codcompass.io/tier':'x'}");

    ck_assert_int_eq(hf_labels_local(&facts, "n", desired, &got), 0);
    ck_assert(json_equal(got, want));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, key, 0, HF_LEN(keys));
    tcase_add_loop_test(tc, value, 0, HF_LEN(values));
    tcase_add_test(tc, policy_wins);
    tcase_add_test(tc, foreign_labels_are_refused);
    tcase_add_loop_test(tc, due, 0, HF_LEN(dues));
    tcase_add_test(tc, body);
    tcase_add_test(tc, local);
}

HF_TEST_MAIN("node/labels", cases)
