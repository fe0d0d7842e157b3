/* SPDX-License-Identifier: Apache-2.0 */
/* Judges whether an entry of spec.manifests is signed: a digest pins its content (contentDigest, or in the URL), and
 * policy or entry has enough trusted signatures. Its name has a floor (trust_floors.h, <state>/entries); only an entry
 * of a signed policy may lack a sequence. Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/sha256.h"

struct hf_manifest_trust {
    struct hf_trust_floors floors;
    /* Hashes of signed bytes, signatures and trust folder, to verify less. */
    unsigned char verified[HF_MAX_MANIFESTS][HF_SHA256_BYTES];
    unsigned n_verified;
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env);
void hf_manifest_trust_done(struct hf_manifest_trust *trust);

/* Returns whether the entry is accepted; a sequence then raises the floor. Else *ret_reason: Unsigned;
 * ContentNotPinned; SignatureInvalid (also unchecked, or no sequence in an unsigned policy); SequenceTooLow (the floor
 * refuses). */
bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err);
