/* trust/trust.h - decides whose releases this node accepts. hf_trust_check() checks ed25519 signatures (RFC 8032) over
 * the canonical JSON (RFC 8785) of a release.
 *
 *   keys        <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410)
 *   keyId       [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?
 *   threshold   number of different keys that must have signed, in the file <trust dir>/threshold (1 without a file)
 *
 * Each check reads the files again, so that adding or removing a key needs no restart. A check blocks briefly to read
 * these small local files. Threads: any. A check does not prevent a downgrade to an old signed release. The update
 * engine prevents it with a floor of `sequence` for each release name (update/state/floor.h). */
#pragma once

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum { HF_TRUST_MAX_KEYS = 64 };

enum hf_trust_verdict {
    HF_TRUST_OK,
    HF_TRUST_NO_KEYS,         /* the trust folder does not exist or has no keys */
    HF_TRUST_UNKNOWN_KEY,     /* no signature names a key of the trust folder */
    HF_TRUST_BAD_SIGNATURE,   /* no signature is valid, although at least one names a key of the trust folder */
    HF_TRUST_BELOW_THRESHOLD, /* there are valid signatures, but from fewer keys than the threshold */
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* Returns the name of the verdict as a reason for the status, such as "SignatureInvalid" or "UnknownKey". */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Checks the signatures of a decoded update. Returns 0 with the verdict in *ret_verdict; *err explains every verdict
 * except HF_TRUST_OK. Returns a negative errno without a verdict if memory runs out, if the threshold file is damaged
 * or unreadable, or if the agent cannot read the trust folder or finds more than HF_TRUST_MAX_KEYS keys in it. A
 * signature does not count if the file of its key is damaged or unreadable. If the other valid signatures are too few,
 * the call returns the error of the first such file (-EBADMSG for bad content), and *err names the file. A key counts
 * once, even if it signed several times or is in several files. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);

/* Appends the bytes that the signatures of a SyncPolicy cover: first a line that the bytes of a signed release never
 * begin with, then the canonical JSON of {apiVersion, kind, metadata: {name}, spec} without spec.signatures. *policy is
 * the whole object. Returns 0, -EINVAL if the spec has an integer beyond 2^53-1, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_trust_policy_message(const json_t *policy, struct hf_buf *out, struct hf_err *err);

/* Checks the signatures of a decoded policy, as hf_trust_check() does for an update. Does not compare the sequence with
 * earlier policies; hf_policy_trust_judge() (agent/desired/policy_trust.h) does that. */
HF_MUST_USE int hf_trust_check_policy(const struct hf_fs_ops *fs, const char *trust_dir,
                                      const struct hf_syncpolicy *policy, enum hf_trust_verdict *ret_verdict,
                                      struct hf_err *err);
