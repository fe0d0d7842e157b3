/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the headers of a tar, member by member.
 *
 * Reads POSIX.1-1988 ustar, old tar, pax (POSIX.1-2001: path, linkpath, size, uid, gid, extended attributes), GNU long
 * names and links, base-256 numbers; refuses sparse files, devices, pipes, volumes. Security: untrusted input; sizes
 * have limits, and no name leads out of the folder. Pure, except for pread(). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TAR_BLOCK = 512,
    HF_TAR_MAX_NAME = 1024,
    HF_TAR_MAX_DEPTH = 32,
    HF_TAR_MAX_MEMBERS = 100000,
    HF_TAR_MAX_HEAD = 1 << 17,
};

enum hf_tar_type { HF_TAR_FILE, HF_TAR_FOLDER, HF_TAR_SYMLINK, HF_TAR_HARDLINK };

struct hf_tar_member {
    enum hf_tar_type type;
    /* relative, without "..", ".", empty components or final slash; components have at most 255 bytes; "" is the top
     * folder */
    char name[HF_TAR_MAX_NAME];
    char target[HF_TAR_MAX_NAME]; /* target of a link, else ""; a hard link's has the form of `name`, and is not "" */
    unsigned mode;                /* within 07777 */
    uint32_t uid, gid;
    uint64_t size; /* bytes of a file, else 0 */
    uint64_t offset;
};

struct hf_tar {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset); /* returns bytes read (0: the end) or -errno */
    uint64_t size;
    uint64_t at;           /* offset of the next header; 0 at first */
    struct hf_buf *xattrs; /* gets lines "LEN SCHILY.xattr.NAME=VALUE\n"; or NULL */
};

/* Reads the next member. 1: a member; 0: the end; or -errno. -EBADMSG: *err has the offset. */
HF_MUST_USE int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err);

/* Sets *ret_want to how many bytes, from the start of a member's headers, the next call needs (HF_TAR_MAX_HEAD at
 * most); n: bytes[0..n) are complete; 0: the archive ends. A global header counts as a member. -EBADMSG: too many, too
 * long, or a bad size. */
HF_MUST_USE int hf_tar_head_want(const unsigned char *bytes, size_t n, size_t *ret_want, struct hf_err *err);
HF_MUST_USE int hf_tar_head_parse(const unsigned char *bytes, size_t n, uint64_t at, struct hf_tar_member *ret_member,
                                  struct hf_buf *xattrs, struct hf_err *err);
bool hf_tar_head_is_global(const unsigned char *bytes);

static inline uint64_t hf_tar_padded(uint64_t size)
{
    return (size + HF_TAR_BLOCK - 1) / HF_TAR_BLOCK * HF_TAR_BLOCK;
}
