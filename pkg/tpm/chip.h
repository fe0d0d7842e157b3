/* SPDX-License-Identifier: Apache-2.0 */
/* tpm/chip.h - uses libtss2 to seal keys to the TPM 2 of this node and to keep a counter in this TPM. Only the program
 * holdfast-tpm calls these functions. The agent starts this program as a separate process, so that a TPM that hangs
 * blocks no thread of the agent, and so that the agent also runs on a node without libtss2.
 *
 * Only the TPM that sealed a key can open it, and only until somebody clears this TPM. If the caller chose PCRs, the
 * TPM opens the key only while these PCRs have the same values as when the key was sealed. The parent of a sealed key
 * is a primary key, which the TPM derives again from its owner seed in each call. So after a call, neither the sealed
 * key nor its parent stays in the TPM. Both keys are exempt from the TPM's protection against dictionary attacks, so no
 * call can lock the TPM. Sessions encrypt the key on the way to the TPM and back.
 *
 * Threads: any, but only one at a time for one struct. All functions block, on a slow TPM for seconds.
 * hf_tpm_chip_open() sets an environment variable of the process (TSS2_LOG). */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_KEY_BYTES = 32,
    HF_TPM_BLOB_MAX = 1024, /* maximum size of a sealed key in bytes */
    HF_TPM_PCRS = 24,
    /* A sealed key begins with its version (a byte) and its PCRs (32 bits, big endian; bit N stands for PCR N). */
    HF_TPM_BLOB_VERSION = 1,
    HF_TPM_BLOB_HEAD = 5,
    /* PCRs 16 and 23, which are for tests and applications; any program can reset them and then bring them to any
     * value */
    HF_TPM_WEAK_PCRS = 1 << 16 | 1 << 23,
    /* NV indices of the floor counter, and of a counter that exists only during hf_tpm_chip_counter_next(); both are in
     * the range that the TCG leaves to the owner of a TPM */
    HF_TPM_COUNTER_INDEX = 0x01a1f100,
    HF_TPM_PROBE_INDEX = 0x01a1f101,
};

struct hf_tpm_chip;

/* Connects to a TPM. `tcti` is "device:PATH" or "swtpm:CONFIGURATION". -ENODEV: no TPM answers there. -EINVAL: `tcti`
 * is malformed. -ENOMEM: out of memory. */
HF_MUST_USE int hf_tpm_chip_open(const char *tcti, struct hf_tpm_chip **ret_chip, struct hf_err *err);
void hf_tpm_chip_close(struct hf_tpm_chip *chip); /* accepts NULL */
HF_DEFINE_CLEANUP(struct hf_tpm_chip, hf_tpm_chip_close)

/* Seals a key. Bit N of `pcrs` stands for PCR N of the SHA-256 bank. Appends the sealed key to *blob. -EINVAL: `pcrs`
 * has one of HF_TPM_WEAK_PCRS, or a PCR that is missing in the SHA-256 bank of this TPM. The TPM would not bind the key
 * to a missing PCR. -EIO: the TPM refuses. *err says why. */
HF_MUST_USE int hf_tpm_chip_seal(struct hf_tpm_chip *chip, const unsigned char key[HF_TPM_KEY_BYTES], uint32_t pcrs,
                                 struct hf_buf *blob, struct hf_err *err);
/* Opens a sealed key. -EINVAL: the sealed key names a PCR that is missing in the SHA-256 bank of this TPM. -EBADMSG:
 * the sealed key is damaged, another TPM sealed it, or this TPM was cleared after sealing it. -ESTALE: the PCRs have
 * other values than when the key was sealed. -EIO: the TPM refuses for another reason. */
HF_MUST_USE int hf_tpm_chip_open_key(struct hf_tpm_chip *chip, struct hf_view blob,
                                     unsigned char ret_key[HF_TPM_KEY_BYTES], struct hf_err *err);

/* The floor counter is an NV index of the type counter. No command can set it back: if somebody removes the counter and
 * makes it again, the new one starts above all values that a counter of this TPM has had. Reading and incrementing need
 * no password, and are exempt from the protection against dictionary attacks. Errors of these functions: -EACCES: the
 * owner hierarchy has a password, or the TPM is locked out. -ENOSPC: the TPM has no room for a further NV index.
 * -EEXIST: an index of another program has the number of the counter. -EIO: the TPM refuses for another reason. */

/* Reads the counter. -ENOENT: there is no counter, or nobody has incremented it yet. */
HF_MUST_USE int hf_tpm_chip_counter_read(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* Returns the value that the counter has after the next hf_tpm_chip_counter_step(). If there is no counter, or nobody
 * has incremented it yet, the function makes, increments and removes another counter to learn this value. */
HF_MUST_USE int hf_tpm_chip_counter_next(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* Increments the counter if its value is `to` - 1; a counter with another value stays as it is. If there is no counter,
 * makes one. A counter that nobody has incremented yet has no value; the function increments it in any case. *ret_value
 * is the value of the counter after the call. Only one process at a time may call this function
 * (update/floors/step.h). */
HF_MUST_USE int hf_tpm_chip_counter_step(struct hf_tpm_chip *chip, uint64_t to, uint64_t *ret_value,
                                         struct hf_err *err);
