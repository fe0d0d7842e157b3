/* SPDX-License-Identifier: Apache-2.0 */
/* A SyncPolicy as YAML (so JSON too): refused with reasons, or within its bounds. A good one is valid in effect, too. */
#include "api/policies/policy_set.h"
#include "base/clock.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct hf_issues issues;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_buf_done) struct hf_buf told = HF_BUF_INIT(700);
    struct hf_err err = HF_ERR_INIT;

    if (hf_yaml_parse((struct hf_view){(const char *)bytes, n}, NULL, &json, &err) < 0)
        return 0;
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    hf_issues_format(&issues, &told);
    if ((r == 0) != (issues.n_errors == 0) || (r == 0) != (policy != NULL) || (r < 0) != (told.n > 0))
        abort();
    if (r < 0)
        return 0;
    const struct hf_policy_member members[] = {{.policy = policy}};
    const struct hf_policy_set_input input = {.members = members, .n_members = 1};
    _cleanup_(hf_policy_set_freep) struct hf_policy_set *set = NULL;
    if (hf_policy_set_compose(&input, &set, &err) != 0 || set->n_passed > 0 ||
        set->effective->interval_ns != policy->interval_ns || set->effective->n_manifests != policy->n_manifests)
        abort();
    if (policy->interval_ns < 10 * HF_NS_PER_S || policy->retry_interval_ns == 0 || policy->timeout_ns == 0)
        abort();
    return 0;
}
