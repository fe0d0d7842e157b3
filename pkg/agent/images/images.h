/* SPDX-License-Identifier: Apache-2.0 */
/* Lets only images of a signed list run on this node: writes the list for holdfast-verify, reports refusals, and looks
 * for containers that bypass holdfast-verify. */
#pragma once

#include "agent/images/finding.h"
#include "agent/images/keep.h"
#include "alone/places.h"
#include "loop/proc.h"

struct hf_images {
    const struct hf_agent_env *env;
    struct hf_image_keep keep;
    struct hf_images_finding finding;
    struct hf_images_finding hosts;
    struct hf_images_finding outside; /* what the last look found; .reason NULL: no look has ended */
    char folder[256];                 /* <run>/images, with refusals; or "" */
    struct hf_watch *watch;
    bool refused;
    uint64_t take_ns;
    enum { HF_IMAGES_IDLE, HF_IMAGES_VERSION, HF_IMAGES_STORED, HF_IMAGES_RUNNING } step;
    struct hf_proc_call *call;
    struct hf_images_judge *judge;
    uint64_t look_ns;
    uint64_t looked;
    const struct hf_alone_place *place;
    char socket[256], store[320]; /* containerd's socket and content store */
    struct hf_buf stored;
    void (*tell)(void *arg, const char *text);
    void *arg;
};

void hf_images_init(struct hf_images *images, const struct hf_agent_env *env);
void hf_images_done(struct hf_images *images);

/* Call it after each choice of policies and hf_image_mirror_follow(). May start a look. */
void hf_images_follow(struct hf_images *images, const struct hf_policy_set *set);

/* Takes refusals, every 10 s at most. */
void hf_images_work(struct hf_images *images);
uint64_t hf_images_wait_until_ns(const struct hf_images *images);
