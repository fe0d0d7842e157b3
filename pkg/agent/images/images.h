/* SPDX-License-Identifier: Apache-2.0 */
/* Only images of a signed list: keeps it for holdfast-verify, reports refusals, and looks for what that cannot see. */
#pragma once

#include "agent/images/finding.h"
#include "agent/images/keep.h"
#include "alone/places.h"
#include "loop/proc.h"

struct hf_images {
    const struct hf_agent_env *env;
    struct hf_image_keep keep;
    struct hf_images_finding finding; /* ImagesVerified */
    struct hf_images_finding hosts;   /* MirrorConfigured */
    struct hf_images_finding outside; /* found by the last look; .reason NULL: none has ended */
    char folder[256];                 /* <run>/images, with refusals; or "" */
    struct hf_watch *watch;           /* NULL: once per interval */
    bool refused;                     /* the folder has changed */
    uint64_t take_ns;                 /* mono: not before */
    /* a look: processes, then a worker: */
    enum { HF_IMAGES_IDLE, HF_IMAGES_VERSION, HF_IMAGES_STORED, HF_IMAGES_RUNNING } step;
    struct hf_proc_call *call;
    struct hf_images_judge *judge;
    uint64_t look_ns; /* mono: not before */
    uint64_t looked;  /* list's sequence in the last look */
    const struct hf_alone_place *place;
    char socket[256], store[320];              /* containerd's */
    struct hf_buf stored;                      /* of `crictl images` */
    void (*tell)(void *arg, const char *text); /* refused pulls */
    void *arg;
};

/* The caller sets tell and arg. */
void hf_images_init(struct hf_images *images, const struct hf_agent_env *env);
void hf_images_done(struct hf_images *images);

/* Call it after each choice of policies, after the mirror. Starts a look. */
void hf_images_follow(struct hf_images *images, const struct hf_policy_set *set);

/* Each turn: takes refusals, every 10 s at most. */
void hf_images_work(struct hf_images *images);
uint64_t hf_images_wait_until_ns(const struct hf_images *images);
