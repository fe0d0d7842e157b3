/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/release_trust.h - checks signatures of EdgeUpdates with one release name for the plan: one without
 * accepted signatures must not replace one with them. Verdicts stay until object, signatures or trust folder change.
 * The engine checks again. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "api/edgeupdate.h"
#include "base/strmap.h"
#include "codec/sha256.h"

struct hf_release_trust {
    const struct hf_agent_env *env;
    struct hf_strmap verdicts; /* by name of EdgeUpdate */
    char stamp[HF_SHA256_HEX]; /* hash of the trust folder in this plan; "" before it is asked */
    unsigned checks;           /* for tests */
};

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env);
void hf_release_trust_done(struct hf_release_trust *trust);

/* Before a plan: the next check reads the trust folder again. */
void hf_release_trust_begin(struct hf_release_trust *trust);
/* After a plan: forgets what it did not ask about. */
void hf_release_trust_end(struct hf_release_trust *trust);

/* False also if the check fails. */
bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update);

/* The last plan's: "Unsigned: the release is not signed". NULL: accepted, not asked, or the check failed. Valid until
 * the next plan. */
const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name);
