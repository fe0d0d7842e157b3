/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "agent/without/without.h"
#include "loop/core.h"
#include "telemetry/source/source.h"

HF_FEATURE_LEFT_OUT(systemd);

/* The agent refuses a unit before it asks for one of these (allows_unit() of agent.c). */
static int change(void *ctx, const char *unit, uint64_t timeout_ns,
                  void (*done)(void *arg, int r, const struct hf_err *err), void *arg, struct hf_unit_call **ret_call,
                  struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_SYSTEMD, err);
    return -ENOTCONN;
}

static int act(void *ctx, enum hf_unit_act act, const char *unit, uint64_t timeout_ns,
               void (*done)(void *arg, int r, const struct hf_err *err), void *arg, struct hf_unit_call **ret_call,
               struct hf_err *err)
{
    return change(ctx, unit, timeout_ns, done, arg, ret_call, err);
}

static int state(void *ctx, const char *unit, uint64_t timeout_ns,
                 void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                              const struct hf_err *err),
                 void *arg, struct hf_unit_call **ret_call, struct hf_err *err)
{
    return change(ctx, unit, timeout_ns, NULL, arg, ret_call, err);
}

static void cancel(void *ctx, struct hf_unit_call *call)
{
}

void hf_unit_init(struct hf_loop *loop)
{
    loop->unit = (struct hf_unit_ops){
        .ctx = loop, .restart = change, .reload = change, .act = act, .state = state, .cancel = cancel};
}

/* Of spec.telemetry: the journal. */
int hf_source_journald_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                           const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    (void)hf_feature_has(HF_FEATURE_SYSTEMD, err);
    return -ENOSYS;
}
