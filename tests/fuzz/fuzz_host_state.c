/* SPDX-License-Identifier: Apache-2.0 */
/* `verdict` and `trial` of the host folder. Whatever is understood is written the same way again; the checksum is put right, too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void try(const char *text, size_t n)
{
    struct hf_supervisor_verdict verdict;
    struct hf_supervisor_trial trial;
    char again[HF_HOST_NOTE];

    if (hf_supervisor_verdict_parse(text, n, &verdict) &&
        (hf_supervisor_verdict_format(&verdict, again) != n || memcmp(again, text, n) != 0 ||
         !hf_supervisor_slot_is_valid(verdict.slot)))
        abort();
    if (hf_supervisor_trial_parse(text, n, &trial) &&
        (hf_supervisor_trial_format(&trial, again) != n || memcmp(again, text, n) != 0 ||
         !hf_supervisor_slot_is_valid(trial.slot)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_supervisor_verdict verdict = {.reason = (enum hf_supervisor_reason)(n % 6)};
    struct hf_supervisor_trial trial = {.ends = (unsigned)n};
    char text[HF_HOST_NOTE];

    try((const char *)bytes, n);
    /* The same bytes as a name, which is then written and read. */
    if (n < HF_HOST_SLOT) {
        memcpy(verdict.slot, bytes, n);
        memcpy(trial.slot, bytes, n);
        verdict.slot[n] = trial.slot[n] = '\0';
        try(text, hf_supervisor_verdict_format(&verdict, text));
        try(text, hf_supervisor_trial_format(&trial, text));
    }
    return 0;
}
