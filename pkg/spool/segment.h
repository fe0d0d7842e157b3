/* spool/segment.h - reads a segment's header from either of its two copies, and its name. Any thread; it blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_segment {
    struct hf_spool_header header;
    uint64_t file_bytes;
    bool from_copy; /* the header at the start is damaged */
};

/* Reads the header of the open file `fd`, whose name says that it begins with the sequence `first`. -EBADMSG: neither
 * copy is whole. */
HF_MUST_USE int hf_spool_segment_read(const struct hf_fs_ops *fs, int fd, uint64_t first, struct hf_spool_segment *ret);

/* Returns the sequence in the name of a segment's file, 0 if it is not such a name. */
uint64_t hf_spool_segment_of_name(const char *name);
