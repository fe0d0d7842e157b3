/* SPDX-License-Identifier: Apache-2.0 */
/* The outside world of a part of a process. Passed by value: a copy may have another file system. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/sched.h"

struct hf_metrics; /* web/metrics.h */

struct hf_world {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
};
