/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what keeps an agent from its work, and the remedy. Pure. */
#pragma once

#include "cli/doctor/facts.h"

enum hf_doctor_result {
    HF_DOCTOR_OK,
    HF_DOCTOR_WARNING, /* the agent may work in part, or later */
    HF_DOCTOR_FAILED,  /* the agent may not start, or may not install */
};

struct hf_doctor_finding {
    const char *check;
    enum hf_doctor_result result;
    char detail[2 * HF_DOCTOR_TEXT];
    const char *remedy;
};

void hf_doctor_judge(const struct hf_doctor_facts *facts,
                     void (*tell)(void *arg, const struct hf_doctor_finding *finding), void *arg);

const char *hf_doctor_result_name(enum hf_doctor_result result);
