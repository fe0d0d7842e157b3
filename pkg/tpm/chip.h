/* SPDX-License-Identifier: Apache-2.0 */
/* Seals keys to this node's TPM 2 and keeps a counter in it. Only holdfast-tpm calls it, so that a hanging TPM blocks
 * no thread of the agent. Blocks for seconds. -EIO: the TPM refused. -EACCES: the owner hierarchy has a password. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_KEY_BYTES = 32,
    HF_TPM_BLOB_MAX = 1024,
    HF_TPM_PCRS = 24,
    /* A sealed key begins with version (a byte) and PCRs (32 bits, big endian; bit N: PCR N). */
    HF_TPM_BLOB_VERSION = 1,
    HF_TPM_BLOB_HEAD = 5,
    HF_TPM_WEAK_PCRS = 1 << 16 | 1 << 23, /* any program can reset these */
    /* NV indices: the floor counter, and a counter that hf_tpm_chip_counter_next() makes and removes */
    HF_TPM_COUNTER_INDEX = 0x01a1f100,
    HF_TPM_PROBE_INDEX = 0x01a1f101,
};

struct hf_tpm_chip;

/* Opens "device:PATH" or "swtpm:CONFIGURATION". -ENODEV: no TPM. -EINVAL: neither. */
HF_MUST_USE int hf_tpm_chip_open(const char *tcti, struct hf_tpm_chip **ret_chip, struct hf_err *err);
void hf_tpm_chip_close(struct hf_tpm_chip *chip);
HF_DEFINE_CLEANUP(struct hf_tpm_chip, hf_tpm_chip_close)

/* -EINVAL: a PCR is weak, or not in the SHA-256 bank. */
HF_MUST_USE int hf_tpm_chip_seal(struct hf_tpm_chip *chip, const unsigned char key[HF_TPM_KEY_BYTES], uint32_t pcrs,
                                 struct hf_buf *blob, struct hf_err *err);
/* -EINVAL: a PCR is not in the SHA-256 bank. -EBADMSG: `blob` is damaged, another TPM's, or from before the TPM was
 * cleared. -ESTALE: the PCRs have other values. */
HF_MUST_USE int hf_tpm_chip_open_key(struct hf_tpm_chip *chip, struct hf_view blob,
                                     unsigned char ret_key[HF_TPM_KEY_BYTES], struct hf_err *err);

enum { HF_TPM_POINT_BYTES = 64, HF_TPM_DIGEST_BYTES = 32 };

/* Makes a signing key (ECDSA, P-256) that never leaves the TPM; only this TPM can use `blob`. `point`: x and y. */
HF_MUST_USE int hf_tpm_chip_key_make(struct hf_tpm_chip *chip, struct hf_buf *blob,
                                     unsigned char point[HF_TPM_POINT_BYTES], struct hf_err *err);
/* `signature`: r and s. -EBADMSG: as hf_tpm_chip_open_key(). */
HF_MUST_USE int hf_tpm_chip_key_sign(struct hf_tpm_chip *chip, struct hf_view blob,
                                     const unsigned char digest[HF_TPM_DIGEST_BYTES],
                                     unsigned char signature[HF_TPM_POINT_BYTES], struct hf_err *err);

/* The floor counter, an NV counter: nothing sets it back; deleted and made again, it starts above all earlier values.
 * -EACCES: also if the TPM is locked. -ENOSPC: no room. -EEXIST: the index holds no counter. */

/* -ENOENT: there is no counter, or it has no value yet. */
HF_MUST_USE int hf_tpm_chip_counter_read(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* Returns the value after the next step. To learn the first value, makes and removes another counter. */
HF_MUST_USE int hf_tpm_chip_counter_next(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* Increments the counter if its value is `to` - 1 or none; makes it first if missing. Only one process may step at a
 * time (update/floors/step.h). */
HF_MUST_USE int hf_tpm_chip_counter_step(struct hf_tpm_chip *chip, uint64_t to, uint64_t *ret_value,
                                         struct hf_err *err);
