/* SPDX-License-Identifier: Apache-2.0 */
/* Floors of signed items (SyncPolicies, entries of spec.manifests): no old signed version replaces a newer one.
 * <state>/<file>, a copy below an update root (update/install/floor_copy.h), the TPM (update/floors/guard.h). Blocks
 * briefly. */
#pragma once

#include "agent/env.h"
#include "base/strmap.h"

/* Literals. */
struct hf_trust_floors_kind {
    const char *file; /* and kind in its seal */
    const char *copy; /* begins with a capital letter: no release's name */
    const char *what; /* in messages: "policy" */
    const char *whats;
    unsigned max; /* names; beyond, no signature is accepted */
};

struct hf_trust_floors {
    const struct hf_agent_env *env;
    const struct hf_trust_floors_kind *kind;
    struct hf_strmap floors;           /* sequence, content's hash */
    bool unsaved;                      /* last write failed, or a copy or guard is higher */
    int unread;                        /* error of the last read: floors unknown; or 0 */
    uint64_t unread_ns, read_again_ns; /* first failed read; next one */
};

/* The highest of file, copies, guard. A damaged file is set aside: old versions may be accepted. An unreadable one is
 * read again, and counts as damaged after an hour. */
void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind);
void hf_trust_floors_done(struct hf_trust_floors *floors);

/* `message`: signed bytes, validly signed. NULL: accepted, the floor is on disk (else, in memory until the next call).
 * Else SequenceTooLow, SequenceTaken (other content), TooMany (names), FloorsUnreadable. */
const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err);
