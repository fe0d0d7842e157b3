/* pack/tar/extract.h - turn a tar archive that arrives in order into a folder. The only extractor in this project.
 *
 * Rules for all archives: the headers are those that tar_read.h accepts. Every member is opened beneath the folder
 * (openat2) and never through a symbolic link. A hard link leads to a regular file that is already there. The
 * numbers of members, names and header bytes have limits. Everything is durable when hf_extract_finish() succeeds.
 *
 * A canonical archive (HF_EXTRACT_CANONICAL) must also be byte for byte the one that archive.h makes of the result;
 * it may carry owners and attributes. Any other tar (HF_EXTRACT_ANY) may omit parent folders and the final zero
 * blocks, may repeat a name (the last one wins, as with tar; nothing replaces a folder), and may have unknown pax
 * records; its owners do not count.
 *
 * Blocks: worker threads and command lines only. Memory: about 64 KiB, and the names of all folders (at most 64
 * MiB). */
#pragma once

#include "base/err.h"
#include "base/fs.h"

enum hf_extract_rules { HF_EXTRACT_CANONICAL, HF_EXTRACT_ANY };

struct hf_extract_params {
    const struct hf_fs_ops *fs;
    int dirfd; /* an empty folder; borrowed */
    enum hf_extract_rules rules;
    uid_t uid; /* HF_EXTRACT_ANY: owner of everything, the folder included */
    gid_t gid;
};

struct hf_extract;
HF_MUST_USE int hf_extract_new(const struct hf_extract_params *params, struct hf_extract **ret_extract,
                               struct hf_err *err);
void hf_extract_free(struct hf_extract *extract);
HF_DEFINE_CLEANUP(struct hf_extract, hf_extract_free)
/* Takes the next bytes of the archive. -EBADMSG: the archive breaks a rule. -E2BIG: too many members. After an error
 * the folder is incomplete; remove it. */
HF_MUST_USE int hf_extract_feed(struct hf_extract *extract, const void *bytes, size_t n, struct hf_err *err);
/* Call after the last byte: sets the modes of folders and syncs them. -EBADMSG: the archive is incomplete. */
HF_MUST_USE int hf_extract_finish(struct hf_extract *extract, struct hf_err *err);
