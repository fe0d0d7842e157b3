/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/images.h"

#include <stdlib.h>

#include "agent/images/image_mirror.h"
#include "agent/without/without.h"

HF_FEATURE_LEFT_OUT(images);

void hf_images_init(struct hf_images *images, const struct hf_agent_env *env)
{
    *images = (struct hf_images){.env = env};
}

HF_FEATURE_NOTHING(hf_images_done(struct hf_images *images));
HF_FEATURE_NOTHING(hf_images_follow(struct hf_images *images, const struct hf_policy_set *set));
HF_FEATURE_NOTHING(hf_images_work(struct hf_images *images));
HF_FEATURE_RETURNS(uint64_t hf_images_wait_until_ns(const struct hf_images *images), HF_NEVER);
HF_FEATURE_EMPTY(hf_image_mirror,
                 struct hf_image_mirror *hf_image_mirror_new(const struct hf_image_mirror_params *params));
HF_FEATURE_NOTHING(hf_image_mirror_free(struct hf_image_mirror *mirror));
HF_FEATURE_NOTHING(hf_image_mirror_configure(struct hf_image_mirror *mirror, const struct hf_config *config));
HF_FEATURE_NOTHING(hf_image_mirror_follow(struct hf_image_mirror *mirror, const struct hf_syncpolicy *policy));
void hf_image_mirror_take(HF_UNUSED struct hf_image_mirror *mirror, struct hf_image_workloads *workloads)
{
    free(workloads->names);
}

HF_FEATURE_NOTHING(hf_image_mirror_report(struct hf_image_mirror *mirror, void (*ready_changed)(void *arg),
                                          void (*prefetched)(void *arg, uint64_t bytes), void *arg));
HF_FEATURE_NOTHING(hf_image_mirror_gate(struct hf_image_mirror *mirror, const char *closed));
HF_FEATURE_RETURNS(struct hf_mirror_ready hf_image_mirror_ready(const struct hf_image_mirror *mirror),
                   (struct hf_mirror_ready){.asked = false});
HF_FEATURE_RETURNS(bool hf_image_mirror_has_all(const struct hf_image_mirror *mirror), false);
