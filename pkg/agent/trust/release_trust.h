/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/release_trust.h - checks the signatures of EdgeUpdates with the same release name, for the plan.
 *
 * An object without accepted signatures must not take the place of an object with accepted signatures, so the plan asks
 * about the signatures. The verdicts stay in memory until the object, its signatures or the trust folder change; a plan
 * without a change verifies nothing. The update engine checks the signatures again before it starts. Threads: loop
 * thread only; a call may block for a moment to read keys. */
#pragma once

#include "agent/env.h"
#include "api/edgeupdate.h"
#include "base/strmap.h"
#include "codec/sha256.h"

struct hf_release_trust {
    const struct hf_agent_env *env;
    struct hf_strmap verdicts; /* maps the name of an EdgeUpdate to the verdict about it */
    /* hash of the trust folder as the current plan found it; "" before the plan asks about an update */
    char stamp[HF_SHA256_HEX];
    unsigned checks; /* number of signature checks since the start, for tests */
};

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env);
void hf_release_trust_done(struct hf_release_trust *trust);

/* Call this function before a plan. The next call of hf_release_trust_accepts() then reads the trust folder again. */
void hf_release_trust_begin(struct hf_release_trust *trust);
/* Call this function after a plan. Forgets the verdicts about objects that the plan did not ask about. */
void hf_release_trust_end(struct hf_release_trust *trust);

/* Returns true if the trust folder accepts the signatures of the update. Also returns false if the check itself
 * fails. */
bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update);

/* Returns why the last plan did not accept the EdgeUpdate of this name, such as "Unsigned: the release is not signed";
 * NULL if the plan accepted it or did not ask about it, or if the check itself failed. The string is valid until the
 * next plan. */
const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name);
