/* SPDX-License-Identifier: Apache-2.0 */
/* Finds which EdgeUpdates have accepted signatures: of several for one release name, an unaccepted one must not replace
 * an accepted one. Verdicts stay until release, signatures or trust folder change; the engine checks again. Blocks
 * briefly. */
#pragma once

#include "agent/env.h"
#include "api/edgeupdate.h"
#include "base/strmap.h"
#include "codec/sha256.h"

struct hf_release_trust {
    const struct hf_agent_env *env;
    struct hf_strmap verdicts;
    char stamp[HF_SHA256_HEX]; /* hash of the trust folder; "": not read yet */
    unsigned checks;
};

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env);
void hf_release_trust_done(struct hf_release_trust *trust);

/* Begins a plan: its first question rereads the trust folder. */
void hf_release_trust_begin(struct hf_release_trust *trust);
/* Forgets verdicts that the plan did not ask for. */
void hf_release_trust_end(struct hf_release_trust *trust);

/* Whether the signatures are accepted; false also if they cannot be checked. */
bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update);

/* Returns why signatures are not accepted, such as "Unsigned: the release is not signed"; valid until the next plan.
 * NULL: accepted, not asked, or unchecked. */
const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name);
