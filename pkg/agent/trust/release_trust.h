/* SPDX-License-Identifier: Apache-2.0 */
/* Among EdgeUpdates of one release name, an unaccepted one must not replace an accepted one. Verdicts stay until
 * object, signatures or trust folder change; the engine checks again. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "api/edgeupdate.h"
#include "base/strmap.h"
#include "codec/sha256.h"

struct hf_release_trust {
    const struct hf_agent_env *env;
    struct hf_strmap verdicts; /* by EdgeUpdate's name */
    char stamp[HF_SHA256_HEX]; /* of the trust folder; "": not asked yet */
    unsigned checks;           /* for tests */
};

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env);
void hf_release_trust_done(struct hf_release_trust *trust);

/* Rereads the trust folder for a plan. */
void hf_release_trust_begin(struct hf_release_trust *trust);
/* Forgets what the plan did not ask about. */
void hf_release_trust_end(struct hf_release_trust *trust);

/* False also if the signatures cannot be checked. */
bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update);

/* "Unsigned: the release is not signed"; until the next plan. NULL: accepted, not asked, unchecked. */
const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name);
