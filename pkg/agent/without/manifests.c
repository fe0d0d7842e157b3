/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/sets.h"
#include "agent/features.h"
#include "alone/alone.h"

HF_FEATURE_LEFT_OUT(manifests);

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy)
{
    *sets = (struct hf_sets){.env = env, .policy = policy};
}

int hf_sets_open(HF_UNUSED struct hf_sets *sets, HF_UNUSED const char *arch, HF_UNUSED struct hf_err *err)
{
    return 0;
}

void hf_sets_done(HF_UNUSED struct hf_sets *sets)
{
}

void hf_sets_run(HF_UNUSED struct hf_sets *sets, HF_UNUSED const struct hf_sets_input *input)
{
}

void hf_sets_check(HF_UNUSED struct hf_sets *sets)
{
}

void hf_sets_link_opened(HF_UNUSED struct hf_sets *sets)
{
}

void hf_sets_look_alone(HF_UNUSED struct hf_sets *sets)
{
}

void hf_manifest_engine_each(HF_UNUSED struct hf_manifest_engine *engine,
                             HF_UNUSED void (*visit)(void *arg, const struct hf_manifest_status *status),
                             HF_UNUSED void *arg)
{
}

const char *hf_alone_status(HF_UNUSED const struct hf_alone *alone, HF_UNUSED const char *entry,
                            HF_UNUSED const char **ret_message)
{
    return NULL;
}
