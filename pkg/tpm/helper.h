/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and exit codes of holdfast-tpm(8), for the agent. Most failures leave stdout empty, and a line on
 * stderr. */
#pragma once

#include "tpm/chip.h"

enum hf_tpm_exit {
    HF_TPM_EXIT_OK = 0,
    HF_TPM_EXIT_FAILED = 1, /* may succeed later */
    HF_TPM_EXIT_USAGE = 2,
    HF_TPM_EXIT_NO_TPM = 3,
    HF_TPM_EXIT_FOREIGN = 4, /* the sealed key is damaged, another TPM's, or the TPM was cleared */
    HF_TPM_EXIT_PCRS = 5,    /* the PCRs have other values than at sealing */
    HF_TPM_EXIT_LOCKED = 6,  /* owner password, or locked out */
    HF_TPM_EXIT_FULL = 7,    /* no room for the counter */
};

enum { HF_TPM_LINE_MAX = 2 * HF_TPM_BLOB_MAX + 1 };

#define HF_TPM_ABSENT "absent"
#define HF_TPM_PROGRAM "holdfast-tpm"
#define HF_TPM_DEFAULT_TCTI "device:/dev/tpmrm0"
