/* SPDX-License-Identifier: Apache-2.0 */
/* spool/segment.h - reads the header of a segment file and parses the names of segment files. A file holds two copies
 * of its header. Threads: any; hf_spool_segment_read() blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_segment {
    struct hf_spool_header header;
    uint64_t file_bytes;
    /* true if the header at the start of the file is damaged, so that `header` comes from the copy at the end of the
     * file */
    bool from_copy;
};

/* Reads the header of the open file `fd`. `first` is the sequence of the segment's first record, from the file's name.
 * -EBADMSG: both copies of the header are damaged. -EIO: neither copy is good, and the medium did not
 * give back at least one of them. -EOPNOTSUPP: the header has an unknown version. */
HF_MUST_USE int hf_spool_segment_read(const struct hf_fs_ops *fs, int fd, uint64_t first, struct hf_spool_segment *ret);

/* Returns the sequence from which on records of earlier segments do not count, for a segment that begins with `first`
 * and whose header has `skip_from`. */
static inline uint64_t hf_spool_limit_before(uint64_t first, uint64_t skip_from)
{
    return skip_from != 0 && skip_from < first ? skip_from : first;
}

/* Returns the sequence of the first record, which the name of a segment file contains. Returns 0 if `name` is not the
 * name of a segment file. */
uint64_t hf_spool_segment_of_name(const char *name);
