/* SPDX-License-Identifier: Apache-2.0 */
/* Which entries of spec.manifests are signed? Those with content pinned by a digest (contentDigest, or a URL's) and
 * enough trusted signatures of policy or entry. The name has a floor in both cases (trust_floors.h, <state>/entries):
 * an older version replaces a newer one by neither way. Only an entry of a signed policy may lack a sequence: no floor.
 * Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/sha256.h"

struct hf_manifest_trust {
    struct hf_trust_floors floors;
    /* Over signed bytes, signatures and trust folder: an unchanged turn verifies nothing. */
    unsigned char verified[HF_MAX_MANIFESTS][HF_SHA256_BYTES];
    unsigned n_verified; /* since the start; newest: verified[(n_verified - 1) % HF_MAX_MANIFESTS] */
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env);
void hf_manifest_trust_done(struct hf_manifest_trust *trust);

/* True: the floor rises. *ret_reason: Unsigned; ContentNotPinned; SignatureInvalid (also if unchecked, or without
 * sequence in an unsigned policy); SequenceTooLow (also hf_trust_floors_accept()'s other refusals); see *err. */
bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err);
