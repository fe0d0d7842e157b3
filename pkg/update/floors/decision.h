/* SPDX-License-Identifier: Apache-2.0 */
/* Floor record against the TPM's floor counter: may releases start, and what does the guard (floors/guard.h) do next?
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/update/reason.h"

/* What the guard knows of the record on disk. */
enum hf_floor_record_state {
    HF_FLOOR_RECORD_UNREAD, /* not read yet */
    HF_FLOOR_RECORD_UNREADABLE,
    HF_FLOOR_RECORD_UNWRITABLE,
    HF_FLOOR_RECORD_NONE,    /* the disk has no undamaged record */
    HF_FLOOR_RECORD_CLOSED,  /* the TPM has not been asked yet to open its blob */
    HF_FLOOR_RECORD_FOREIGN, /* the TPM cannot open the blob, or the key in it is not that of this record */
    HF_FLOOR_RECORD_OPEN,    /* sealed by this TPM, and unchanged since */
    HF_FLOOR_RECORD_COUNT,
};

/* What the guard knows of the counter. */
enum hf_floor_counter_state {
    HF_FLOOR_COUNTER_UNASKED,
    HF_FLOOR_COUNTER_NO_TPM, /* no TPM, or no program holdfast-tpm */
    HF_FLOOR_COUNTER_LOCKED, /* the TPM is locked, or its owner hierarchy has a password */
    HF_FLOOR_COUNTER_FULL,   /* the TPM has no room for the counter */
    HF_FLOOR_COUNTER_FAILED, /* the TPM failed in another way, or did not answer in time */
    HF_FLOOR_COUNTER_ABSENT,
    HF_FLOOR_COUNTER_KNOWN,
    HF_FLOOR_COUNTER_COUNT,
};

struct hf_floor_facts {
    bool on; /* the comparison, by agent.yaml */
    enum hf_floor_record_state record;
    uint64_t record_value; /* CLOSED, FOREIGN or OPEN */
    bool unread;           /* a file or copy could not be read */
    bool durable;          /* OPEN: a power cut cannot bring back an older record */
    /* OPEN: there was neither record nor counter, and this is the first record */
    bool begins;
    enum hf_floor_counter_state counter;
    uint64_t counter_value; /* KNOWN */
    bool unsealed;          /* a floor in memory is above the record's */
};

enum hf_floor_step {
    HF_FLOOR_STEP_REST,
    HF_FLOOR_STEP_LOAD,  /* the record */
    HF_FLOOR_STEP_READ,  /* the counter */
    HF_FLOOR_STEP_OPEN,  /* the TPM opens the record's blob */
    HF_FLOOR_STEP_FIRST, /* the counter's first value, and the first record with it */
    HF_FLOOR_STEP_SEAL,  /* write a record with the next value */
    HF_FLOOR_STEP_WRITE, /* the same record, durably */
    HF_FLOOR_STEP_COUNT, /* increment the counter; make it first if absent */
    HF_FLOOR_STEP_AGAIN, /* after a pause, LOAD */
};

/* HF_R_None: releases may start, else why not. */
enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step);
