/* SPDX-License-Identifier: Apache-2.0 */
#include "api/conditions.h"
#include "api/field/issues.h"

#include "base/clock.h"
#include "support/check_main.h"

static const json_t *only(const json_t *conditions)
{
    ck_assert_uint_eq(json_array_size(conditions), 1);
    return json_array_get(conditions, 0);
}

START_TEST(transition_time_follows_the_status)
{
    _cleanup_(hf_json_freep) json_t *list = json_array();
    struct hf_condition ready = {"Ready", "False", "Fetching", "10 of 20 bytes", 3};

    ck_assert_int_eq(hf_conditions_set(list, &ready, 1000 * HF_NS_PER_S), 0);
    ck_assert_str_eq(hf_json_str(only(list), "lastTransitionTime"), "1970-01-01T00:16:40Z");
    ready.reason = "Patching";
    ready.message = NULL;
    ready.observed_generation = 4;
    ck_assert_int_eq(hf_conditions_set(list, &ready, 2000 * HF_NS_PER_S), 0);
    ck_assert_str_eq(hf_json_str(only(list), "lastTransitionTime"), "1970-01-01T00:16:40Z");
    ck_assert_str_eq(hf_json_str(only(list), "reason"), "Patching");
    ck_assert_str_eq(hf_json_str(only(list), "message"), "");
    ck_assert_int_eq(hf_json_int_or(only(list), "observedGeneration", 0), 4);
    ready.status = "True";
    ck_assert_int_eq(hf_conditions_set(list, &ready, 3000 * HF_NS_PER_S), 0);
    ck_assert_str_eq(hf_json_str(only(list), "lastTransitionTime"), "1970-01-01T00:50:00Z");
    struct hf_condition stalled = {"Stalled", "False", "Progressing", "", 0};
    ck_assert_int_eq(hf_conditions_set(list, &stalled, 0), 0);
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_ptr_null(hf_json_at(json_array_get(list, 1), "observedGeneration"));
}
END_TEST

START_TEST(issue_texts)
{
    static struct hf_issues issues;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(100);

    hf_issues_format(&issues, &out);
    ck_assert_str_eq(hf_buf_str(&out), "");
    hf_issue_error(&issues, "spec.a", "expected %d", 5);
    hf_issue_error(&issues, "", "whole");
    hf_issue_warning(&issues, "spec.b", "not told as an error");
    hf_issues_format(&issues, &out);
    ck_assert_str_eq(hf_buf_str(&out), "spec.a: expected 5; whole");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, transition_time_follows_the_status);
    tcase_add_test(tc, issue_texts);
}
HF_TEST_MAIN("api/meta", cases)
