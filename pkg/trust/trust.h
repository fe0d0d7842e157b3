/* SPDX-License-Identifier: Apache-2.0 */
/* trust/trust.h - decides if this node accepts the signatures of a release, a policy or an entry of spec.manifests. The
 * signatures are ed25519 signatures (RFC 8032) over canonical JSON (RFC 8785).
 *
 *   keys        <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410)
 *   keyId       [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?
 *   threshold   number of different keys that must have signed, in the file <trust dir>/threshold (1 if there is no
 *               such file)
 *
 * Each check reads the files again, so that adding or removing a key needs no restart of the agent. A check blocks
 * briefly to read these small local files. Threads: any. A check also accepts an old signed release. To prevent a
 * downgrade to such a release, the update engine keeps a floor of `sequence` for each release name
 * (update/state/floor.h). */
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
    HF_TRUST_NO_KEYS,       /* the trust folder does not exist or has no keys */
    HF_TRUST_UNKNOWN_KEY,   /* no signature names a key of the trust folder */
    HF_TRUST_BAD_SIGNATURE, /* no signature is valid, although at least one names a key of the trust folder */
    /* at least one signature is valid, but fewer keys than the threshold have valid signatures */
    HF_TRUST_BELOW_THRESHOLD,
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* Returns the name of the verdict as a reason for the status, such as "SignatureInvalid" or "UnknownKey". */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Checks the signatures of a decoded update. Returns 0 with the verdict in *ret_verdict; *err explains every verdict
 * except HF_TRUST_OK. Returns a negative errno without a verdict in these cases: memory runs out; the threshold file is
 * damaged or unreadable; the trust folder is unreadable, fails the check of its owner and mode (folder.h), or has more
 * than HF_TRUST_MAX_KEYS keys; the release cannot be written as canonical JSON. A signature does not count if the file
 * of its key is damaged or unreadable. If there is such a file and the valid signatures are below the threshold, the
 * function returns the error of the first such file (-EBADMSG for bad content) in place of a verdict, and *err names
 * the file. A key counts once, even if it has several signatures or is in several files. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);

/* Ids of keys, in the order of their bytes. */
struct hf_trust_ids {
    unsigned n;
    char ids[HF_TRUST_MAX_KEYS][HF_KEY_ID_MAX + 1];
};

/* Finds the keys of the folder that count: the id is valid, and the file has a public key and is nobody else's. The
 * same key under two ids is there twice. -ENOENT: there is no folder. Other errors are those of hf_trust_folder_open()
 * and of the listing, and -E2BIG for more than HF_TRUST_MAX_KEYS keys. */
HF_MUST_USE int hf_trust_list(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids,
                              struct hf_err *err);

/* Finds the keys of the folder as hf_trust_list() does (none, if it fails), and writes for a person which they are and
 * how many must sign, such as "release-2026, release-2027; threshold 2", or what is wrong with the folder. `n` is the
 * size of `text`; keys that do not fit are counted. Returns `text`. */
const char *hf_trust_describe(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids,
                              char *text, size_t n);

/* Appends the bytes that the signatures of a SyncPolicy cover: first a line that the bytes of a signed release never
 * begin with, then the canonical JSON of {apiVersion, kind, metadata: {name}, spec} without spec.signatures. *policy is
 * the whole object. -EINVAL: the spec has an integer beyond 2^53-1. -E2BIG: *out is full. -ENOMEM: out of memory. */
HF_MUST_USE int hf_trust_policy_message(const json_t *policy, struct hf_buf *out, struct hf_err *err);

/* Checks the signatures of a decoded policy, as hf_trust_check() does for an update. Does not compare the sequence with
 * that of earlier policies; hf_policy_trust_judge() (agent/trust/policy_trust.h) does that. */
HF_MUST_USE int hf_trust_check_policy(const struct hf_fs_ops *fs, const char *trust_dir,
                                      const struct hf_syncpolicy *policy, enum hf_trust_verdict *ret_verdict,
                                      struct hf_err *err);

/* Appends the bytes that the signatures of an entry of spec.manifests cover: first a line that neither a release nor a
 * policy begins with, then the canonical JSON of {apiVersion, kind: SyncPolicyManifest, manifest: <the entry>} without
 * the entry's signatures. -EINVAL: the entry has an integer beyond 2^53-1. -E2BIG: *out is full. -ENOMEM: out of
 * memory. */
HF_MUST_USE int hf_trust_manifest_message(const json_t *entry, struct hf_buf *out, struct hf_err *err);

/* Checks the signatures of a decoded entry, as hf_trust_check() does for an update. Does not compare the sequence with
 * that of earlier entries; hf_manifest_trust_accepts() (agent/trust/manifest_trust.h) does that. */
HF_MUST_USE int hf_trust_check_manifest(const struct hf_fs_ops *fs, const char *trust_dir,
                                        const struct hf_manifest *entry, enum hf_trust_verdict *ret_verdict,
                                        struct hf_err *err);
