/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/manifest_trust.h - which entries of spec.manifests are signed?
 *
 * One is if a digest pins its content (contentDigest, or a URL's) and enough trusted keys signed its policy or itself.
 * In both cases its name has a floor (trust_floors.h, <state>/entries), so that an older version does not replace a
 * newer one either way. Only an entry of a signed policy may lack a sequence: no floor then. Blocks briefly. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/sha256.h"

enum { HF_MANIFEST_MAX_FLOORS = 256 }; /* entries with a floor */

struct hf_manifest_trust {
    struct hf_trust_floors floors;
    /* Entries verified last, over signed bytes, signatures and trust folder: an unchanged turn verifies nothing. */
    unsigned char verified[HF_MAX_MANIFESTS][HF_SHA256_BYTES];
    unsigned n_verified; /* stored since the start; the newest is verified[(n_verified - 1) % HF_MAX_MANIFESTS] */
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env);
void hf_manifest_trust_done(struct hf_manifest_trust *trust);

/* True raises the floor. *ret_reason: Unsigned, ContentNotPinned, SignatureInvalid (also if it cannot be checked, or no
 * sequence in an unsigned policy), or SequenceTooLow (also other refusals of hf_trust_floors_accept()); explained in
 * *err. */
bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err);
