/* SPDX-License-Identifier: Apache-2.0 */
/* agent/images/images.h - only images of a signed list are pulled: keeps the list for holdfast-verify, reports what it
 * refused, and looks for what it cannot see (the condition ImagesVerified). Loop thread only. */
#pragma once

#include "agent/images/finding.h"
#include "agent/images/keep.h"
#include "agent/images/runtime.h"
#include "alone/places.h"
#include "loop/proc.h"

struct hf_images {
    const struct hf_agent_env *env;
    struct hf_image_keep keep;
    struct hf_images_finding finding; /* for the status: ImagesVerified */
    struct hf_images_finding hosts;   /* MirrorConfigured */
    struct hf_images_finding outside; /* of the last look at containerd; .reason NULL: none has ended */
    char folder[256];                 /* <run>/images, where refusals are noted; "": none */
    struct hf_watch *watch;           /* NULL: refusals are read once per interval */
    bool refused;                     /* the folder has changed */
    uint64_t take_ns;                 /* mono: not before */
    /* a look, one process after the other: */
    enum { HF_IMAGES_IDLE, HF_IMAGES_VERSION, HF_IMAGES_STORED, HF_IMAGES_RUNNING } step;
    struct hf_proc_call *call;
    uint64_t look_ns; /* mono: not before */
    const struct hf_alone_place *place;
    char socket[256];
    struct hf_buf stored;                      /* what `crictl images` printed */
    void (*tell)(void *arg, const char *text); /* pulls were refused */
    void *arg;
};

/* Set tell and arg next. */
void hf_images_init(struct hf_images *images, const struct hf_agent_env *env);
void hf_images_done(struct hf_images *images);

/* After each choice of the policies in effect, which each interval makes, and after the mirror has followed it. Starts
 * a look. */
void hf_images_follow(struct hf_images *images, const struct hf_policy_set *set);

/* In each turn: reads refusals, at most every 10 s. */
void hf_images_work(struct hf_images *images);
uint64_t hf_images_wait_until_ns(const struct hf_images *images);
