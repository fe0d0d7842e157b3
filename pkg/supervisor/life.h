/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of an agent ask of its life on the host. A table of functions, so that the update engine and its tests
 * need no supervisor; agent/process/supervised.h has the real one. Loop thread only. */
#pragma once

#include <stdint.h>

#include "supervisor/state.h"

struct hf_life_ops {
    void *ctx;
    const char *dir;       /* absolute path of the host folder (supervisor/state.h) */
    const char *slot;      /* that this process runs from; "": unknown. Only the slot of `current` may be judged */
    uint64_t probation_ns; /* an agent is proven when it has been healthy for so long */
    /* How long the agent has been healthy by its own judgement without a break, sleep of the machine left out (a
     * release of kind Agent that waits for its verdict is no part of that judgement). False: it is not healthy. */
    bool (*healthy)(void *ctx, uint64_t *ret_for_ns);
    /* A release of kind Agent waits for its verdict (call before the loop turns, and at each change): the agent does
     * not tell the supervisor that it is healthy before this ends. */
    void (*awaits_verdict)(void *ctx, bool waits);
    /* `current` names another build now: ends this process soon, without the supervisor taking it for a crash. */
    void (*restart)(void *ctx, const char *why);
    /* The build that the supervisor gave up last. False: none, or it cannot be read. Blocks shortly. */
    bool (*verdict)(void *ctx, struct hf_supervisor_note *ret_verdict);
};
