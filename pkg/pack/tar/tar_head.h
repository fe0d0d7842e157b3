/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical header of a member: pax records and ustar. Pure. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pack/tar/tar_read.h"

struct tar_head {
    char type; /* '0' file, '1' hard link, '2' symbolic link, '5' folder */
    const char *name;
    const char *target;
    unsigned mode;
    uint32_t uid, gid;
    uint64_t size;
    const struct hf_buf *xattrs; /* lines "LEN SCHILY.xattr.NAME=VALUE\n"; or NULL */
};

HF_MUST_USE int tar_head_format(const struct tar_head *head, struct hf_buf *out);
/* Appends "LEN KEY=VALUE\n". */
HF_MUST_USE int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n);
/* Checks the header that hf_tar_head_parse() read as `head`. -EBADMSG: it is not canonical. */
HF_MUST_USE int tar_head_check(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err);

HF_MUST_USE int tar_prefix_format(unsigned flags, struct hf_buf *out);
/* -EBADMSG: not what tar_prefix_format() makes of any flags. */
HF_MUST_USE int tar_prefix_check(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err);
