/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/state/sealed_secret.h - the content of a Secret on disk, in the file <folder>/sealed-<digest>, encrypted
 * with a key that is sealed to the TPM of this node (tpm/envelope.h, tpm/chip.h).
 *
 * The file has three parts: a header line with version and checksum (codec/seal.h), a line with the sealed key in hex
 * digits, and the envelope. The envelope opens only with the node, entry, source and digest for which it was made.
 * Threads: any, but only one at a time for one file; all functions with the parameter `fs` block. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/sha256.h"
#include "manifests/source/bundle.h"
#include "tpm/helper.h"

enum {
    /* maximum size in bytes of all contents and paths; a Secret has at most 1 MiB of contents */
    HF_SEALED_SECRET_MAX_BYTES = 2 << 20,
};

#define HF_SEALED_SECRET_PREFIX "sealed-"

/* Identifies a copy. The strings are borrowed. */
struct hf_sealed_secret {
    const char *folder; /* the entry's folder */
    const char *node, *entry;
    const char *source; /* hf_manifest_source_key() */
    const char *digest; /* id of the bundle, which names the version of the Secret */
};

/* Encrypts a secret bundle and writes the file durably. `key` has HF_TPM_ENVELOPE_KEY bytes, and `blob` is the same key
 * sealed to the TPM, in hex digits. -E2BIG: contents and paths are larger than HF_SEALED_SECRET_MAX_BYTES. */
HF_MUST_USE int hf_sealed_secret_save(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const struct hf_bundle *bundle, const unsigned char *key, struct hf_view blob,
                                      struct hf_err *err);

/* Returns true if the file for this digest exists. The file may be damaged. */
bool hf_sealed_secret_exists(const struct hf_fs_ops *fs, const char *folder, const char *digest);

/* Appends the sealed key, in hex digits, to *blob. -ENOENT: the file does not exist. -EBADMSG: the file is damaged. */
HF_MUST_USE int hf_sealed_secret_blob(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      struct hf_buf *blob, struct hf_err *err);

/* `blob` is a sealed key in hex digits. Sets *ret_pcrs to the PCRs to which the key is bound: bit N stands for PCR N.
 * Pure. -EBADMSG: `blob` is not a sealed key. */
HF_MUST_USE int hf_sealed_secret_pcrs(struct hf_view blob, uint32_t *ret_pcrs);

/* Removes the file durably. A file that is absent is no error. */
HF_MUST_USE int hf_sealed_secret_remove(const struct hf_fs_ops *fs, const char *folder, const char *digest,
                                        struct hf_err *err);

/* Reads the file, and decrypts its content into a secret bundle whose digest and id are secret->digest. -ENOENT: the
 * file does not exist. -EBADMSG: the file is damaged, or was made with another key, or for another node, entry, source
 * or digest. */
HF_MUST_USE int hf_sealed_secret_load(const struct hf_fs_ops *fs, const struct hf_sealed_secret *secret,
                                      const unsigned char *key, struct hf_bundle **ret_bundle, struct hf_err *err);

/* Makes a secret bundle from a decrypted content. Pure. -EBADMSG: the content is malformed. */
HF_MUST_USE int hf_sealed_secret_parse(struct hf_view content, struct hf_bundle **ret_bundle, struct hf_err *err);
