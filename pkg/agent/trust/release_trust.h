/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of EdgeUpdates with one release name, for the plan: one without accepted ones must not replace one with
 * them. Verdicts stay until object, signatures or trust folder change; the engine checks again. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "api/edgeupdate.h"
#include "base/strmap.h"
#include "codec/sha256.h"

struct hf_release_trust {
    const struct hf_agent_env *env;
    struct hf_strmap verdicts; /* by EdgeUpdate's name */
    char stamp[HF_SHA256_HEX]; /* trust folder's hash in this plan; "": not asked yet */
    unsigned checks;           /* for tests */
};

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env);
void hf_release_trust_done(struct hf_release_trust *trust);

/* Before a plan: reads the trust folder anew. */
void hf_release_trust_begin(struct hf_release_trust *trust);
/* After a plan: forgets what it did not ask about. */
void hf_release_trust_end(struct hf_release_trust *trust);

/* False also if unchecked. */
bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update);

/* Why the last plan refused it, such as "Unsigned: the release is not signed"; valid until the next plan. NULL:
 * accepted, not asked, unchecked. */
const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name);
