/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's unit in systemd's manager, as blocking calls in a table, so that tests can do without. Main thread. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "loop/unit.h"

struct hf_loop;

enum { HF_HOSTLIFE_STATE = 32 };

struct hf_hostlife_systemd {
    void *ctx;
    /* Errors of loop/unit.h. */
    HF_MUST_USE int (*act)(void *ctx, enum hf_unit_act act, struct hf_err *err);
    HF_MUST_USE int (*restart)(void *ctx, struct hf_err *err);
    HF_MUST_USE int (*state)(void *ctx, char active[HF_HOSTLIFE_STATE], struct hf_err *err);
};

/* Runs the loop for each call, which must not run otherwise; borrows it. */
struct hf_hostlife_systemd hf_hostlife_systemd(struct hf_loop *loop);
