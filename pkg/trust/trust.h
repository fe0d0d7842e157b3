/* trust/trust.h - who may put code on this node: ed25519 release signatures (RFC 8032) over canonical JSON (RFC 8785).
 *
 * Keys: <trust dir>/<keyId>.pem, SubjectPublicKeyInfo PEM (RFC 8410). keyId: [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?.
 * Threshold: the file <trust dir>/threshold holds how many different keys must have signed (default 1).
 * Files are read again at each check, so that adding or removing a key needs no restart. Blocks briefly (small local files).
 * Anti-rollback: `sequence` floors per release name are the update journal's (update/state/floor.h). */
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
    HF_TRUST_UNKNOWN_KEY,     /* only signatures by keys we do not have */
    HF_TRUST_BAD_SIGNATURE,   /* a known key, but the signature does not fit */
    HF_TRUST_BELOW_THRESHOLD, /* good ones, but fewer than wanted */
    HF_TRUST_UNSIGNED,
    HF_TRUST_COUNT,
};

/* "SignatureInvalid", "UnknownKey", ...: the reason shown in a status. */
const char *hf_trust_reason(enum hf_trust_verdict verdict);

/* Check the signatures of a decoded update. 0 with *ret_verdict; *err explains every verdict but OK. -errno when no verdict can
 * be had: trust folder unreadable, threshold file damaged, or not enough good signatures while the file of a key that signed
 * is damaged (-EBADMSG, named in *err). Other keys still count: enough good ones are OK whatever else is damaged.
 * One key counts once, however often and under however many names it signed. */
HF_MUST_USE int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                               enum hf_trust_verdict *ret_verdict, struct hf_err *err);

/* Which half of a pair a PEM text holds, by its marks alone. */
enum hf_trust_half { HF_TRUST_HALF_NONE, HF_TRUST_HALF_PUBLIC, HF_TRUST_HALF_PRIVATE };
enum hf_trust_half hf_trust_half_of(const char *pem);

/* The primitives under it, also used by the CLI. Key texts are PEM, one key, without a password. Refused as -EBADMSG, with
 * *err saying what the text holds ("holds a private key; ..."), so that the caller adds the file's name: other algorithms, and public keys of small order, under which anything would verify. hf_trust_verify: -EKEYREJECTED when the
 * signature does not fit. */
HF_MUST_USE int hf_trust_verify(const char *public_pem, struct hf_view message,
                                const unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_sign(const char *private_pem, struct hf_view message,
                              unsigned char signature[HF_ED25519_SIGNATURE], struct hf_err *err);
HF_MUST_USE int hf_trust_generate(struct hf_buf *private_pem, struct hf_buf *public_pem,
                                  struct hf_err *err); /* PKCS#8, SPKI */
HF_MUST_USE int hf_trust_public_of(const char *private_pem, struct hf_buf *public_pem, struct hf_err *err);
/* The 32 bytes of a public key: two files may hold the same one. */
HF_MUST_USE int hf_trust_public_raw(const char *public_pem, unsigned char raw[HF_ED25519_PUBLIC], struct hf_err *err);
bool hf_trust_key_id_valid(const char *key_id);
