/* SPDX-License-Identifier: Apache-2.0 */
/* Seals keys to this node's TPM 2 and keeps a counter in it, by libtss2. For holdfast-tpm alone: a hanging TPM blocks
 * no thread of the agent, which needs no libtss2. Blocks for seconds. hf_tpm_chip_open() sets TSS2_LOG in the
 * environment. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TPM_KEY_BYTES = 32,
    HF_TPM_BLOB_MAX = 1024, /* bytes */
    HF_TPM_PCRS = 24,
    /* Version (a byte), PCRs (32 bits, big endian; bit N: PCR N). */
    HF_TPM_BLOB_VERSION = 1,
    HF_TPM_BLOB_HEAD = 5,
    HF_TPM_WEAK_PCRS = 1 << 16 | 1 << 23, /* any program can set these */
    /* owner's NV indices: floor counter, and one within hf_tpm_chip_counter_next() */
    HF_TPM_COUNTER_INDEX = 0x01a1f100,
    HF_TPM_PROBE_INDEX = 0x01a1f101,
};

struct hf_tpm_chip;

/* "device:PATH" or "swtpm:CONFIGURATION". -ENODEV: no TPM. -EINVAL. */
HF_MUST_USE int hf_tpm_chip_open(const char *tcti, struct hf_tpm_chip **ret_chip, struct hf_err *err);
void hf_tpm_chip_close(struct hf_tpm_chip *chip);
HF_DEFINE_CLEANUP(struct hf_tpm_chip, hf_tpm_chip_close)

/* -EINVAL: of HF_TPM_WEAK_PCRS, or not in the SHA-256 bank: the TPM would not bind. -EIO: refused. */
HF_MUST_USE int hf_tpm_chip_seal(struct hf_tpm_chip *chip, const unsigned char key[HF_TPM_KEY_BYTES], uint32_t pcrs,
                                 struct hf_buf *blob, struct hf_err *err);
/* -EINVAL: a PCR is not in the SHA-256 bank. -EBADMSG: damaged, another TPM's, or cleared since. -ESTALE: other PCR
 * values. -EIO: refused otherwise. */
HF_MUST_USE int hf_tpm_chip_open_key(struct hf_tpm_chip *chip, struct hf_view blob,
                                     unsigned char ret_key[HF_TPM_KEY_BYTES], struct hf_err *err);

enum { HF_TPM_POINT_BYTES = 64, HF_TPM_DIGEST_BYTES = 32 };

/* Signs (ECDSA, P-256), and never leaves the TPM: `blob` serves this one alone. `point`: x and y. -EIO. */
HF_MUST_USE int hf_tpm_chip_key_make(struct hf_tpm_chip *chip, struct hf_buf *blob,
                                     unsigned char point[HF_TPM_POINT_BYTES], struct hf_err *err);
/* `signature`: r and s. -EBADMSG: damaged, another TPM's, or cleared since. -EIO: refused otherwise. */
HF_MUST_USE int hf_tpm_chip_key_sign(struct hf_tpm_chip *chip, struct hf_view blob,
                                     const unsigned char digest[HF_TPM_DIGEST_BYTES],
                                     unsigned char signature[HF_TPM_POINT_BYTES], struct hf_err *err);

/* Floor counter, NV type counter: nothing sets it back; made again it starts above all earlier values. -EACCES: owner
 * password, or locked out. -ENOSPC: no room. -EEXIST: another program's index. -EIO: refused otherwise. */

/* -ENOENT: none, or without value. */
HF_MUST_USE int hf_tpm_chip_counter_read(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* After the next step. Without value yet: makes, increments and removes another one. */
HF_MUST_USE int hf_tpm_chip_counter_next(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err);
/* From `to` - 1, else leaves it; makes a missing one, always increments one without value. One process at a time
 * (update/floors/step.h). */
HF_MUST_USE int hf_tpm_chip_counter_step(struct hf_tpm_chip *chip, uint64_t to, uint64_t *ret_value,
                                         struct hf_err *err);
