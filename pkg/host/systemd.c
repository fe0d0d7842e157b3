/* SPDX-License-Identifier: Apache-2.0 */
#include "host/systemd.h"

#include <errno.h>
#include <stdio.h>

#include "host/place.h"
#include "loop/loop.h"

#define STATE_NS (10 * HF_NS_PER_S)
#define JOB_NS (60 * HF_NS_PER_S) /* a start, until the agent is ready */

struct systemd_answer {
    struct hf_loop *loop;
    struct hf_err *err;
    char *active; /* of HF_HOSTLIFE_STATE, or NULL */
    int r;
};

static void on_done(void *arg, int r, const struct hf_err *err)
{
    struct systemd_answer *answer = arg;

    answer->r = r;
    if (r < 0 && answer->err != NULL)
        *answer->err = *err;
    hf_loop_stop(answer->loop);
}

static void on_state(void *arg, int r, const char *active, HF_UNUSED const char *sub, const struct hf_err *err)
{
    const struct systemd_answer *answer = arg;

    (void)snprintf(answer->active, HF_HOSTLIFE_STATE, "%s", active);
    on_done(arg, r, err);
}

static int act(void *ctx, enum hf_unit_act what, struct hf_err *err)
{
    struct systemd_answer answer = {.loop = ctx, .err = err, .r = -EINTR};
    const struct hf_unit_ops *unit = hf_loop_unit(ctx);
    struct hf_unit_call *call;
    int r = unit->act(unit->ctx, what, HF_HOSTLIFE_UNIT_NAME, JOB_NS, on_done, &answer, &call, err);

    if (r < 0)
        return r;
    hf_loop_run(ctx);
    return answer.r;
}

static int restart(void *ctx, struct hf_err *err)
{
    struct systemd_answer answer = {.loop = ctx, .err = err, .r = -EINTR};
    const struct hf_unit_ops *unit = hf_loop_unit(ctx);
    struct hf_unit_call *call;
    int r = unit->restart(unit->ctx, HF_HOSTLIFE_UNIT_NAME, JOB_NS, on_done, &answer, &call, err);

    if (r < 0)
        return r;
    hf_loop_run(ctx);
    return answer.r;
}

static int state(void *ctx, char active[HF_HOSTLIFE_STATE], struct hf_err *err)
{
    struct systemd_answer answer = {.loop = ctx, .err = err, .r = -EINTR, .active = active};
    const struct hf_unit_ops *unit = hf_loop_unit(ctx);
    struct hf_unit_call *call;
    int r = unit->state(unit->ctx, HF_HOSTLIFE_UNIT_NAME, STATE_NS, on_state, &answer, &call, err);

    if (r < 0)
        return r;
    hf_loop_run(ctx);
    return answer.r;
}

struct hf_hostlife_systemd hf_hostlife_systemd(struct hf_loop *loop)
{
    return (struct hf_hostlife_systemd){.ctx = loop, .act = act, .restart = restart, .state = state};
}
