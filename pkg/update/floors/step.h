/* SPDX-License-Identifier: Apache-2.0 */
/* Increments the floor counter, one process at a time, under the lock <state>/floor-record.lock. Only holdfast-tpm may
 * call this. Blocks. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Waits for the lock. Returns a descriptor that holds it. -EIO: it cannot be made, opened or locked. -ENAMETOOLONG. */
HF_MUST_USE int hf_floor_step_lock(const struct hf_fs_ops *fs, const char *state_dir, struct hf_err *err);

/* Increments the counter if it is `to` - 1, or makes a missing one; *ret_value: its value then. `tcti`, other errors:
 * above, tpm/chip.h. */
HF_MUST_USE int hf_floor_step(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir, uint64_t to,
                              uint64_t *ret_value, struct hf_err *err);
