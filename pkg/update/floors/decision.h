/* SPDX-License-Identifier: Apache-2.0 */
/* Floor record against the TPM's floor counter: may releases start, and what does the guard (floors/guard.h) do next?
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/update/reason.h"

enum hf_floor_record_state {
    HF_FLOOR_RECORD_UNREAD,
    HF_FLOOR_RECORD_UNREADABLE,
    HF_FLOOR_RECORD_UNWRITABLE,
    HF_FLOOR_RECORD_NONE,    /* none that is undamaged */
    HF_FLOOR_RECORD_CLOSED,  /* blob not yet given to the TPM */
    HF_FLOOR_RECORD_FOREIGN, /* the TPM cannot open the blob, or its key is another record's */
    HF_FLOOR_RECORD_OPEN,    /* sealed by this TPM, unchanged */
    HF_FLOOR_RECORD_COUNT,
};

enum hf_floor_counter_state {
    HF_FLOOR_COUNTER_UNASKED,
    HF_FLOOR_COUNTER_NO_TPM, /* no TPM, or no program holdfast-tpm */
    HF_FLOOR_COUNTER_LOCKED, /* or its owner hierarchy has a password */
    HF_FLOOR_COUNTER_FULL,
    HF_FLOOR_COUNTER_FAILED, /* otherwise, or no answer in time */
    HF_FLOOR_COUNTER_ABSENT,
    HF_FLOOR_COUNTER_KNOWN,
    HF_FLOOR_COUNTER_COUNT,
};

struct hf_floor_facts {
    bool on; /* the comparison, by agent.yaml */
    enum hf_floor_record_state record;
    uint64_t record_value; /* CLOSED, FOREIGN or OPEN */
    bool unread;           /* a file or copy could not be read */
    bool durable;          /* OPEN: no power cut can bring back an older one */
    /* OPEN: the first record; there was neither record nor counter */
    bool begins;
    enum hf_floor_counter_state counter;
    uint64_t counter_value; /* KNOWN */
    bool unsealed;          /* a floor in memory is higher */
};

enum hf_floor_step {
    HF_FLOOR_STEP_REST,
    HF_FLOOR_STEP_LOAD,  /* the record */
    HF_FLOOR_STEP_READ,  /* the counter */
    HF_FLOOR_STEP_OPEN,  /* the record's blob, by the TPM */
    HF_FLOOR_STEP_FIRST, /* counter's first value, then the first record */
    HF_FLOOR_STEP_SEAL,  /* write a record with the counter's next value */
    HF_FLOOR_STEP_WRITE, /* again, durably */
    HF_FLOOR_STEP_COUNT, /* increment the counter, made if absent */
    HF_FLOOR_STEP_AGAIN, /* LOAD after a pause */
};

/* HF_R_None: releases may start, else why not. */
enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step);
