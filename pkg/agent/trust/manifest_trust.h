/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of spec.manifests is signed if a digest pins its content (contentDigest, or in the URL) and policy or entry
 * has enough trusted signatures. Its name has a floor either way (trust_floors.h, <state>/entries). Only an entry of a
 * signed policy may lack a sequence: no floor. Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/sha256.h"

struct hf_manifest_trust {
    struct hf_trust_floors floors;
    /* Hash of signed bytes, signatures and trust folder: verifies nothing twice. */
    unsigned char verified[HF_MAX_MANIFESTS][HF_SHA256_BYTES];
    unsigned n_verified; /* newest: verified[(n_verified - 1) % HF_MAX_MANIFESTS] */
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env);
void hf_manifest_trust_done(struct hf_manifest_trust *trust);

/* True: the floor rises. *ret_reason: Unsigned; ContentNotPinned; SignatureInvalid (also unchecked, or no sequence in
 * an unsigned policy); SequenceTooLow (hf_trust_floors_accept()'s refusals). */
bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err);
