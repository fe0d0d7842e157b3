/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/step.h - increments the floor counter for one process at a time. Only the program holdfast-tpm calls
 * these functions, because they access the TPM directly.
 *
 * Several holdfast-tpm processes may run at the same time. After kill -9 of the agent, the process that it started
 * continues, and the next agent starts another process for the same increment. A person may start a third process. So
 * each process takes the lock <state>/floor-record.lock before it opens the TPM, and reads and increments the counter
 * under this lock. All functions block. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Waits for the lock, and takes it. Returns a descriptor, which holds the lock until the caller closes it or the
 * process ends. -EIO: the lock file cannot be made, opened or locked. -ENAMETOOLONG: the path of the lock file is too
 * long. */
HF_MUST_USE int hf_floor_step_lock(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err);

/* Increments the counter to the value `to` under the lock, with hf_tpm_chip_counter_step(). `tcti` names the TPM
 * (tpm/chip.h), and *ret_value receives the value of the counter after the call. Errors: see hf_floor_step_lock() and
 * tpm/chip.h. */
HF_MUST_USE int hf_floor_step(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t to,
                              uint64_t *ret_value, struct hf_err *err);
