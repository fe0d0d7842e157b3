/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies what this node has of a release, and puts committed content back. Leaves damaged state files alone. Blocks,
 * and may read all content. */
#pragma once

#include "api/edgeupdate.h"
#include "update/kept/kept.h"
#include "update/state/journal.h"

struct hf_recover_node {
    const struct hf_fs_ops *fs;
    const char *state_dir, *trust_dir, *arch;
    const char *const *roots;
    uid_t uid;
};

bool hf_cli_recover_is_name(const char *name);
/* Calls each() for the state folder's releases until it returns -errno. */
HF_MUST_USE int hf_cli_recover_names(const struct hf_fs_ops *fs, const char *state_dir,
                                     int (*each)(void *arg, const char *name), void *arg, struct hf_err *err);

enum hf_recover_verdict { HF_RECOVER_UNKNOWN, HF_RECOVER_RIGHT, HF_RECOVER_WRONG, HF_RECOVER_ABSENT };
const char *hf_cli_recover_verdict_name(enum hf_recover_verdict verdict);

struct hf_recover_kept {
    enum hf_kept_source source;
    enum hf_recover_verdict verdict; /* ABSENT: nothing is kept */
};

struct hf_recover_release {
    char name[HF_API_MAX_NAME + 1];
    char *folder;
    bool has_journal; /* the journal could be read */
    struct hf_journal j;
    struct hf_edgeupdate *committed, *previous; /* signed objects, or NULL */
    enum hf_recover_verdict installed;
    char what[300]; /* why `installed` is not RIGHT */
    struct hf_recover_kept kept, kept_previous;
    const char *signature; /* of `committed`: "Valid", or why not; or "" */
    bool trusted;
    char damage[3][320];
    size_t n_damage;
};

/* Call hf_cli_recover_release_done() in any case. Fails only with -ENOMEM; other faults are in *ret_release. */
HF_MUST_USE int hf_cli_recover_look(const struct hf_recover_node *node, const char *name,
                                    struct hf_recover_release *ret_release, struct hf_err *err);
void hf_cli_recover_release_done(struct hf_recover_release *release);

/* Puts kept committed content in place of wrong or missing content; the caller holds the agent's locks. After a power
 * cut, the old or the new file is there, whole. Calls begins(arg) before content changes. -EOPNOTSUPP: impossible.
 * -EKEYREJECTED: the release is not trusted. */
HF_MUST_USE int hf_cli_recover_put(const struct hf_recover_node *node, const struct hf_recover_release *release,
                                   void (*begins)(void *arg), void *arg, struct hf_failure *failure);
