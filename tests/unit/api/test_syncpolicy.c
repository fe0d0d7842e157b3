/* SPDX-License-Identifier: Apache-2.0 */
#include "api/syncpolicy.h"

#include <errno.h>

#include "base/clock.h"
#include "support/check_main.h"

static struct hf_issues issues;

static struct hf_syncpolicy *make(const char *yaml)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_syncpolicy *policy = NULL;

    ck_assert_int_eq(hf_yaml_parse(hf_view_of(yaml), NULL, &json, NULL), 0);
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    ck_assert_msg(r == 0, "%s: %s", issues.errors[0].path, issues.errors[0].text);
    return policy;
}

START_TEST(defaults)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *p = make("metadata: {name: p}\nspec: {}\n");

    ck_assert_uint_eq(p->interval_ns, 300 * HF_NS_PER_S);
    ck_assert_uint_eq(p->retry_interval_ns, 30 * HF_NS_PER_S);
    ck_assert_uint_eq(p->timeout_ns, 120 * HF_NS_PER_S);
    ck_assert_uint_eq(p->stale_window_ns, 72ull * 3600 * HF_NS_PER_S);
    ck_assert_int_eq(p->on_expiry, HF_ON_EXPIRY_HOLD);
    ck_assert_uint_eq(p->clock_max_skew_ns, 300 * HF_NS_PER_S);
    ck_assert(!p->clock_resync && p->detect_labels && p->static_labels == NULL);
    ck_assert_ptr_null(p->not_acted_on[0]);
    ck_assert_int_eq(p->priority, 0);
}
END_TEST

START_TEST(fields)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *p =
        make("metadata: {name: p, uid: u-1, resourceVersion: '7', generation: 3}\n"
             "spec: {priority: -3, interval: 1m, staleOk: {window: 1h, onExpiry: Continue}, clock: {resync: true},\n"
             "  labels: {detect: false, static: {edge.codcompass.io/tier: x}}, telemetry: {}, disk: {reclaim: true}, "
             "future: 1}\n");

    ck_assert_str_eq(p->meta.uid, "u-1");
    ck_assert_str_eq(p->meta.resource_version, "7");
    ck_assert_int_eq(p->meta.generation, 3);
    ck_assert_int_eq(p->priority, -3);
    ck_assert_int_eq(p->on_expiry, HF_ON_EXPIRY_CONTINUE);
    ck_assert_uint_eq(p->stale_window_ns, 3600 * HF_NS_PER_S);
    ck_assert(p->clock_resync && !p->detect_labels);
    ck_assert_str_eq(hf_json_str(p->static_labels, "edge.codcompass.io/tier") != NULL ? "" : "x",
                     "x"); /* key has dots */
    ck_assert_str_eq(json_string_value(json_object_get(p->static_labels, "edge.codcompass.io/tier")), "x");
    ck_assert_ptr_null(p->not_acted_on[0]);
    ck_assert_uint_eq(issues.n_warnings, 1);
    ck_assert_str_eq(issues.warnings[0].path, "spec.future");
}
END_TEST

START_TEST(removal_grace_is_one_interval_by_default)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *none = make("{metadata: {name: a}, spec: {interval: 1m}}");
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *zero = make("{metadata: {name: a}, spec: {removalGrace: 0s}}");
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *hour = make("{metadata: {name: a}, spec: {removalGrace: 1h}}");

    ck_assert_uint_eq(none->removal_grace_ns, 60 * HF_NS_PER_S);
    ck_assert_uint_eq(zero->removal_grace_ns, 0);
    ck_assert_uint_eq(hour->removal_grace_ns, 3600 * HF_NS_PER_S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, removal_grace_is_one_interval_by_default);
}
HF_TEST_MAIN("api/syncpolicy", cases)
