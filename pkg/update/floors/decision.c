/* SPDX-License-Identifier: Apache-2.0 */
/* The guard writes a record with N + 1, then increments the counter from N. A record one ahead (power cut) is written
 * again at the next start (after kill -9 it may be in the page cache only), then counted. One behind was put in place
 * of a newer one, unless a file or copy cannot be read: it may be the newest, and releases wait (IoError). */
#include "update/floors/decision.h"

struct answer {
    enum hf_reason reason;
    enum hf_floor_step step;
};

/* The disk or the TPM fails, or has not answered yet. */
static bool judge_evidence(const struct hf_floor_facts *facts, struct answer *answer)
{
    static const struct answer records[HF_FLOOR_RECORD_COUNT] = {
        [HF_FLOOR_RECORD_UNREAD] = {HF_R_FloorsPending, HF_FLOOR_STEP_LOAD},
        [HF_FLOOR_RECORD_UNREADABLE] = {HF_R_IoError, HF_FLOOR_STEP_AGAIN},
        [HF_FLOOR_RECORD_UNWRITABLE] = {HF_R_StateNotWritable, HF_FLOOR_STEP_AGAIN},
    };
    static const struct answer counters[HF_FLOOR_COUNTER_COUNT] = {
        [HF_FLOOR_COUNTER_UNASKED] = {HF_R_FloorsPending, HF_FLOOR_STEP_READ},
        [HF_FLOOR_COUNTER_NO_TPM] = {HF_R_TpmMissing, HF_FLOOR_STEP_AGAIN},
        [HF_FLOOR_COUNTER_LOCKED] = {HF_R_TpmLocked, HF_FLOOR_STEP_AGAIN},
        [HF_FLOOR_COUNTER_FULL] = {HF_R_TpmFull, HF_FLOOR_STEP_AGAIN},
        [HF_FLOOR_COUNTER_FAILED] = {HF_R_TpmFailed, HF_FLOOR_STEP_AGAIN},
    };

    *answer = records[facts->record];
    if (answer->reason == HF_R_None)
        *answer = counters[facts->counter];
    if (answer->reason == HF_R_None && facts->record == HF_FLOOR_RECORD_CLOSED)
        *answer = (struct answer){HF_R_FloorsPending, HF_FLOOR_STEP_OPEN};
    return answer->reason != HF_R_None;
}

/* The record is one ahead of the counter. */
static struct answer count(const struct hf_floor_facts *facts)
{
    return (struct answer){HF_R_FloorsPending, facts->durable ? HF_FLOOR_STEP_COUNT : HF_FLOOR_STEP_WRITE};
}

/* The TPM has no counter: this is the first start with the option, or the TPM is another one or was cleared. A record
 * that this TPM has sealed shows that only the increment is missing; the increment then shows if the record is the
 * newest one, because a counter never begins below a value that a counter of this TPM has had. */
static struct answer judge_absent(const struct hf_floor_facts *facts)
{
    if (facts->record == HF_FLOOR_RECORD_NONE)
        return (struct answer){HF_R_FloorsPending, HF_FLOOR_STEP_FIRST};
    if (facts->record == HF_FLOOR_RECORD_OPEN)
        return count(facts);
    return (struct answer){HF_R_TpmReplaced, HF_FLOOR_STEP_AGAIN};
}

static struct answer judge_values(const struct hf_floor_facts *facts)
{
    const struct answer replaced = {HF_R_FloorsReplaced, HF_FLOOR_STEP_AGAIN};
    const struct answer seal = {HF_R_FloorsPending, HF_FLOOR_STEP_SEAL};

    if (facts->record != HF_FLOOR_RECORD_OPEN)
        return replaced;
    if (facts->record_value == facts->counter_value)
        return facts->unsealed ? seal : (struct answer){HF_R_None, HF_FLOOR_STEP_REST};
    if (facts->record_value == facts->counter_value + 1)
        return count(facts);
    /* Another value is an older record, because no record is made before the increment for the last one. Only the first
     * value can be wrong in another way: other programs may have used counters since the TPM has named it. */
    return facts->begins ? seal : replaced;
}

/* The newest record may be in a place that could not be read. */
static bool lacks_evidence(const struct hf_floor_facts *facts, enum hf_reason reason)
{
    return facts->unread && (facts->counter == HF_FLOOR_COUNTER_ABSENT || reason == HF_R_FloorsReplaced);
}

enum hf_reason hf_floor_decide(const struct hf_floor_facts *facts, enum hf_floor_step *ret_step)
{
    struct answer answer = {HF_R_None, HF_FLOOR_STEP_REST};

    if (facts->on && !judge_evidence(facts, &answer)) {
        answer = facts->counter == HF_FLOOR_COUNTER_ABSENT ? judge_absent(facts) : judge_values(facts);
        if (lacks_evidence(facts, answer.reason))
            answer = (struct answer){HF_R_IoError, HF_FLOOR_STEP_AGAIN};
    }
    *ret_step = answer.step;
    return answer.reason;
}
