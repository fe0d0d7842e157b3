/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trust/manifest_trust.h"

#include <errno.h>
#include <string.h>

#include "api/meta.h"
#include "trust/folder.h"
#include "trust/trust.h"

enum { HF_MANIFEST_MAX_FLOORS = 256 }; /* with a floor */

static const struct hf_trust_floors_kind kind = {
    .file = "entries",
    .copy = "Manifests",
    .what = "entry",
    .whats = "entries",
    .max = HF_MANIFEST_MAX_FLOORS,
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env)
{
    *trust = (struct hf_manifest_trust){.n_verified = 0};
    hf_trust_floors_init(&trust->floors, env, &kind);
}

void hf_manifest_trust_done(struct hf_manifest_trust *trust)
{
    hf_trust_floors_done(&trust->floors);
}

static void hash_text(struct hf_sha256 *hash, const char *text)
{
    hf_sha256_update(hash, text, strlen(text) + 1);
}

/* Hashes all that a verdict depends on: the trust folder now, the signatures, and the bytes that they cover. */
static void digest_of(const struct hf_agent_env *env, const struct hf_manifest *entry, struct hf_view message,
                      unsigned char digest[HF_SHA256_BYTES])
{
    char stamp[HF_SHA256_HEX];
    struct hf_sha256 hash;

    hf_trust_folder_stamp(env->world.fs, env->params->trust_dir, stamp);
    hf_sha256_init(&hash);
    hash_text(&hash, stamp);
    for (size_t i = 0; i < entry->n_signatures; i++) {
        hash_text(&hash, entry->signatures[i].key_id);
        hash_text(&hash, entry->signatures[i].signature);
    }
    hf_sha256_update(&hash, message.p, message.n);
    hf_sha256_final(&hash, digest);
}

static bool was_verified(const struct hf_manifest_trust *trust, const unsigned char digest[HF_SHA256_BYTES])
{
    for (size_t i = 0; i < HF_MIN(trust->n_verified, HF_LEN(trust->verified)); i++)
        if (memcmp(trust->verified[i], digest, HF_SHA256_BYTES) == 0)
            return true;
    return false;
}

/* Returns true if the signatures verify now, or did so when everything was as it is now. */
static bool verifies(struct hf_manifest_trust *trust, const struct hf_manifest *entry, struct hf_view message,
                     struct hf_err *err)
{
    const struct hf_agent_env *env = trust->floors.env;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    unsigned char before[HF_SHA256_BYTES], after[HF_SHA256_BYTES];

    digest_of(env, entry, message, before);
    if (was_verified(trust, before))
        return true;
    if (hf_trust_check_manifest(env->world.fs, env->params->trust_dir, entry, &verdict, err) < 0 ||
        verdict != HF_TRUST_OK)
        return false;
    digest_of(env, entry, message, after);
    if (memcmp(before, after, sizeof(after)) == 0) /* the check saw this trust folder and no other */
        memcpy(trust->verified[trust->n_verified++ % HF_LEN(trust->verified)], after, sizeof(after));
    return true;
}

/* Judges an entry by its signatures, or by those of its policy, and by its floor. The signed bytes of the entry are the
 * same in both cases, so both share one floor: no version that one way of signing has replaced comes back by the other.
 * Returns the reason of a refusal, or NONE. */
static enum hf_manifest_reason judge(struct hf_manifest_trust *trust, bool policy_signed,
                                     const struct hf_manifest *entry, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);

    if (policy_signed && entry->sequence == 0) /* the sequence of the policy has to do */
        return HF_MANIFEST_REASON_NONE;
    if (hf_trust_manifest_message(entry->json, &message, err) < 0 ||
        (!policy_signed && !verifies(trust, entry, hf_buf_view(&message), err)))
        return HF_MANIFEST_REASON_SIGNATURE_INVALID;
    if (entry->sequence == 0) {
        (void)hf_err_set(err, EBADMSG, "a signed entry needs a sequence of at least 1");
        return HF_MANIFEST_REASON_SIGNATURE_INVALID;
    }
    return hf_trust_floors_accept(&trust->floors, entry->name, entry->sequence, hf_buf_view(&message), err) == NULL
               ? HF_MANIFEST_REASON_NONE
               : HF_MANIFEST_REASON_SEQUENCE_TOO_LOW;
}

bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err)
{
    enum hf_manifest_reason reason;

    if (!policy_signed && entry->n_signatures == 0) {
        (void)hf_err_set(err, EKEYREJECTED, "neither the entry nor its policy is signed");
        reason = HF_MANIFEST_REASON_UNSIGNED;
    } else if (!hf_manifest_is_pinned(entry)) {
        (void)hf_err_set(err, EKEYREJECTED,
                         "a signature covers no content without contentDigest (holdfast manifest digest prints it)");
        reason = HF_MANIFEST_REASON_CONTENT_NOT_PINNED;
    } else {
        reason = judge(trust, policy_signed, entry, err);
    }
    *ret_reason = reason;
    return reason == HF_MANIFEST_REASON_NONE;
}
