/* SPDX-License-Identifier: Apache-2.0 */
/* update/floors/accept.h - accepts the present floors of this node as its newest floors, at the request of a person on
 * the node. Only the program holdfast-tpm calls this function, because the function accesses the TPM directly. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Writes a record with the next value of the floor counter, and then increments the counter, under the lock of
 * update/floors/step.h. The new record gets the floors of one of the records in state_dir: the newest one that this TPM
 * has sealed. If there is none, the new record has no floors. The agent later adds the floors that it finds on the
 * disk. `tcti` names the TPM (tpm/chip.h), and *ret_value receives the new value of the counter. -EALREADY: there is
 * nothing to accept, because the record in state_dir is already the newest one, or because there is neither a record
 * nor a counter. -ENOENT: state_dir is neither the state folder of an agent nor an empty folder. -EIO: a file that may
 * hold the newest record cannot be read. -EAGAIN: another program has used a counter of the TPM meanwhile. Other
 * errors: see tpm/chip.h and update/floors/record.h. Blocks. */
HF_MUST_USE int hf_floor_accept(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir,
                                uint64_t *ret_value, struct hf_err *err);
