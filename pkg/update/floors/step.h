/* SPDX-License-Identifier: Apache-2.0 */
/* Increments the floor counter, one process at a time: a holdfast-tpm outlives the kill -9 of its agent, and the next
 * agent or a person may start another. Each first takes <state>/floor-record.lock. Only holdfast-tpm may call this.
 * Blocks. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Waits. Returns a descriptor, which holds the lock. -EIO: cannot be made, opened or locked.
 * -ENAMETOOLONG. */
HF_MUST_USE int hf_floor_step_lock(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err);

/* hf_tpm_chip_counter_step() to `to`, under the lock; *ret_value: the counter then. `tcti`: the TPM. Errors:
 * hf_floor_step_lock()'s, and tpm/chip.h. */
HF_MUST_USE int hf_floor_step(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t to,
                              uint64_t *ret_value, struct hf_err *err);
