/* SPDX-License-Identifier: Apache-2.0 */
/* Finds on a worker which containers run unlisted images. */
#pragma once

#include <sys/types.h>

#include "agent/images/running.h"
#include "loop/sched.h"

struct hf_images_judge;

struct hf_images_judge_params { /* copied */
    const struct hf_sched_ops *sched;
    const char *list, *store; /* paths of the list (verifier/image_list.h) and of containerd's content store */
    uid_t uid;                /* owner of the list's file */
    struct hf_view running;   /* `crictl ps -o json` */
    void (*done)(void *arg, int r, const struct hf_images_running *running, const struct hf_err *err);
    void *arg;
};

/* Starts the worker. `stored`: output of `crictl images -o json`; moved. -ENOMEM, -ECANCELED: done() is not called. */
HF_MUST_USE int hf_images_judge_start(const struct hf_images_judge_params *params, struct hf_buf *stored,
                                      struct hf_images_judge **ret_judge);

/* Cancels a judgement that has not ended: done() is not called. Accepts NULL. */
void hf_images_judge_cancel(struct hf_images_judge *judge);
