/* SPDX-License-Identifier: Apache-2.0 */
/* support/loop_for.h - the real loop for a while, or until something holds.
 *
 * A fixed time before an assertion is too short on some machine: use one only to see that something does not happen,
 * or takes as long as it has to. */
#pragma once

#include "loop/loop.h"

void loop_run_for(struct hf_loop *loop, uint64_t ns);

/* Turns of a millisecond: a machine that stands still uses none. */
enum { LOOP_TURNS = 20000 };

/* Runs the loop until `condition`, which it evaluates before each turn. Returns false if that takes LOOP_TURNS. */
#define loop_run_until(loop, condition)                                                                                \
    ({                                                                                                                 \
        unsigned turns_ = 0;                                                                                           \
        bool holds_;                                                                                                   \
        while (!(holds_ = (condition)) && turns_++ < LOOP_TURNS)                                                       \
            loop_run_for((loop), HF_NS_PER_MS);                                                                        \
        holds_;                                                                                                        \
    })

#define loop_wait_for(loop, condition)                                                                                 \
    ck_assert_msg(loop_run_until(loop, condition), "not within %d turns: %s", LOOP_TURNS, #condition)

/* How long this thread has waited for a processor. On a busy machine a test measures that much more than the code
 * takes, and more still where other threads work for it. 0: the kernel does not count it. */
uint64_t loop_starved_ns(void);
