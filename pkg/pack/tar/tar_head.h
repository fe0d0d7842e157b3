/* SPDX-License-Identifier: Apache-2.0 */
/* pack/tar/tar_head.h - the headers of one member of a canonical archive: a ustar header, and the pax records before
 * it. Pure.
 *
 * For each member, exactly one sequence of header bytes is canonical. tar_head_format() makes that sequence;
 * tar_head_check() makes the sequence again and compares, so it accepts no other bytes. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/tar/tar_read.h"

struct tar_head {
    char type;        /* '0' file, '1' hard link, '2' symbolic link, '5' folder */
    const char *name; /* relative and normal, like `name` in hf_tar_member */
    const char *target;
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;               /* bytes of a file's content */
    const struct hf_buf *xattrs; /* pax records of extended attributes, "LEN SCHILY.xattr.NAME=VALUE\n"; may be NULL */
};

/* Appends the header blocks of the member, which come before its content. */
HF_MUST_USE int tar_head_format(const struct tar_head *head, struct hf_buf *out);
/* Appends one pax record "LEN KEY=VALUE\n". */
HF_MUST_USE int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n);
/* Checks that the headers in bytes[0..n) are canonical. `head` is the result of parsing these bytes with
 * hf_tar_head_parse(). -EBADMSG: the bytes differ from those that tar_head_format() makes of `head`. */
HF_MUST_USE int tar_head_check(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err);

/* Appends the global pax header with which an archive begins if it has flags (HF_ARCHIVE_OWNERS,
 * HF_ARCHIVE_XATTRS). */
HF_MUST_USE int tar_prefix_format(unsigned flags, struct hf_buf *out);
/* Checks that the global pax header in bytes[0..n) is canonical, and sets *ret_flags. -EBADMSG: tar_prefix_format()
 * does not make these bytes for any value of `flags`. */
HF_MUST_USE int tar_prefix_check(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err);
