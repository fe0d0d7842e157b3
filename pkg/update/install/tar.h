/* update/install/tar.h - the headers of a tar archive, one by one. Pure over what it is given; bounded; nothing is trusted.
 *
 * Formats: POSIX.1-1988 "ustar" and old tar; pax extended headers (POSIX.1-2001: path, linkpath, size; others are skipped); GNU
 * long name and long link ('L', 'K') and base-256 numbers. Sparse files and volumes are refused. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { HF_TAR_BLOCK = 512, HF_TAR_MAX_NAME = 1024 };

enum hf_tar_type { HF_TAR_FILE, HF_TAR_FOLDER, HF_TAR_SYMLINK, HF_TAR_HARDLINK };

struct hf_tar_member {
    enum hf_tar_type type;
    char name
        [HF_TAR_MAX_NAME]; /* relative, normal: no "..", "." or empty part, no slash at the end; "" the top folder */
    char target[HF_TAR_MAX_NAME]; /* of links; of a hard link normal as the name */
    unsigned mode;                /* 07777 */
    uint32_t uid, gid;
    uint64_t size;   /* of a file's content */
    uint64_t offset; /* where that begins in the archive */
};

struct hf_tar {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset); /* bytes read, 0 at the end, -errno */
    uint64_t size;
    uint64_t at; /* of the next header */
};

/* 1: *ret_member is the next one. 0: the end. -EBADMSG with what is wrong where. */
HF_MUST_USE int hf_tar_next(struct hf_tar *tar, struct hf_tar_member *ret_member, struct hf_err *err);
