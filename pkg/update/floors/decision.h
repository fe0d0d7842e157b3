/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/decision.h - compares the floor record with the floor counter of the TPM, and decides whether releases
 * may start, and what the guard does next. Pure; update/floors/guard.h collects the facts and does the steps.
 *
 * The guard first writes a record with the value N + 1, and then increments the counter from N to N + 1. If a power cut
 * comes between these steps, the record is one ahead of the counter, and the guard increments the counter at the next
 * start. Before this increment, it writes the record again, because after kill -9 the record may be in the page cache
 * only. So a record behind the counter means that somebody has put an older record in place of a newer one. There is
 * one exception: a file or copy of the record that cannot be read may hold the newest record. Releases then wait with
 * the reason IoError. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/update/reason.h"

/* The floor record on disk, as far as the guard knows it. */
enum hf_floor_record_state {
    HF_FLOOR_RECORD_UNREAD,     /* the guard has not read the disk */
    HF_FLOOR_RECORD_UNREADABLE, /* reading failed */
    HF_FLOOR_RECORD_UNWRITABLE, /* writing a new record failed */
    HF_FLOOR_RECORD_NONE,       /* the disk has no undamaged record */
    HF_FLOOR_RECORD_CLOSED,     /* there is a record, but the guard has not yet asked the TPM to open its blob */
    HF_FLOOR_RECORD_FOREIGN,    /* the TPM cannot open the blob, or the key in it is not that of this record */
    HF_FLOOR_RECORD_OPEN,       /* this TPM has sealed the record, and nobody has changed it since */
    HF_FLOOR_RECORD_COUNT,
};

/* The floor counter, as far as the guard knows it. */
enum hf_floor_counter_state {
    HF_FLOOR_COUNTER_UNASKED, /* the guard has not asked the TPM */
    HF_FLOOR_COUNTER_NO_TPM,  /* there is no TPM, or no program holdfast-tpm */
    HF_FLOOR_COUNTER_LOCKED,  /* the TPM is locked, or its owner hierarchy has a password */
    HF_FLOOR_COUNTER_FULL,    /* the TPM has no room for the counter */
    HF_FLOOR_COUNTER_FAILED,  /* the TPM failed in another way, or did not answer in time */
    HF_FLOOR_COUNTER_ABSENT,  /* the TPM has no floor counter */
    HF_FLOOR_COUNTER_KNOWN,   /* the guard knows the value of the counter */
    HF_FLOOR_COUNTER_COUNT,
};

struct hf_floor_facts {
    bool on; /* true if the node's configuration switches the comparison on */
    enum hf_floor_record_state record;
    uint64_t record_value; /* value in the record; valid if `record` is CLOSED, FOREIGN or OPEN */
    bool unread;           /* true if a file or copy of the record could not be read */
    bool durable;          /* valid if `record` is OPEN: true if a power cut cannot bring back an older record */
    /* valid if `record` is OPEN: true if the guard found neither record nor counter, and has made this first record */
    bool begins;
    enum hf_floor_counter_state counter;
    uint64_t counter_value; /* value of the counter; valid if `counter` is KNOWN */
    bool unsealed;          /* true if a floor in memory has risen above the floor in the record */
};

/* The next step of the guard. */
enum hf_floor_step {
    HF_FLOOR_STEP_REST,  /* do nothing */
    HF_FLOOR_STEP_LOAD,  /* read the record */
    HF_FLOOR_STEP_READ,  /* read the counter */
    HF_FLOOR_STEP_OPEN,  /* ask the TPM to open the blob of the record */
    HF_FLOOR_STEP_FIRST, /* ask the TPM for the first value of the counter, and write the first record with it */
    HF_FLOOR_STEP_SEAL,  /* write a record with the next value */
    HF_FLOOR_STEP_WRITE, /* write the same record again, durably */
    HF_FLOOR_STEP_COUNT, /* make the counter if it is absent, and increment it */
    HF_FLOOR_STEP_AGAIN, /* wait, then begin again with LOAD */
};

/* Returns HF_R_None if releases may start, otherwise the reason why they wait. Sets *ret_step to the guard's next
 * step. */
enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step);
