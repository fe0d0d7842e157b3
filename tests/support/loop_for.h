/* SPDX-License-Identifier: Apache-2.0 */
/* support/loop_for.h - the real loop for a while, or until something holds.
 *
 * A fixed time before an assertion is too short on some machine: use it for what must not happen, or has to take time. */
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

/* How long this thread has waited for a processor: a busy machine adds as much, and somewhat more where others have to
 * work for it, to each time that a test measures. 0 where the kernel does not count it. */
uint64_t loop_starved_ns(void);
