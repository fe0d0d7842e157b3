/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/accept.h - accepts the present floors of this node as its newest ones, at the request of a person on
 * the node. Accesses the TPM directly: only holdfast-tpm may call it. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Under the lock of update/floors/step.h, writes a record with the next value of the floor counter, then increments the
 * counter. The record gets the floors of the newest record in state_dir that this TPM has sealed, or none; the agent
 * later adds those that it finds on the disk. `tcti` names the TPM (tpm/chip.h). -EALREADY: the record is already the
 * newest one, or there is neither a record nor a counter. -ENOENT: state_dir is neither the state folder of an agent
 * nor an empty folder. -EIO: a file that may hold the newest record cannot be read. -EAGAIN: another program has used a
 * counter of the TPM meanwhile. Other errors: tpm/chip.h and update/floors/record.h. Blocks. */
HF_MUST_USE int hf_floor_accept(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir,
                                uint64_t *ret_value, struct hf_err *err);
