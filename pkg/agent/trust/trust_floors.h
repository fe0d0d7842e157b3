/* SPDX-License-Identifier: Apache-2.0 */
/* agent/trust/trust_floors.h - for each signed item, keeps a floor: the highest sequence that this node has accepted
 * for the name of the item. So nobody can put an old signed version in place of a newer one. Items are SyncPolicies,
 * and entries of spec.manifests that are signed by themselves or by their policy.
 *
 * The file <state>/<file> holds, for each name, the sequence and the SHA-256 of the signed bytes. A copy of the file
 * lies below an update root (update/install/floor_copy.h), so that the loss of the state folder lowers no floor. The
 * guard env->floors also gets each floor. On a node whose TPM counts floors, the guard notices that somebody has put an
 * older disk in place (update/floors/guard.h). Threads: loop thread only; a call may block for a moment to write the
 * files. */
#pragma once

#include "agent/env.h"
#include "base/strmap.h"
#include "codec/sha256.h"

/* The kind of the signed items. The strings are literals. */
struct hf_trust_floors_kind {
    const char *file;  /* name of the file; also the kind in its seal */
    const char *copy;  /* name of the copy; its capital letter keeps it apart from release names */
    const char *what;  /* for messages, such as "policy" */
    const char *whats; /* plural of `what` */
    unsigned max;      /* maximum number of names; the node accepts no signatures for further names */
};

struct hf_trust_floors {
    const struct hf_agent_env *env;
    const struct hf_trust_floors_kind *kind;
    /* maps a name to the highest sequence that this node has accepted for it, and to the hash of the content with this
     * sequence */
    struct hf_strmap floors;
    /* the last write of the file failed, or a copy or the guard has a higher floor than the file */
    bool unsaved;
    int unread; /* error of the last read of the file, so that its floors are unknown; otherwise 0 */
    /* while `unread` is set, the monotonic times of the first read that failed, and of the next one */
    uint64_t unread_ns, read_again_ns;
};

/* Loads the floors. Each name gets the highest floor that the file, the copies below all update roots or the guard has
 * for it. If the file is damaged, sets it aside; the log then warns that the node may accept old versions again. If
 * the file cannot be read, hf_trust_floors_accept() reads it later; after an hour it
 * counts as damaged. */
void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind);
void hf_trust_floors_done(struct hf_trust_floors *floors);

/* Compares a validly signed item with its floor. `message` has the signed bytes. If the item is accepted, raises the
 * floor, also on disk, and returns NULL. If the write to disk fails, the floor is raised in this process only, and the
 * next call writes it again. If the item is refused, returns the reason, and explains it in *err: SequenceTooLow,
 * SequenceTaken (the node has accepted other content with this sequence), TooMany (there is no room for another
 * name) or FloorsUnreadable (nobody knows the floors until the file can be read). */
const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err);
