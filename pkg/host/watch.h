/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when the pod's agent steps in for the host's, and back. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct hf_hostlife_watch {
    uint64_t gone_since_ns; /* HF_NEVER: no agent is missed */
};

struct hf_hostlife_seen {
    bool locked; /* another process has locked the state folder */
    bool wanted; /* the host's unit runs, or will soon */
    bool acts;
};

enum hf_hostlife_step { HF_HOSTLIFE_KEEP, HF_HOSTLIFE_STEP_IN, HF_HOSTLIFE_STEP_BACK };

enum hf_hostlife_step hf_hostlife_watch_step(struct hf_hostlife_watch *watch, const struct hf_hostlife_seen *seen,
                                             uint64_t now_ns);
