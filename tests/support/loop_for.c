/* SPDX-License-Identifier: Apache-2.0 */
#include "support/loop_for.h"

static void stop(void *loop)
{
    hf_loop_stop(loop);
}

void loop_run_for(struct hf_loop *loop, uint64_t ns)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_timer *timer = sched->timer_new(sched->ctx, stop, loop);

    sched->timer_arm(sched->ctx, timer, ns);
    hf_loop_run(loop);
    sched->timer_free(sched->ctx, timer);
}
