/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a Secret on disk, in the file <folder>/sealed-<digest>: a seal (codec/seal.h), a line with the key
 * that is sealed to this node's TPM (tpm/chip.h) in hex, and the envelope (tpm/envelope.h), which opens only with the
 * node, entry, source and digest for which it was made. Threads: any, one at a time for one file; all functions with
 * `fs` block. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "manifests/source/bundle.h"
#include "tpm/helper.h"

enum {
    HF_SEALED_SECRET_MAX_BYTES = 2 << 20, /* of all contents and paths; a Secret has at most 1 MiB of contents */
};

#define HF_SEALED_SECRET_PREFIX "sealed-"

/* Identifies a copy. The strings are borrowed. */
struct hf_sealed_secret {
    const char *folder; /* the entry's folder */
    const char *node, *entry;
    const char *source; /* hf_manifest_source_key() */
    const char *digest; /* id of the bundle, which names the version of the Secret */
};

/* Encrypts and writes durably. `key` has HF_TPM_ENVELOPE_KEY bytes; `blob` is the same key sealed to the TPM, in hex.
 * -E2BIG: more than HF_SEALED_SECRET_MAX_BYTES. */
HF_MUST_USE int hf_sealed_secret_save(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const struct hf_bundle *bundle, const unsigned char *key, struct hf_view blob,
                                      struct hf_err *err);

/* The file for this digest exists; it may be damaged. */
bool hf_sealed_secret_exists(const struct hf_fs_ops *fs, const char *folder, const char *digest);

/* Appends the sealed key in hex. -ENOENT: there is no file. -EBADMSG: it is damaged. */
HF_MUST_USE int hf_sealed_secret_blob(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      struct hf_buf *blob, struct hf_err *err);

/* The PCRs to which a sealed key in hex is bound: bit N is PCR N. -EBADMSG: it is none. Pure. */
HF_MUST_USE int hf_sealed_secret_pcrs(struct hf_view blob, uint32_t *ret_pcrs);

/* Durable; 0 also if there is no file. */
HF_MUST_USE int hf_sealed_secret_remove(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                        struct hf_err *err);

/* Decrypts into a secret bundle whose digest and id are secret->digest. -ENOENT: there is no file. -EBADMSG: it is
 * damaged, or was made with another key, or for another node, entry, source or digest. */
HF_MUST_USE int hf_sealed_secret_load(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const unsigned char *key, struct hf_bundle **ret_bundle, struct hf_err *err);

/* Parses a decrypted content. -EBADMSG: malformed. Pure. */
HF_MUST_USE int hf_sealed_secret_parse(struct hf_view content, struct hf_bundle **ret_bundle, struct hf_err *err);
