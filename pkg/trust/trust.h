/* trust/trust.h - decides whose releases this node accepts. Checks ed25519 signatures (RFC 8032) over the canonical
 * JSON (RFC 8785) of a release.
 *
 *   keys        <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410)
 *   keyId       [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?
 *   threshold   the file <trust dir>/threshold: number of different keys that must have signed (default 1)
 *
 * Each check reads the files again, so that adding or removing a key needs no restart. Blocks briefly (small local
 * files). Threads: any. This file does not prevent a downgrade to an old signed release; for that, the update engine
 * keeps a floor of `sequence` for each release name (update/state/floor.h). */
#pragma once

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

enum { HF_TRUST_MAX_KEYS = 64 };

enum hf_trust_verdict {
    HF_TRUST_OK,
    HF_TRUST_NO_KEYS,         /* trust folder absent or empty */
    HF_TRUST_UNKNOWN_KEY,     /* no signature by a key that we have */
    HF_TRUST_BAD_SIGNATURE,   /* no signature is valid, although at least one names a key that we have */
    HF_TRUST_BELOW_THRESHOLD, /* some valid signatures, but fewer than the threshold */
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* Returns the reason for a status: "SignatureInvalid", "UnknownKey", ... */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Checks the signatures of a decoded update. Returns 0 with the verdict in *ret_verdict; *err explains every verdict
 * except HF_TRUST_OK. Returns a negative errno without a verdict in these cases: the trust folder is unreadable or has
 * more than HF_TRUST_MAX_KEYS keys, the threshold file is damaged, memory runs out, or there are too few valid
 * signatures while the key file of another signature is damaged (-EBADMSG, with the name of the file in *err). If there
 * are enough valid signatures, a damaged key file does not matter. A key counts once, even if it signed several times
 * or under several names. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);
