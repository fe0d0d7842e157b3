/* SPDX-License-Identifier: Apache-2.0 */
/* When the pod steps in for the host's agent, and back. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct hf_hostlife_watch {
    uint64_t gone_since_ns; /* HF_NEVER: there */
};

struct hf_hostlife_seen {
    bool locked; /* the state folder, by another process */
    bool wanted; /* the host's unit runs, or soon: it may wait for the folder */
    bool acts;   /* pod's own agent runs */
};

enum hf_hostlife_step { HF_HOSTLIFE_KEEP, HF_HOSTLIFE_STEP_IN, HF_HOSTLIFE_STEP_BACK };

enum hf_hostlife_step hf_hostlife_watch_step(struct hf_hostlife_watch *watch, const struct hf_hostlife_seen *seen,
                                             uint64_t now_ns);
