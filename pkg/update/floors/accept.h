/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts a node's floors as the newest, for a person on the node. Only holdfast-tpm may call it. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Writes a record with the counter's next value, then increments the counter, under the lock of floors/step.h. The
 * record has the floors of the newest record in state_dir that this TPM has sealed, if any. `tcti`: tpm/chip.h. Blocks.
 * -EALREADY: the record is already the newest, or there is neither record nor counter. -ENOENT: state_dir is no agent's
 * state folder, nor an empty one. -EIO: a file that may hold the newest record cannot be read. -EAGAIN: another program
 * has used a counter meanwhile. Others: tpm/chip.h, floors/record.h, floors/step.h. */
HF_MUST_USE int hf_floor_accept(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir,
                                uint64_t *ret_value, struct hf_err *err);
