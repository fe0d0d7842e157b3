/* SPDX-License-Identifier: Apache-2.0 */
#include "support/loop_for.h"

#include <stdio.h>

static void stop(void *loop)
{
    hf_loop_stop(loop);
}

void loop_run_for(struct hf_loop *loop, uint64_t ns)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_timer *timer = hf_timer_new(sched, stop, loop);

    hf_timer_arm(sched, timer, ns);
    hf_loop_run(loop);
    hf_timer_free(sched, timer);
}

uint64_t loop_starved_ns(void)
{
    unsigned long long ran, waited = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");

    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    (void)fclose(file);
    return waited;
}
