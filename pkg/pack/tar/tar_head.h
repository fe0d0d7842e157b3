/* pack/tar/tar_head.h - the headers of one member of a canonical archive: a ustar header, and the pax records before
 * it. Pure.
 *
 * Formatting has one result for each member. Checking formats again and compares, so it accepts nothing else. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/tar/tar_read.h"

struct tar_head {
    char type;        /* '0' file, '1' hard link, '2' symbolic link, '5' folder */
    const char *name; /* relative and normal, as in hf_tar_member */
    const char *target;
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;               /* bytes of a file's content */
    const struct hf_buf *xattrs; /* records "LEN SCHILY.xattr.NAME=VALUE\n"; may be NULL */
};

/* Appends the blocks that stand before the content. */
HF_MUST_USE int tar_head_format(const struct tar_head *head, struct hf_buf *out);
/* Appends one record "LEN KEY=VALUE\n". */
HF_MUST_USE int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n);
/* Checks that headers are canonical. -EBADMSG: bytes[0..n), which hf_tar_head_parse() parsed to `head`, are not what
 * tar_head_format() makes. */
HF_MUST_USE int tar_head_check(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err);

/* The global pax header that begins an archive with flags (HF_ARCHIVE_OWNERS, HF_ARCHIVE_XATTRS). */
HF_MUST_USE int tar_prefix_format(unsigned flags, struct hf_buf *out);
/* Checks that a prefix is canonical. -EBADMSG: bytes[0..n) are not what tar_prefix_format() makes. */
HF_MUST_USE int tar_prefix_check(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err);
