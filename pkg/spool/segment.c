/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spool/store_impl.h"

static int read_at(const struct hf_fs_ops *fs, int fd, uint64_t offset, uint64_t first, struct hf_spool_header *ret)
{
    unsigned char bytes[HF_SPOOL_SEGMENT_HEADER];
    ssize_t n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), offset);

    if (n < 0)
        return (int)n;
    if (n != (ssize_t)sizeof(bytes))
        return -EBADMSG;
    int r = hf_spool_header_parse(bytes, ret);
    if (r < 0)
        return r;
    return ret->first == first ? 0 : -EBADMSG;
}

int hf_spool_segment_read(const struct hf_fs_ops *fs, int fd, uint64_t first, struct hf_spool_segment *ret)
{
    struct stat st;
    int r = fs->fstat(fs->ctx, fd, &st);

    if (r < 0)
        return r;
    ret->file_bytes = (uint64_t)st.st_size;
    r = read_at(fs, fd, 0, first, &ret->header);
    ret->from_copy = r == -EBADMSG || r == -EIO;
    if (!ret->from_copy)
        return r;
    int copy = read_at(fs, fd, content_limit(ret->file_bytes), first, &ret->header);
    return copy == -EBADMSG ? r : copy;
}

uint64_t hf_spool_segment_of_name(const char *name)
{
    char again[HF_SPOOL_NAME_BYTES];
    uint64_t first = strtoull(name, NULL, 16);

    segment_name(first, again);
    return strcmp(name, again) == 0 ? first : 0;
}
