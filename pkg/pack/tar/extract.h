/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a tar that arrives in order into a folder.
 *
 * Security: tar_read.h checks every header; members are opened beneath the folder (openat2), never through a symbolic
 * link; a hard link leads to a regular file made before; members, names and headers have limits. The folder is durable
 * after finish. Blocks: workers only.
 *
 * HF_EXTRACT_CANONICAL: headers and padding must be as archive.h makes them. HF_EXTRACT_ANY: any tar; parents and
 * final zeros may be missing; the last member of a name replaces earlier ones, except a folder; owners and extended
 * attributes are ignored. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

enum hf_extract_rules { HF_EXTRACT_CANONICAL, HF_EXTRACT_ANY };

struct hf_extract_params {
    const struct hf_fs_ops *fs;
    int dirfd; /* the empty folder to fill; borrowed */
    enum hf_extract_rules rules;
    uid_t uid; /* with ANY, owner of all files and folders, `dirfd` included, but not of symbolic links */
    gid_t gid;
    /* Called when a regular file (not a further link) is complete and synced. A negative result ends the extraction.
     * May be NULL. */
    int (*made)(void *arg, const struct stat *st, const unsigned char *digest);
    void *arg;
};

struct hf_extract;
HF_MUST_USE int hf_extract_new(const struct hf_extract_params *params, struct hf_extract **ret_extract,
                               struct hf_err *err);
void hf_extract_free(struct hf_extract *extract);
HF_DEFINE_CLEANUP(struct hf_extract, hf_extract_free)
/* -EBADMSG: the tar breaks a rule. -E2BIG: too many members, or over 64 MiB of folders' names. Others are the file
 * system's or made()'s. Remove the folder after an error. */
HF_MUST_USE int hf_extract_feed(struct hf_extract *extract, const void *bytes, size_t n, struct hf_err *err);
/* Sets the modes of folders, and syncs. -EBADMSG: the tar is incomplete, or has one name for a folder and something
 * else. */
HF_MUST_USE int hf_extract_finish(struct hf_extract *extract, struct hf_err *err);
