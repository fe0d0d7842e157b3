/* pack/tar/tar_head.h - the head of one member of a canonical archive: header, and the pax records before it. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { TAR_BLOCK = 512 };

struct tar_head {
    char type;        /* '0' file, '1' hard link, '2' symbolic link, '5' folder */
    const char *name; /* relative, normal, no slash at its end */
    const char *target;
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;               /* of a file's content */
    const struct hf_buf *xattrs; /* records "LEN SCHILY.xattr.NAME=VALUE\n"; may be NULL */
};

/* Append the blocks that stand before the content. */
HF_MUST_USE int tar_head_format(const struct tar_head *head, struct hf_buf *out);
/* One record more, "LEN KEY=VALUE\n". */
HF_MUST_USE int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n);

/* The global pax header that begins an archive whose flags (HF_ARCHIVE_OWNERS, HF_ARCHIVE_XATTRS) are not 0. */
HF_MUST_USE int tar_prefix_format(unsigned flags, struct hf_buf *out);

/* Parse what tar_head_format() or tar_prefix_format() made; everything else is -EBADMSG. `n`: bytes of the whole head. Strings and
 * records are kept in `text` (cleared first). *ret_flags: of a prefix, which has type 'g'. */
HF_MUST_USE int tar_head_parse(const unsigned char *bytes, size_t n, struct tar_head *ret_head, unsigned *ret_flags,
                               struct hf_buf *text, struct hf_buf *xattrs, struct hf_err *err);
/* Bytes the head has, as far as its first block says; 0: that is no header. */
size_t tar_head_bytes(const unsigned char block[TAR_BLOCK]);

static inline uint64_t tar_padded(uint64_t size)
{
    return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}
