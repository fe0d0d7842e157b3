/* SPDX-License-Identifier: Apache-2.0 */
/* support/fakes/fiber.h - a function on a stack of its own, which can be left in the middle and resumed later.
 *
 *     struct hf_fiber *fiber = hf_fiber_new(work, arg);
 *     while (!hf_fiber_resume(fiber))
 *         ... `work` called hf_fiber_leave(): do something else ...
 *
 * With it, two pieces of work of one process take turns on one thread, in an order that the test chooses. Threads: all
 * calls on one fiber come from one thread. Aborts on OOM. */
#pragma once

#include <stdbool.h>

struct hf_fiber;

struct hf_fiber *hf_fiber_new(void (*run)(void *arg), void *arg);
/* Runs the function until it leaves or ends. True: it has ended, and the fiber is freed. */
bool hf_fiber_resume(struct hf_fiber *fiber);
/* Goes back to hf_fiber_resume(), and returns when the fiber is resumed. Only inside a fiber. */
void hf_fiber_leave(void);
