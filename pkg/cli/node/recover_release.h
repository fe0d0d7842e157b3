/* SPDX-License-Identifier: Apache-2.0 */
/* What this node has of one release, verified, and the way back to the committed content. Reads the agent's files with
 * the agent's readers, but leaves damaged ones where they are. Blocks, and reads all of the content. */
#pragma once

#include "api/edgeupdate.h"
#include "update/kept/kept.h"
#include "update/state/journal.h"

/* Borrowed strings. */
struct hf_recover_node {
    const struct hf_fs_ops *fs;
    const char *state_dir, *trust_dir, *arch;
    const char *const *roots; /* as the agent has them */
    uid_t uid;                /* the agent's user */
};

/* A name of a release. */
bool hf_cli_recover_is_name(const char *name);
/* Calls each(arg, name), in no order, for the releases of the state folder; after -errno of it stops and returns that.
 */
HF_MUST_USE int hf_cli_recover_names(const struct hf_fs_ops *fs, const char *state_dir,
                                     int (*each)(void *arg, const char *name), void *arg, struct hf_err *err);

enum hf_recover_verdict { HF_RECOVER_UNKNOWN, HF_RECOVER_RIGHT, HF_RECOVER_WRONG, HF_RECOVER_ABSENT };
const char *hf_cli_recover_verdict_name(enum hf_recover_verdict verdict); /* "Right" */

struct hf_recover_kept {
    enum hf_kept_source source;
    enum hf_recover_verdict verdict; /* ABSENT: nothing is kept */
};

struct hf_recover_release {
    char name[HF_API_MAX_NAME + 1];
    char *folder;
    bool has_journal; /* it can be read */
    struct hf_journal j;
    struct hf_edgeupdate *committed, *previous; /* signed; NULL: unknown */
    enum hf_recover_verdict installed;
    char what[300]; /* why it is not right */
    struct hf_recover_kept kept, kept_previous;
    const char *signature; /* reason of the committed release's verdict; "" if nothing is committed */
    bool trusted;
    char damage[3][320]; /* files that cannot be read, and why */
    size_t n_damage;
};

/* *ret_release must be done in any case. The only error is -ENOMEM: all else is in the release. */
HF_MUST_USE int hf_cli_recover_look(const struct hf_recover_node *node, const char *name,
                                    struct hf_recover_release *ret_release, struct hf_err *err);
void hf_cli_recover_release_done(struct hf_recover_release *release);

/* Puts the committed content in place of what is wrong or missing, from what is kept. Only with the agent's locks. A
 * cut at any point leaves the old file or the new one, whole. Calls begins(arg) once, before the content changes at the
 * path. -EOPNOTSUPP: why it cannot be. */
HF_MUST_USE int hf_cli_recover_put(const struct hf_recover_node *node, const struct hf_recover_release *release,
                                   void (*begins)(void *arg), void *arg, struct hf_failure *failure);
