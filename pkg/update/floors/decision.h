/* update/floors/decision.h - compares the record of the floors with the floor counter of the TPM, and decides if
 * releases may start and what the guard does next. Pure; update/floors/guard.h collects the facts and does the steps.
 *
 * The order of writes is: the record with the value N + 1, then the increment from N to N + 1. A power cut between the
 * two leaves the record one ahead of the counter, and the next start increments the counter. It first writes the record
 * again, because after kill -9 the record may be in the page cache only. So a record behind the counter means that
 * somebody has put an older record in place of a newer one. If a place of the record cannot be read, the newest record
 * may be there: nobody has replaced anything as far as the node knows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "update/rules/reasons.h"

/* The record of the floors on disk, as far as the guard knows it. */
enum hf_floor_record_state {
    HF_FLOOR_RECORD_UNREAD,     /* the guard has not read the disk */
    HF_FLOOR_RECORD_UNREADABLE, /* reading failed */
    HF_FLOOR_RECORD_UNWRITABLE, /* writing a new record failed */
    HF_FLOOR_RECORD_NONE,       /* the disk has no undamaged record */
    HF_FLOOR_RECORD_CLOSED,     /* there is a record, and the TPM has not opened its blob */
    HF_FLOOR_RECORD_FOREIGN,    /* the TPM does not open the blob, or opens another key */
    HF_FLOOR_RECORD_OPEN,       /* this TPM has sealed the record as it is */
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
    bool on; /* the node's configuration asks for the comparison */
    enum hf_floor_record_state record;
    uint64_t record_value; /* if `record` is CLOSED, FOREIGN or OPEN */
    bool unread;           /* a place of the record could not be read */
    bool durable;          /* if `record` is OPEN: a power cut cannot bring an older record back */
    bool begins; /* if `record` is OPEN: the guard found neither record nor counter, and has made this first record */
    enum hf_floor_counter_state counter;
    uint64_t counter_value; /* if `counter` is KNOWN */
    bool unsealed;          /* a floor in memory is higher than in the record */
};

/* What the guard does next. */
enum hf_floor_step {
    HF_FLOOR_STEP_REST,  /* nothing */
    HF_FLOOR_STEP_LOAD,  /* read the record */
    HF_FLOOR_STEP_READ,  /* read the counter */
    HF_FLOOR_STEP_OPEN,  /* have the TPM open the blob of the record */
    HF_FLOOR_STEP_FIRST, /* ask the TPM for the first value of the counter, and write the first record with it */
    HF_FLOOR_STEP_SEAL,  /* write a record with the next value */
    HF_FLOOR_STEP_WRITE, /* write the same record again, durably */
    HF_FLOOR_STEP_COUNT, /* increment the counter, and make it if it is absent */
    HF_FLOOR_STEP_AGAIN, /* begin again with LOAD, later */
};

/* Returns HF_R_None if releases may start, otherwise the reason why they wait. */
enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step);
