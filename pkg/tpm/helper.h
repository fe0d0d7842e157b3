/* SPDX-License-Identifier: Apache-2.0 */
/* tpm/helper.h - the interface between the agent and the program holdfast-tpm: arguments, streams and exit codes.
 *
 *     holdfast-tpm seal   --tcti TCTI [--pcrs N,N]    stdin: a key; stdout: the sealed key
 *     holdfast-tpm unseal --tcti TCTI                 stdin: a sealed key; stdout: the key
 *     holdfast-tpm counter-read --tcti TCTI           stdout: the value of the floor counter, or the word absent
 *     holdfast-tpm counter-next --tcti TCTI           stdout: the value of the counter after the next counter-step
 *     holdfast-tpm counter-step --tcti TCTI --to N --state-dir DIR
 *                                                     increments the counter from N - 1 to N, or makes the
 *                                                     counter; stdout: its value after the call
 *
 * Each key and each sealed key is one line of hex digits; each value is one line with a decimal number. After a
 * failure, stdout is empty, and stderr has one line of text. */
#pragma once

#include "tpm/chip.h"

/* The exit codes of holdfast-tpm. */
enum hf_tpm_exit {
    HF_TPM_EXIT_OK = 0,
    HF_TPM_EXIT_FAILED = 1, /* the call failed for another reason than those below; the same call may succeed later */
    HF_TPM_EXIT_USAGE = 2,
    HF_TPM_EXIT_NO_TPM = 3,
    /* the sealed key is damaged, or this TPM cannot open it because another TPM sealed it or this TPM was cleared */
    HF_TPM_EXIT_FOREIGN = 4,
    HF_TPM_EXIT_PCRS = 5,   /* the PCRs have other values than when the key was sealed */
    HF_TPM_EXIT_LOCKED = 6, /* the owner hierarchy of the TPM has a password, or the TPM is locked out */
    HF_TPM_EXIT_FULL = 7,   /* the TPM has no room for the counter */
};

enum { HF_TPM_LINE_MAX = 2 * HF_TPM_BLOB_MAX + 1 };

#define HF_TPM_ABSENT "absent"
#define HF_TPM_PROGRAM "holdfast-tpm"
#define HF_TPM_DEFAULT_TCTI "device:/dev/tpmrm0"
