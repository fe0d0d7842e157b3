/* spool/segment.h - the header of a segment file, from either of its two places. Blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "spool/record.h"

struct hf_spool_segment {
    struct hf_spool_header header;
    uint64_t file_bytes;
    bool from_copy; /* the one at the start is damaged */
};

/* Of the open file `fd` that is called after the sequence `first`. -EBADMSG: neither header is whole. */
HF_MUST_USE int hf_spool_segment_read(const struct hf_fs_ops *fs, int fd, uint64_t first, struct hf_spool_segment *ret);

/* The sequence a segment's file name says, or 0: not a segment's name. */
uint64_t hf_spool_segment_of_name(const char *name);
