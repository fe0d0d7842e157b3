/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/sets.h"
#include "agent/images/image_mirror.h"
#include "agent/without/without.h"
#include "alone/alone.h"

HF_FEATURE_LEFT_OUT(manifests);

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy)
{
    *sets = (struct hf_sets){.env = env, .policy = policy};
}

HF_FEATURE_RETURNS(int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err), 0);
HF_FEATURE_NOTHING(hf_sets_done(struct hf_sets *sets));
HF_FEATURE_NOTHING(hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input));
HF_FEATURE_NOTHING(hf_sets_check(struct hf_sets *sets));
HF_FEATURE_NOTHING(hf_sets_link_opened(struct hf_sets *sets));
HF_FEATURE_NOTHING(hf_sets_look_alone(struct hf_sets *sets));
HF_FEATURE_RETURNS(struct hf_image_workloads hf_sets_find_images(const struct hf_sets *sets),
                   (struct hf_image_workloads){.asked = false});
HF_FEATURE_NOTHING(hf_manifest_engine_each(struct hf_manifest_engine *engine,
                                           void (*visit)(void *arg, const struct hf_manifest_status *status),
                                           void *arg));
HF_FEATURE_RETURNS(const char *hf_alone_status(const struct hf_alone *alone, const char *entry,
                                               const char **ret_message),
                   NULL);
