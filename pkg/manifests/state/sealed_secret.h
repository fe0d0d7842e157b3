/* SPDX-License-Identifier: Apache-2.0 */
/* A Secret's content on disk, in <folder>/sealed-<digest>: a seal (codec/seal.h), a line with the key, sealed to the
 * TPM (tpm/chip.h), in hex, and the envelope (tpm/envelope.h), which opens only for its node, entry, source and digest.
 * Threads: any; all functions with `fs` block. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "manifests/source/bundle.h"
#include "tpm/helper.h"

enum {
    HF_SEALED_SECRET_MAX_BYTES = 2 << 20, /* bytes of contents, paths and file heads */
};

#define HF_SEALED_SECRET_PREFIX "sealed-"

/* Names a copy; borrowed. */
struct hf_sealed_secret {
    const char *folder;
    const char *node, *entry;
    const char *source; /* hf_manifest_source_key() */
    const char *digest; /* hf_bundle.id */
};

/* Encrypts and writes a copy, durably. `key`: HF_TPM_ENVELOPE_KEY bytes; `blob`: the same key sealed to the TPM, in
 * hex. -E2BIG: more than HF_SEALED_SECRET_MAX_BYTES, or long names. */
HF_MUST_USE int hf_sealed_secret_save(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const struct hf_bundle *bundle, const unsigned char *key, struct hf_view blob,
                                      struct hf_err *err);

/* Whether the file is there, perhaps damaged. */
bool hf_sealed_secret_exists(const struct hf_fs_ops *fs, const char *folder, const char *digest);

/* Appends the sealed key in hex. -ENOENT. -EBADMSG. */
HF_MUST_USE int hf_sealed_secret_blob(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      struct hf_buf *blob, struct hf_err *err);

/* Bit N of *ret_pcrs: the key is bound to PCR N. -EBADMSG: `blob` is no sealed key. Pure. */
HF_MUST_USE int hf_sealed_secret_pcrs(struct hf_view blob, uint32_t *ret_pcrs);

/* Removes a copy durably. 0 also if there is none. */
HF_MUST_USE int hf_sealed_secret_remove(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                        struct hf_err *err);

/* Decrypts a copy to a secret bundle whose digest and id are secret->digest. -ENOENT. -EBADMSG: damaged, or made with
 * another key, or for another node, entry, source or digest. */
HF_MUST_USE int hf_sealed_secret_load(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const unsigned char *key, struct hf_bundle **ret_bundle, struct hf_err *err);

/* Makes the bundle of a decrypted content. -EBADMSG. Pure. */
HF_MUST_USE int hf_sealed_secret_parse(struct hf_view content, struct hf_bundle **ret_bundle, struct hf_err *err);
