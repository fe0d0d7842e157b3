/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking calls to systemd about the agent's unit; tests replace them. Main thread. */
#pragma once

#include "base/err.h"
#include "loop/unit.h"

struct hf_loop;

enum { HF_HOSTLIFE_STATE = 32 };

struct hf_hostlife_systemd {
    void *ctx;
    HF_MUST_USE int (*act)(void *ctx, enum hf_unit_act act, struct hf_err *err);
    HF_MUST_USE int (*restart)(void *ctx, struct hf_err *err);
    HF_MUST_USE int (*state)(void *ctx, char active[HF_HOSTLIFE_STATE], struct hf_err *err);
};

/* Each call runs the borrowed loop, which must not be running. */
struct hf_hostlife_systemd hf_hostlife_systemd(struct hf_loop *loop);
