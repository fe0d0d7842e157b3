/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/manifest_trust.h - decides which entries of spec.manifests are signed.
 *
 * An entry counts as signed if two conditions hold. A digest pins its content: contentDigest, or the digest that
 * belongs to a URL. And enough trusted keys have signed either its policy or the entry itself. If the policy is not
 * signed, the signatures of the entry itself decide. In both cases, the node keeps the highest sequence that it has
 * accepted for the name of the entry (trust_floors.h, file <state>/entries). So an older version that is signed by
 * itself does not replace one that came in a signed policy, nor the other way round. Only an entry of a signed policy
 * may lack a sequence; the node neither compares it with the floor nor raises the floor for it.
 *
 * Threads: loop thread only; a call may block for a moment to read keys or to write the file. */
#pragma once

#include "agent/trust/trust_floors.h"
#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "codec/sha256.h"

enum { HF_MANIFEST_MAX_FLOORS = 256 }; /* maximum number of entries whose sequence a node keeps */

struct hf_manifest_trust {
    struct hf_trust_floors floors;
    /* Hashes of the entries whose signatures were verified last. Each hash covers the signed bytes, the signatures and
     * the trust folder, so a turn without a change verifies nothing. */
    unsigned char verified[HF_MAX_MANIFESTS][HF_SHA256_BYTES];
    /* number of hashes stored since the start; the newest one is verified[(n_verified - 1) % HF_MAX_MANIFESTS] */
    unsigned n_verified;
};

void hf_manifest_trust_init(struct hf_manifest_trust *trust, const struct hf_agent_env *env);
void hf_manifest_trust_done(struct hf_manifest_trust *trust);

/* Returns true if the entry is signed. `policy_signed` is true if the policy in effect, to which the entry belongs, is
 * signed. If the entry is not signed, returns false, and explains *ret_reason in *err. The reasons are Unsigned,
 * ContentNotPinned, SignatureInvalid and SequenceTooLow. SignatureInvalid is also the reason if the signatures cannot
 * be checked, or if an entry of an unsigned policy has no sequence. SequenceTooLow is also the reason of the other
 * refusals of hf_trust_floors_accept(). Accepting an entry with a sequence raises the floor of the entry. */
bool hf_manifest_trust_accepts(struct hf_manifest_trust *trust, bool policy_signed, const struct hf_manifest *entry,
                               enum hf_manifest_reason *ret_reason, struct hf_err *err);
