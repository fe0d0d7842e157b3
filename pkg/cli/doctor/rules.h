/* SPDX-License-Identifier: Apache-2.0 */
/* cli/doctor/rules.h - says what of a host keeps an agent from its work, and what to do about it. Pure. */
#pragma once

#include "cli/doctor/facts.h"

enum hf_doctor_result {
    HF_DOCTOR_OK,
    HF_DOCTOR_WARNING, /* a part of the agent's work is not done, or only later */
    HF_DOCTOR_FAILED,  /* the agent does not start, or installs nothing */
};

struct hf_doctor_finding {
    const char *check; /* "kernel" */
    enum hf_doctor_result result;
    char detail[2 * HF_DOCTOR_TEXT]; /* what is, and for a warning or failure, what that means */
    const char *remedy;              /* what to do; "" if nothing */
};

/* Calls tell() with each finding, in an order in which a person would look. */
void hf_doctor_judge(const struct hf_doctor_facts *facts,
                     void (*tell)(void *arg, const struct hf_doctor_finding *finding), void *arg);

/* Returns "ok", "warning" or "FAILED". */
const char *hf_doctor_result_name(enum hf_doctor_result result);
