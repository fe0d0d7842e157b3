/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which build of the agent to start next. Pure; cases: tests/golden/supervisor.txt. */
#pragma once

#include "supervisor/state.h"

enum hf_supervisor_event {
    HF_SUPERVISOR_BEGIN, /* the supervisor starts; no agent ran yet */
    HF_SUPERVISOR_NOT_EXECUTABLE,
    HF_SUPERVISOR_NOT_STARTED, /* for lack of memory or the like */
    HF_SUPERVISOR_ENDED,
    HF_SUPERVISOR_LOCKED, /* another agent has the state folder */
    HF_SUPERVISOR_HUNG,
    HF_SUPERVISOR_LATE,    /* on trial, and not healthy in time */
    HF_SUPERVISOR_RESTART, /* it had announced its end */
    HF_SUPERVISOR_EVENTS,
};

/* Names of slots; "": none, or an invalid one. */
struct hf_supervisor_facts {
    const char *current, *good, *previous;
    const char *given_up; /* the slot of the verdict */
    const char *ran;      /* slot that `event` is about; "" at BEGIN */
    enum hf_supervisor_event event;
    unsigned ends; /* how often in a row `ran` ended before it was healthy or soon after a start, including this time */
};

struct hf_supervisor_decision {
    const char *start; /* slot to start, to which `current` must lead; NULL: none */
    unsigned wait_s;
    const char *give_up; /* why `ran` is given up; write the verdict first. NULL: it is not */
    bool forget;         /* remove the verdict: `current` names its slot again */
};

/* The slot to use if `slot` turns out bad: `good`, else `previous` unless given up; never `slot`. NULL: none. */
const char *hf_supervisor_other(const struct hf_supervisor_facts *facts, const char *slot);

struct hf_supervisor_decision hf_supervisor_decide(const struct hf_supervisor_facts *facts);
