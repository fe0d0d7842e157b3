/* SPDX-License-Identifier: Apache-2.0 */
/* pack/tar/extract.h - turns a tar archive that arrives in order into a folder. This is the only extractor in the
 * project.
 *
 * The following rules apply to all archives. The reader of tar_read.h must accept every header. The extractor opens
 * every member beneath the folder (openat2) and never through a symbolic link. A hard link must lead to a regular file
 * that the extractor has already made. The number of members, the length of names and the size of headers have limits.
 * Everything is durable when hf_extract_finish() succeeds.
 *
 * HF_EXTRACT_CANONICAL: the archive must also equal, byte for byte, the archive that archive.h makes of the resulting
 * folder. The archive may have owners and extended attributes.
 *
 * HF_EXTRACT_ANY: the archive may be any other tar. It may omit parent folders and the final zero blocks, and may have
 * pax records that tar_read.h ignores. It may repeat a name: the last member of that name replaces the earlier ones,
 * except that nothing replaces a folder. The extractor ignores the owners in the archive.
 *
 * The functions block: call them only on worker threads or in command-line programs. Memory: a few KiB, up to 256 KiB
 * for members with long headers, and the names of all folders (at most 64 MiB). */
#pragma once

#include "base/err.h"
#include "base/fs.h"

enum hf_extract_rules { HF_EXTRACT_CANONICAL, HF_EXTRACT_ANY };

struct hf_extract_params {
    const struct hf_fs_ops *fs;
    int dirfd; /* the folder to extract into, which must be empty; borrowed */
    enum hf_extract_rules rules;
    /* for HF_EXTRACT_ANY: owner of all regular files and folders, including the folder `dirfd`; symbolic links keep the
     * owner with which the extractor creates them */
    uid_t uid;
    gid_t gid;
    /* Called for each regular file (not for its hard links) when the file is complete and synced, with its stat and the
     * SHA-256 of its content. A negative result ends the extraction with that error. May be NULL. */
    int (*made)(void *arg, const struct stat *st, const unsigned char *digest);
    void *arg;
};

struct hf_extract;
HF_MUST_USE int hf_extract_new(const struct hf_extract_params *params, struct hf_extract **ret_extract,
                               struct hf_err *err);
void hf_extract_free(struct hf_extract *extract);
HF_DEFINE_CLEANUP(struct hf_extract, hf_extract_free)
/* Takes the next bytes of the archive. -EBADMSG: the archive breaks a rule. -E2BIG: there are too many members, or the
 * names of all folders together exceed 64 MiB. Returns the errors of the file system and of made(). After an error the
 * folder is incomplete; remove it. */
HF_MUST_USE int hf_extract_feed(struct hf_extract *extract, const void *bytes, size_t n, struct hf_err *err);
/* Sets the modes of folders and syncs the folders. Call after the last byte of the archive. -EBADMSG: the archive is
 * incomplete, or uses one name for a folder and for something else. */
HF_MUST_USE int hf_extract_finish(struct hf_extract *extract, struct hf_err *err);
