/* update/rules/trouble.h - why a step did not work: the reason for the status beside the error for a person. Value. */
#pragma once

#include "base/err.h"
#include "update/rules/reasons.h"

struct hf_trouble {
    enum hf_reason reason;
    struct hf_err err;
};

/* Both return -code, as hf_err_set(). */
int hf_trouble_set(struct hf_trouble *trouble, enum hf_reason reason, int code, const char *format, ...)
    HF_PRINTF(4, 5);
/* The reason is the errno's own (hf_reason_of_errno). */
int hf_trouble_sys(struct hf_trouble *trouble, int r, const char *format, ...) HF_PRINTF(3, 4);
