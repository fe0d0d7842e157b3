/* update/floors/step.h - increments the floor counter for one process at a time. Only the program holdfast-tpm calls
 * these functions, because it talks to the TPM itself.
 *
 * After kill -9 of the agent, the program that it has started lives on, and the next agent starts another one for the
 * same increment. A person may run holdfast-tpm beside both. So each of them takes the lock <state>/floor-record.lock
 * before it opens the TPM, and compares the counter under this lock. All functions block. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Waits for the lock, and takes it. Returns a descriptor; closing it, or the end of the process, gives the lock back.
 * -EIO: the file cannot be made, opened or locked. */
HF_MUST_USE int hf_floor_step_lock(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err);

/* Increments the counter to the value `to` (hf_tpm_chip_counter_step()) under the lock. `tcti` is the TPM. Errors: see
 * hf_floor_step_lock() and tpm/chip.h. */
HF_MUST_USE int hf_floor_step(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t to,
                              uint64_t *ret_value, struct hf_err *err);
