/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent's parts ask about its life on the host: a table of functions, so that the update engine and its tests
 * need no supervisor (agent/process/supervised.h has the real one). Loop thread only. */
#pragma once

#include <stdint.h>

#include "supervisor/state.h"

struct hf_life_ops {
    void *ctx;
    const char *dir; /* folder of supervisor/state.h */
    /* slot that this process runs from, or ""; it is judged only while `current` names it */
    const char *slot;
    uint64_t probation_ns;
    /* Whether the agent judges itself healthy, and for how long without a break, sleep of the machine not counted. It
     * can be healthy while a release waits for its verdict (below). */
    bool (*healthy)(void *ctx, uint64_t *ret_for_ns);
    /* A release of kind Agent begins or stops waiting for its verdict; until it stops, the agent does not report
     * healthy to the supervisor. Called before the loop runs, and at each change. */
    void (*awaits_verdict)(void *ctx, bool waits);
    /* Ends this process soon, as `current` names another build; the supervisor counts no crash. */
    void (*restart)(void *ctx, const char *why);
    /* Reads which build the supervisor gave up last. False: none, or unreadable. Blocks briefly. */
    bool (*verdict)(void *ctx, struct hf_supervisor_note *ret_verdict);
};
