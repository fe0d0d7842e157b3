/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps floors of signed items (SyncPolicies, entries of spec.manifests), so that no old signed version replaces a
 * newer one: in <state>/<file>, in a copy below an update root (update/install/floor_copy.h), and in the TPM
 * (update/floors/guard.h). Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "base/strmap.h"

struct hf_trust_floors_kind {
    const char *file; /* name of the file, and the kind in its seal */
    const char *copy; /* name of the copy; a capital letter keeps it apart from releases */
    const char *what; /* "policy", in messages */
    const char *whats;
    unsigned max; /* names at most */
};

struct hf_trust_floors {
    const struct hf_agent_env *env;
    const struct hf_trust_floors_kind *kind;
    struct hf_strmap floors;
    bool unsaved; /* the file is behind: its last write failed, or a copy or the guard is higher */
    int unread;   /* error of the last read, so floors are unknown; or 0 */
    uint64_t unread_ns, read_again_ns;
};

/* Reads the highest floors of file, copies and guard. A damaged file is set aside: old versions may then be accepted.
 * An unreadable one is read again, and counts as damaged after an hour. */
void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind);
void hf_trust_floors_done(struct hf_trust_floors *floors);

/* Compares an item with its floor. `message`: its signed bytes, verified. Returns NULL if it is accepted, and the floor
 * is on disk (if the write fails, in memory until the next call); else SequenceTooLow, SequenceTaken (by other
 * content), TooMany (names), FloorsUnreadable. */
const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err);
