/* trust/trust.h - decides who may put code on this node: ed25519 release signatures (RFC 8032) over canonical JSON
 * (RFC 8785).
 *
 *   keys        <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410)
 *   keyId       [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?
 *   threshold   the file <trust dir>/threshold: number of different keys that must have signed (default 1)
 *
 * Each check reads the files again, so that adding or removing a key needs no restart. Blocks briefly (small local
 * files). Threads: any. The update journal prevents rollbacks with a floor of `sequence` for each release name
 * (update/state/floor.h). */
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
    HF_TRUST_BAD_SIGNATURE,   /* a key that we have, but the signature does not verify */
    HF_TRUST_BELOW_THRESHOLD, /* some valid signatures, but fewer than the threshold */
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* Returns the reason for a status: "SignatureInvalid", "UnknownKey", ... */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Checks the signatures of a decoded update. 0 with *ret_verdict; *err explains every verdict but OK. -errno if
 * there is no verdict: the trust folder is unreadable, the threshold file is damaged, or there are too few valid
 * signatures while the key file of another signature is damaged (-EBADMSG, with its name in *err). Enough valid
 * signatures are OK whatever else is damaged. A key counts once, however often and under however many names it
 * signed. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);
