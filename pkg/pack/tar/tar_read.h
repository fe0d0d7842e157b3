/* SPDX-License-Identifier: Apache-2.0 */
/* A tar's headers, by member.
 *
 * POSIX.1-1988 ustar, old tar, pax (POSIX.1-2001: path, linkpath, size, uid, gid, wanted extended attributes), GNU long
 * names and links, base-256 numbers; not sparse files, devices, pipes, volumes. Security: untrusted; sizes have limits
 * and no name leads out. Pure, except for pread(). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TAR_BLOCK = 512,
    HF_TAR_MAX_NAME = 1024, /* with terminator */
    HF_TAR_MAX_DEPTH = 32,  /* a name's components */
    HF_TAR_MAX_MEMBERS = 100000,
    HF_TAR_MAX_HEAD = 1 << 17, /* a member's headers */
};

enum hf_tar_type { HF_TAR_FILE, HF_TAR_FOLDER, HF_TAR_SYMLINK, HF_TAR_HARDLINK };

struct hf_tar_member {
    enum hf_tar_type type;
    /* Relative, normal: no "..", ".", empty component or final slash; components of 255 bytes at most. "": top
     * folder. */
    char name[HF_TAR_MAX_NAME];
    char target[HF_TAR_MAX_NAME]; /* a link's, else ""; a hard link's: as `name`, not "" */
    unsigned mode;                /* within 07777 */
    uint32_t uid, gid;
    uint64_t size;   /* a file's content, else 0 */
    uint64_t offset; /* of the content */
};

struct hf_tar {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset); /* bytes read (0: the end) or -errno */
    uint64_t size;
    uint64_t at;           /* next header; begins at 0 */
    struct hf_buf *xattrs; /* gets "LEN SCHILY.xattr.NAME=VALUE\n"; may be NULL */
};

/* 1: a member; 0: the end; or -errno. -EBADMSG: *err has the offset. */
HF_MUST_USE int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err);

/* bytes[0..n): start of a member's headers (a global one is a member). *ret_want: bytes for the next call,
 * HF_TAR_MAX_HEAD at most; n: complete; 0: the archive ends. -EBADMSG: too many, too long, or a bad size. */
HF_MUST_USE int hf_tar_head_want(const unsigned char *bytes, size_t n, size_t *ret_want, struct hf_err *err);
HF_MUST_USE int hf_tar_head_parse(const unsigned char *bytes, size_t n, uint64_t at, struct hf_tar_member *ret_member,
                                  struct hf_buf *xattrs, struct hf_err *err);
bool hf_tar_head_is_global(const unsigned char *bytes);

/* The size with the zeros that fill the last block. */
static inline uint64_t hf_tar_padded(uint64_t size)
{
    return (size + HF_TAR_BLOCK - 1) / HF_TAR_BLOCK * HF_TAR_BLOCK;
}
