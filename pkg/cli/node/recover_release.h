/* SPDX-License-Identifier: Apache-2.0 */
/* What this node has of a release, verified, and the way back to the committed content. Leaves damaged files alone.
 * Blocks, and reads all content. */
#pragma once

#include "api/edgeupdate.h"
#include "update/kept/kept.h"
#include "update/state/journal.h"

/* Borrowed. */
struct hf_recover_node {
    const struct hf_fs_ops *fs;
    const char *state_dir, *trust_dir, *arch;
    const char *const *roots; /* the agent's */
    uid_t uid;                /* agent's */
};

bool hf_cli_recover_is_name(const char *name);
/* Calls each() for the state folder's releases, in no order; stops at its -errno. */
HF_MUST_USE int hf_cli_recover_names(const struct hf_fs_ops *fs, const char *state_dir,
                                     int (*each)(void *arg, const char *name), void *arg, struct hf_err *err);

enum hf_recover_verdict { HF_RECOVER_UNKNOWN, HF_RECOVER_RIGHT, HF_RECOVER_WRONG, HF_RECOVER_ABSENT };
const char *hf_cli_recover_verdict_name(enum hf_recover_verdict verdict); /* "Right" */

struct hf_recover_kept {
    enum hf_kept_source source;
    enum hf_recover_verdict verdict; /* ABSENT: nothing kept */
};

struct hf_recover_release {
    char name[HF_API_MAX_NAME + 1];
    char *folder;
    bool has_journal; /* readable */
    struct hf_journal j;
    struct hf_edgeupdate *committed, *previous; /* signed; NULL: unknown */
    enum hf_recover_verdict installed;
    char what[300]; /* why not right */
    struct hf_recover_kept kept, kept_previous;
    const char *signature; /* of `committed`: "Valid", or why not; or "" */
    bool trusted;
    char damage[3][320]; /* unreadable files, and why */
    size_t n_damage;
};

/* Call done() in any case. -ENOMEM alone: other faults are in *ret_release. */
HF_MUST_USE int hf_cli_recover_look(const struct hf_recover_node *node, const char *name,
                                    struct hf_recover_release *ret_release, struct hf_err *err);
void hf_cli_recover_release_done(struct hf_recover_release *release);

/* Puts kept committed content in place of what is wrong or missing; the caller holds the agent's locks. After a power
 * cut the old file or the new one is there, whole. begins(arg): once, before content changes. -EOPNOTSUPP: impossible,
 * and why. */
HF_MUST_USE int hf_cli_recover_put(const struct hf_recover_node *node, const struct hf_recover_release *release,
                                   void (*begins)(void *arg), void *arg, struct hf_failure *failure);
