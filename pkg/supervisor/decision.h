/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which build of the agent to start next. Pure; tests/golden/supervisor.txt has every case. */
#pragma once

#include "supervisor/state.h"

enum hf_supervisor_event {
    HF_SUPERVISOR_BEGIN,          /* the supervisor starts; no agent ran yet */
    HF_SUPERVISOR_NOT_EXECUTABLE, /* the kernel refuses the program */
    HF_SUPERVISOR_NOT_STARTED,    /* it did not start, for a reason such as too little memory */
    HF_SUPERVISOR_ENDED,
    HF_SUPERVISOR_LOCKED, /* it ended because another agent has the state folder */
    HF_SUPERVISOR_HUNG,
    HF_SUPERVISOR_LATE,    /* it was on trial, and not healthy in time */
    HF_SUPERVISOR_RESTART, /* it ended as announced */
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
    const char *start; /* slot to start, to which `current` shall lead; NULL: none */
    unsigned wait_s;
    const char *give_up; /* why `ran` is given up (write the verdict before the start); NULL: it is not given up */
    bool forget;         /* remove the verdict: `current` names its slot again */
};

/* The slot to use if `slot` turns out bad: `good`, or, if that is `slot`, `previous`, unless given up. NULL: none. */
const char *hf_supervisor_other(const struct hf_supervisor_facts *facts, const char *slot);

struct hf_supervisor_decision hf_supervisor_decide(const struct hf_supervisor_facts *facts);
