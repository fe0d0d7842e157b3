/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the floor record with the TPM's floor counter: may releases start, and what does the guard (floors/guard.h)
 * do next? Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/update/reason.h"

enum hf_floor_record_state {
    HF_FLOOR_RECORD_UNREAD,
    HF_FLOOR_RECORD_UNREADABLE,
    HF_FLOOR_RECORD_UNWRITABLE,
    HF_FLOOR_RECORD_NONE,    /* no undamaged record */
    HF_FLOOR_RECORD_CLOSED,  /* its blob was not yet given to the TPM */
    HF_FLOOR_RECORD_FOREIGN, /* the TPM cannot open the blob, or its key is another record's */
    HF_FLOOR_RECORD_OPEN,    /* sealed by this TPM, and unchanged */
    HF_FLOOR_RECORD_COUNT,
};

enum hf_floor_counter_state {
    HF_FLOOR_COUNTER_UNASKED,
    HF_FLOOR_COUNTER_NO_TPM, /* no TPM, or no program holdfast-tpm */
    HF_FLOOR_COUNTER_LOCKED, /* the TPM is locked, or its owner hierarchy has a password */
    HF_FLOOR_COUNTER_FULL,
    HF_FLOOR_COUNTER_FAILED, /* any other failure, or no answer in time */
    HF_FLOOR_COUNTER_ABSENT,
    HF_FLOOR_COUNTER_KNOWN,
    HF_FLOOR_COUNTER_COUNT,
};

struct hf_floor_facts {
    bool on; /* agent.yaml asks for the comparison */
    enum hf_floor_record_state record;
    uint64_t record_value; /* if CLOSED, FOREIGN or OPEN */
    bool unread;           /* a file or copy could not be read */
    bool durable;          /* if OPEN: the record is durable on disk */
    /* if OPEN: before this record there was neither record nor counter */
    bool begins;
    enum hf_floor_counter_state counter;
    uint64_t counter_value;
    bool unsealed; /* a floor in memory is higher than the record's */
};

enum hf_floor_step {
    HF_FLOOR_STEP_REST,
    HF_FLOOR_STEP_LOAD,
    HF_FLOOR_STEP_READ,
    HF_FLOOR_STEP_OPEN,  /* have the TPM open the record's blob */
    HF_FLOOR_STEP_FIRST, /* find out the counter's first value, write the first record */
    HF_FLOOR_STEP_SEAL,  /* write a record with the counter's next value */
    HF_FLOOR_STEP_WRITE, /* write the loaded record again, durably */
    HF_FLOOR_STEP_COUNT, /* increment the counter, or make it */
    HF_FLOOR_STEP_AGAIN, /* load record and counter again after a pause */
};

/* Returns why releases must wait, or HF_R_None. */
enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step);
