/* agent/desired/trust_floors.h - for each signed item, keeps a floor: the highest sequence that this node has accepted
 * for its name. So nobody can put an old signed version in place of a newer one. Items are SyncPolicies, and entries of
 * spec.manifests with signatures of their own.
 *
 * The file <state>/<file> holds for each name the sequence, and the SHA-256 of the signed bytes. A copy lies below an
 * update root (update/install/floor_copy.h), so that a lost state folder lowers no floor. The guard env->floors also
 * gets each floor, so that a node whose TPM counts floors notices an older disk. Threads: loop thread only; a call
 * may block for a moment to write the files. */
#pragma once

#include "agent/env.h"
#include "base/strmap.h"
#include "codec/sha256.h"

/* The kind of the signed items. The strings are literals. */
struct hf_trust_floors_kind {
    const char *file;  /* name of the file, and kind in its seal */
    const char *copy;  /* name of the copy; has a capital letter, which no release name has */
    const char *what;  /* for messages, such as "policy" */
    const char *whats; /* plural of `what` */
    unsigned max;      /* maximum number of names; the node accepts no signatures for further names */
};

struct hf_trust_floors {
    const struct hf_agent_env *env;
    const struct hf_trust_floors_kind *kind;
    struct hf_strmap floors; /* maps a name to its highest accepted sequence and hash */
    bool unsaved;            /* the last write of the file failed, or the copy has higher floors than the file */
};

/* Reads the file and the copies below all update roots, and takes the highest floor of each name. A damaged file is set
 * aside; the log then warns that the node may accept old versions again. */
void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind);
void hf_trust_floors_done(struct hf_trust_floors *floors);

/* Compares a validly signed item with its floor, and raises the floor, also on disk. If the write to disk fails, the
 * floor is raised in this process only, and the next call writes it again. `message` has the signed bytes. Returns
 * NULL, or the reason of a refusal with an explanation in *err: SequenceTooLow, SequenceTaken (another content with
 * this sequence was accepted) or TooMany. */
const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err);
