/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a segment's header, which has two copies, and its name. Threads: any; reading blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_segment {
    struct hf_spool_header header;
    uint64_t file_bytes;
    bool from_copy; /* the copy at the start is damaged or unreadable */
};

/* `first`: from the file's name. -EBADMSG: both copies are damaged. -EIO: no copy is good, and one is unreadable.
 * -EOPNOTSUPP: unknown version. */
HF_MUST_USE int hf_spool_segment_read(const struct hf_fs_ops *fs, int fd, uint64_t first, struct hf_spool_segment *ret);

/* Returns the sequence from which on records of earlier segments are invalid. */
static inline uint64_t hf_spool_limit_before(uint64_t first, uint64_t skip_from)
{
    return skip_from != 0 && skip_from < first ? skip_from : first;
}

/* Returns the sequence in the name; 0: not a segment's name. */
uint64_t hf_spool_segment_of_name(const char *name);
