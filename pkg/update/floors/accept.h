/* update/floors/accept.h - makes the floors that this node has now the newest ones, at the request of a person on the
 * node. Only the program holdfast-tpm calls this function, because it talks to the TPM itself. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

/* Writes a record with the next value of the counter, and then increments the counter. The record has the floors of the
 * newest record that this TPM has sealed, or none; the agent then adds the floors that it finds on the disk.
 * The function takes the lock of update/floors/step.h. `tcti` is the TPM, and *ret_value the new value of the counter.
 * -EALREADY: the record is the newest, or there is neither record nor counter, so there is nothing to accept. -ENOENT:
 * state_dir is neither the state folder of an agent nor an empty folder. -EIO: a file cannot be read, so the newest
 * record may be there. Other errors: see tpm/chip.h and update/floors/record.h. Blocks. */
HF_MUST_USE int hf_floor_accept(const char *tcti, const struct hf_fs_ops *fs, const char *state_dir,
                                uint64_t *ret_value, struct hf_err *err);
