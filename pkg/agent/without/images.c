/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/images.h"
#include "agent/features.h"
#include "agent/images/image_mirror.h"

HF_FEATURE_LEFT_OUT(images);

void hf_images_init(struct hf_images *images, const struct hf_agent_env *env)
{
    *images = (struct hf_images){.env = env};
}

void hf_images_done(HF_UNUSED struct hf_images *images)
{
}

void hf_images_follow(HF_UNUSED struct hf_images *images, HF_UNUSED const struct hf_policy_set *set)
{
}

void hf_images_work(HF_UNUSED struct hf_images *images)
{
}

uint64_t hf_images_wait_until_ns(HF_UNUSED const struct hf_images *images)
{
    return HF_NEVER;
}

struct hf_image_mirror {
    char none;
};

struct hf_image_mirror *hf_image_mirror_new(HF_UNUSED const struct hf_image_mirror_params *params)
{
    static struct hf_image_mirror mirror;

    return &mirror;
}

void hf_image_mirror_free(HF_UNUSED struct hf_image_mirror *mirror)
{
}

void hf_image_mirror_configure(HF_UNUSED struct hf_image_mirror *mirror, HF_UNUSED const struct hf_config *config)
{
}

void hf_image_mirror_follow(HF_UNUSED struct hf_image_mirror *mirror, HF_UNUSED const struct hf_syncpolicy *policy)
{
}

void hf_image_mirror_report(HF_UNUSED struct hf_image_mirror *mirror, HF_UNUSED void (*ready_changed)(void *arg),
                            HF_UNUSED void (*prefetched)(void *arg, uint64_t bytes), HF_UNUSED void *arg)
{
}

void hf_image_mirror_gate(HF_UNUSED struct hf_image_mirror *mirror, HF_UNUSED const char *closed)
{
}

struct hf_mirror_ready hf_image_mirror_ready(HF_UNUSED const struct hf_image_mirror *mirror)
{
    return (struct hf_mirror_ready){.asked = false};
}
