/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the signatures of a release, a policy or an entry of spec.manifests: ed25519 over canonical JSON (RFC 8785).
 *
 *   keys        <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410)
 *   keyId       [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?
 *   threshold   number of different keys that must sign, in <trust dir>/threshold (default 1)
 *
 * Each check rereads the files; blocks briefly. Old releases pass; the sequence is checked by update/state/floor.h,
 * agent/trust/policy_trust.h and agent/trust/manifest_trust.h. */
#pragma once

#include "api/edgeupdate.h"
#include "api/manifest.h"
#include "api/syncpolicy.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "trust/key.h"

enum { HF_TRUST_MAX_KEYS = 64 };

enum hf_trust_verdict {
    HF_TRUST_OK,
    HF_TRUST_NO_KEYS,
    HF_TRUST_UNKNOWN_KEY,     /* no signature is by a trusted key */
    HF_TRUST_BAD_SIGNATURE,   /* a signature by a trusted key is wrong, none is valid */
    HF_TRUST_BELOW_THRESHOLD, /* valid signatures, by too few keys */
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* Returns the reason in statuses, such as "SignatureInvalid". */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Returns 0 with a verdict; *err explains any except HF_TRUST_OK. -errno: no memory; a bad threshold file; wrong owner
 * or mode of the folder, or too many keys; no canonical JSON. Signatures by an unreadable or damaged key file are
 * ignored, but below the threshold its error (-EBADMSG: damaged) is returned. A key under two ids counts once. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);

/* Key ids, in byte order. */
struct hf_trust_ids {
    unsigned n;
    char ids[HF_TRUST_MAX_KEYS][HF_KEY_ID_MAX + 1];
};

/* Lists readable keys with valid id, owner and mode; a key under two ids appears twice. -E2BIG: too many keys. Others
 * as hf_trust_folder_open(). */
HF_MUST_USE int hf_trust_list(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids,
                              struct hf_err *err);

/* Returns `text`: "release-2026, release-2027; threshold 2", or what is wrong. */
const char *hf_trust_describe(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids,
                              char *text, size_t n);

/* Appends the signed bytes: a line with which no release begins, then canonical JSON of {apiVersion, kind, metadata:
 * {name}, spec} without spec.signatures. -EINVAL: an integer beyond 2^53-1. -E2BIG: such as too deep. */
HF_MUST_USE int hf_trust_policy_message(const json_t *policy, struct hf_buf *out, struct hf_err *err);

/* As hf_trust_check(). */
HF_MUST_USE int hf_trust_check_policy(const struct hf_fs_ops *fs, const char *trust_dir,
                                      const struct hf_syncpolicy *policy, enum hf_trust_verdict *ret_verdict,
                                      struct hf_err *err);

/* Appends the signed bytes: a line with which no release or policy begins, then canonical JSON of {apiVersion, kind:
 * SyncPolicyManifest, manifest: <the entry>} without its signatures. Errors as hf_trust_policy_message(). */
HF_MUST_USE int hf_trust_manifest_message(const json_t *entry, struct hf_buf *out, struct hf_err *err);

/* As hf_trust_check(). */
HF_MUST_USE int hf_trust_check_manifest(const struct hf_fs_ops *fs, const char *trust_dir,
                                        const struct hf_manifest *entry, enum hf_trust_verdict *ret_verdict,
                                        struct hf_err *err);
