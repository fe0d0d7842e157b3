/* SPDX-License-Identifier: Apache-2.0 */
/* Which build of the agent to start next. Pure; tests/golden/supervisor.txt has every case. */
#pragma once

#include "supervisor/state.h"

enum hf_supervisor_event {
    HF_SUPERVISOR_BEGIN,          /* the supervisor starts; nothing ran yet */
    HF_SUPERVISOR_NOT_EXECUTABLE, /* the kernel refuses the program */
    HF_SUPERVISOR_NOT_STARTED,    /* for a reason that is not the program's, such as no memory */
    HF_SUPERVISOR_ENDED,          /* by itself */
    HF_SUPERVISOR_LOCKED,         /* it ended because another agent has the state folder */
    HF_SUPERVISOR_HUNG,
    HF_SUPERVISOR_LATE,    /* on trial, and not healthy in time */
    HF_SUPERVISOR_RESTART, /* it ended on purpose, and has said so */
    HF_SUPERVISOR_EVENTS,
};

/* Names of slots; "" where there is none, or an invalid one. */
struct hf_supervisor_facts {
    const char *current, *good, *previous;
    const char *given_up; /* of the verdict */
    const char *ran;      /* the slot that `event` is about; "" at the begin */
    enum hf_supervisor_event event;
    unsigned ends; /* of `ran` in a row, this one too: before it was healthy, or soon after their starts */
};

struct hf_supervisor_decision {
    const char *start;   /* one of the facts, which `current` is to name; NULL: there is none */
    unsigned wait_s;     /* before the start */
    const char *give_up; /* the reason to give up `ran`: write the verdict first; NULL: none */
    bool forget;         /* remove the verdict: its slot is wanted anew */
};

/* Where to go if `slot` turns out bad: to what was healthy last; from that, to the one before, unless it was given up
 * itself. NULL: nowhere. */
const char *hf_supervisor_other(const struct hf_supervisor_facts *facts, const char *slot);

struct hf_supervisor_decision hf_supervisor_decide(const struct hf_supervisor_facts *facts);
