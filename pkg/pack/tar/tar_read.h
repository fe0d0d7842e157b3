/* pack/tar/tar_read.h - read the headers of a tar archive, one member at a time. The only reader of tar headers in
 * this project.
 *
 * Formats: POSIX.1-1988 "ustar" and old tar; pax extended headers (POSIX.1-2001: path, linkpath, size, uid, gid;
 * attributes on demand; ignores other records); GNU long name and long link ('L', 'K') and base-256 numbers. Refuses
 * sparse files, devices, pipes and volumes. Trusts nothing: all sizes have bounds, and no name leads out of the
 * folder. Pure over the bytes it reads. Threads: one at a time uses an hf_tar. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    HF_TAR_BLOCK = 512,
    HF_TAR_MAX_NAME = 1024, /* bytes, with the final zero */
    HF_TAR_MAX_DEPTH = 32,  /* components of a name */
    HF_TAR_MAX_MEMBERS = 100000,
    HF_TAR_MAX_HEAD = 1 << 17, /* bytes of all headers of one member */
};

enum hf_tar_type { HF_TAR_FILE, HF_TAR_FOLDER, HF_TAR_SYMLINK, HF_TAR_HARDLINK };

struct hf_tar_member {
    enum hf_tar_type type;
    /* Relative and normal: no "..", "." or empty component, no slash at the end, at most HF_TAR_MAX_DEPTH
     * components. "" is the top folder. */
    char name[HF_TAR_MAX_NAME];
    char target[HF_TAR_MAX_NAME]; /* links only, else ""; for a hard link as normal as `name` and not empty */
    unsigned mode;                /* 07777 */
    uint32_t uid, gid;
    uint64_t size;   /* bytes of a file's content, else 0 */
    uint64_t offset; /* place of the content in the archive */
};

struct hf_tar {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset); /* bytes read, 0 at the end, -errno */
    uint64_t size;
    uint64_t at;           /* offset of the next header; starts at 0 */
    struct hf_buf *xattrs; /* receives the member's pax records "LEN SCHILY.xattr.NAME=VALUE\n"; NULL: ignore them */
};

/* Returns 1 and the next member, 0 at the end, or -errno. -EBADMSG: invalid archive; *err names the offset. */
HF_MUST_USE int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err);

/* ---- an archive that arrives in pieces --------------------------------------------------------------------------- */

/* Gather the headers of one member in bytes[0..n), until *ret_want == n. Sets *ret_want to the number of bytes to
 * gather before the next call, at most HF_TAR_MAX_HEAD; 0: the block is the end of the archive. A global header
 * ('g') counts as a member. -EBADMSG: the headers are too long. */
HF_MUST_USE int hf_tar_head_want(const unsigned char *bytes, size_t n, size_t *ret_want, struct hf_err *err);
/* Parses the headers of one member. `at` is their offset in the archive. */
HF_MUST_USE int hf_tar_head_parse(const unsigned char *bytes, size_t n, uint64_t at, struct hf_tar_member *ret_member,
                                  struct hf_buf *xattrs, struct hf_err *err);
/* Returns true if the headers are a global pax header. */
bool hf_tar_head_is_global(const unsigned char *bytes);

/* Returns the size of content with the zero bytes that fill its last block. */
static inline uint64_t hf_tar_padded(uint64_t size)
{
    return (size + HF_TAR_BLOCK - 1) / HF_TAR_BLOCK * HF_TAR_BLOCK;
}
