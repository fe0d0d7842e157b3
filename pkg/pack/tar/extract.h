/* SPDX-License-Identifier: Apache-2.0 */
/* A tar that arrives in order becomes a folder.
 *
 * Security: tar_read.h accepts every header; members are opened beneath the folder (openat2), never through a symbolic
 * link; a hard link leads to a regular file made before; members, names and headers have limits. Durable after finish.
 * Blocks: workers only.
 *
 * HF_EXTRACT_CANONICAL: equal to what archive.h makes of the result. HF_EXTRACT_ANY: any tar; parents and final zeros
 * may be missing; a name's last member replaces earlier ones, but not a folder; owners are ignored. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

enum hf_extract_rules { HF_EXTRACT_CANONICAL, HF_EXTRACT_ANY };

struct hf_extract_params {
    const struct hf_fs_ops *fs;
    int dirfd; /* empty; borrowed */
    enum hf_extract_rules rules;
    uid_t uid; /* ANY: of files and folders, also `dirfd`, not symbolic links */
    gid_t gid;
    /* A regular file (not its links) is complete and synced. Negative: ends all. May be NULL. */
    int (*made)(void *arg, const struct stat *st, const unsigned char *digest);
    void *arg;
};

struct hf_extract;
HF_MUST_USE int hf_extract_new(const struct hf_extract_params *params, struct hf_extract **ret_extract,
                               struct hf_err *err);
void hf_extract_free(struct hf_extract *extract);
HF_DEFINE_CLEANUP(struct hf_extract, hf_extract_free)
/* -EBADMSG: breaks a rule. -E2BIG: too many members, or over 64 MiB of folders' names. File system's and made()'s.
 * Remove the folder after an error. */
HF_MUST_USE int hf_extract_feed(struct hf_extract *extract, const void *bytes, size_t n, struct hf_err *err);
/* Sets folders' modes, and syncs. -EBADMSG: incomplete, or one name for a folder and something else. */
HF_MUST_USE int hf_extract_finish(struct hf_extract *extract, struct hf_err *err);
