/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/trust_floors.h - keeps for each signed item (SyncPolicy, entry of spec.manifests) a floor, the highest
 * sequence accepted for its name, so that nobody can put an old signed version in place of a newer one. The file
 * <state>/<file> has a copy below an update root (update/install/floor_copy.h), and env->floors a counter in the TPM
 * (update/floors/guard.h). Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "base/strmap.h"
#include "codec/sha256.h"

/* Literals. */
struct hf_trust_floors_kind {
    const char *file; /* also the kind in its seal */
    const char *copy; /* its capital letter keeps it apart from release names */
    const char *what; /* for messages: "policy" */
    const char *whats;
    unsigned max; /* names; signatures of further ones are not accepted */
};

struct hf_trust_floors {
    const struct hf_agent_env *env;
    const struct hf_trust_floors_kind *kind;
    struct hf_strmap floors;           /* name to sequence and hash of the content */
    bool unsaved;                      /* the last write failed, or a copy or the guard has a higher floor */
    int unread;                        /* error of the last read: floors are unknown; or 0 */
    uint64_t unread_ns, read_again_ns; /* first failed read, next one */
};

/* The highest of file, all copies and guard. A damaged file is set aside, with a warning that old versions may be
 * accepted. An unreadable one is read later; after an hour it is treated as damaged. */
void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind);
void hf_trust_floors_done(struct hf_trust_floors *floors);

/* `message`: the signed bytes of a validly signed item. NULL: accepted, floor raised, also on disk (if that fails, in
 * this process until the next call). Else, explained in *err: SequenceTooLow, SequenceTaken (other content), TooMany
 * (names), FloorsUnreadable. */
const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err);
