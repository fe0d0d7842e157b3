/* SPDX-License-Identifier: Apache-2.0 */
/* pack/tar/tar_read.h - read the headers of a tar archive, one member at a time. No other code in this project parses
 * tar headers.
 *
 * Accepts POSIX.1-1988 "ustar", old tar, pax extended headers (POSIX.1-2001), GNU long names and long links ('L', 'K'),
 * and GNU base-256 numbers. Uses the pax records path, linkpath, size, uid and gid, and the extended attributes if the
 * caller wants them; ignores all other pax records. Refuses sparse files, devices, pipes and volumes. Archives are
 * untrusted: all sizes have limits, and no name leads out of the folder. Pure, except that hf_tar_next() calls pread().
 * Threads: one thread at a time uses an hf_tar. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TAR_BLOCK = 512,
    HF_TAR_MAX_NAME = 1024, /* maximum size of a name in bytes, with its final zero */
    HF_TAR_MAX_DEPTH = 32,  /* maximum number of components of a name */
    HF_TAR_MAX_MEMBERS = 100000,
    HF_TAR_MAX_HEAD = 1 << 17, /* maximum size in bytes of all headers of one member */
};

enum hf_tar_type { HF_TAR_FILE, HF_TAR_FOLDER, HF_TAR_SYMLINK, HF_TAR_HARDLINK };

struct hf_tar_member {
    enum hf_tar_type type;
    /* Relative and normal: no "..", "." or empty component, no slash at the end, at most HF_TAR_MAX_DEPTH components,
     * and no component of more than 255 bytes. "" is the top folder. */
    char name[HF_TAR_MAX_NAME];
    /* target of a link, "" for other types; the target of a hard link follows the rules of `name` and is not "" */
    char target[HF_TAR_MAX_NAME];
    unsigned mode; /* permission bits, within 07777 */
    uint32_t uid, gid;
    uint64_t size;   /* bytes of a file's content, else 0 */
    uint64_t offset; /* position of the content in the archive */
};

struct hf_tar {
    void *ctx;
    /* returns the number of bytes read (0 at the end of the archive) or -errno */
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
    uint64_t at; /* offset of the next header; starts at 0 */
    /* receives the member's pax records "LEN SCHILY.xattr.NAME=VALUE\n"; NULL if the caller does not want them */
    struct hf_buf *xattrs;
};

/* Returns 1 and sets *ret_member to the next member, or returns 0 at the end of the archive, or -errno. -EBADMSG: the
 * archive is invalid; *err names the offset. */
HF_MUST_USE int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err);

/* ---- an archive that arrives in pieces --------------------------------------------------------------------------- */

/* Finds out how long the headers of the next member are. bytes[0..n) is the start of these headers, as far as the
 * caller has it. Sets *ret_want to the number of bytes that the caller must have before the next call, at most
 * HF_TAR_MAX_HEAD. If *ret_want equals n, the headers are complete. If *ret_want is 0, the archive ends here. A global
 * header ('g') counts as a member. -EBADMSG: the headers are too many or too long, or state an invalid size. */
HF_MUST_USE int hf_tar_head_want(const unsigned char *bytes, size_t n, size_t *ret_want, struct hf_err *err);
/* Parses the headers of one member. `at` is their offset in the archive. */
HF_MUST_USE int hf_tar_head_parse(const unsigned char *bytes, size_t n, uint64_t at, struct hf_tar_member *ret_member,
                                  struct hf_buf *xattrs, struct hf_err *err);
/* Returns true if the headers are a global pax header. */
bool hf_tar_head_is_global(const unsigned char *bytes);

/* Returns the size of content including the zero bytes that fill its last block. */
static inline uint64_t hf_tar_padded(uint64_t size)
{
    return (size + HF_TAR_BLOCK - 1) / HF_TAR_BLOCK * HF_TAR_BLOCK;
}
