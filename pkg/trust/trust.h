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

enum {
    HF_ED25519_PUBLIC = 32,
    HF_ED25519_SIGNATURE = 64,
    HF_TRUST_MAX_KEYS = 64,
    HF_TRUST_MAX_PEM = 4096,
    HF_KEY_ID_MAX = 63
};

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

/* Tells the halves of a key pair apart by the PEM labels alone. */
enum hf_trust_half { HF_TRUST_HALF_NONE, HF_TRUST_HALF_PUBLIC, HF_TRUST_HALF_PRIVATE };
enum hf_trust_half hf_trust_half_of(const char *pem);

/* The primitives that hf_trust_check() and the command line use. Key texts are PEM: one key, without a password.
 * -EBADMSG refuses other algorithms and public keys of small order, under which any signature would verify; *err
 * then says what the text holds ("holds a private key; ..."), and the caller adds the file's name.
 * hf_trust_verify():
 * -EKEYREJECTED if the signature does not verify. */
HF_MUST_USE int hf_trust_verify(const char *public_pem, struct hf_view message,
                                const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_sign(const char *private_pem, struct hf_view message,
                              unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem,
                                  struct hf_err *err); /* PKCS#8 and SPKI */
HF_MUST_USE int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err);
/* Copies the 32 bytes of a public key, to compare keys: two files may hold the same one. */
HF_MUST_USE int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err);
bool hf_trust_key_id_valid(const char *key_id);
