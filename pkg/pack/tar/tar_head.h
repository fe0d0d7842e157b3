/* SPDX-License-Identifier: Apache-2.0 */
/* A member's one canonical header: pax records and ustar. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/tar/tar_read.h"

struct tar_head {
    char type;        /* '0' file, '1' hard link, '2' symbolic link, '5' folder */
    const char *name; /* hf_tar_member's */
    const char *target;
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;               /* a file's content */
    const struct hf_buf *xattrs; /* "LEN SCHILY.xattr.NAME=VALUE\n"; may be NULL */
};

HF_MUST_USE int tar_head_format(const struct tar_head *head, struct hf_buf *out);
/* Appends "LEN KEY=VALUE\n". */
HF_MUST_USE int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n);
/* `head`: hf_tar_head_parse()'s. -EBADMSG: not canonical. */
HF_MUST_USE int tar_head_check(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err);

HF_MUST_USE int tar_prefix_format(unsigned flags, struct hf_buf *out);
/* -EBADMSG: not canonical by any flags. */
HF_MUST_USE int tar_prefix_check(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err);
