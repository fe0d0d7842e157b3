/* SPDX-License-Identifier: Apache-2.0 */
/* audit/segment.h - lists and reads the files of an audit log: audit-<seq>.jsonl, where <seq> is the number of the
 * first entry, with leading zeros, so that names sort like segments. With an argument `fs`: blocks. Threads: any. */
#pragma once

#include <limits.h>

#include "audit/entry.h"
#include "base/fs.h"

/* below the state folder */
#define HF_AUDIT_FOLDER "journal"

enum {
    HF_AUDIT_SEGMENT_BYTES = 128 << 10,
    HF_AUDIT_SEGMENTS = 8,
    HF_AUDIT_NAME = 40,
    HF_AUDIT_MAX_FOUND = 32, /* the oldest above this number are not listed */
};

struct hf_audit_segments {
    uint64_t first[HF_AUDIT_MAX_FOUND]; /* number of each one's first entry, in order */
    size_t n;
};

struct hf_audit_line {
    const char *segment; /* name of the file; borrowed */
    unsigned number;     /* in the segment, from 1 */
    struct hf_view text; /* without the newline */
    /* 0: good; -EBADMSG: damaged; another -errno: the segment is unreadable. Not 0: `err` has the reason, `entry` is
     * zero. */
    int r;
    struct hf_err err;
    struct hf_audit_entry entry;
    char hash[HF_SHA256_HEX]; /* of `text` */
};

/* Returns `name`, filled. */
const char *hf_audit_segment_name(uint64_t first, char name[HF_AUDIT_NAME]);

/* -ENAMETOOLONG. */
HF_MUST_USE int hf_audit_segment_path(const char *dir, uint64_t first, char path[PATH_MAX], struct hf_err *err);

/* Ignores all other names. -ENOENT: there is no such folder. */
HF_MUST_USE int hf_audit_segments_list(const struct hf_fs_ops *fs, const char *dir, struct hf_audit_segments *ret,
                                       struct hf_err *err);

/* Appends the content; text->max must be above HF_AUDIT_SEGMENT_BYTES. -E2BIG: it exceeds this maximum. -ENAMETOOLONG.
 * Others: the file cannot be opened or read. */
HF_MUST_USE int hf_audit_segment_read(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                      struct hf_err *err);

/* Cuts the next line off *rest and parses it; false at the end. Before the first call set line->segment, and
 * line->number to 0. A last line without a newline is damaged. */
bool hf_audit_line_next(struct hf_view *rest, struct hf_audit_line *line);

/* Visits each line. Clears and uses *text (its maximum as above). Stops when `visit` returns another value than 0, and
 * returns it. An unreadable or empty segment counts as one damaged line. */
HF_MUST_USE int hf_audit_segment_visit(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                       int (*visit)(void *arg, const struct hf_audit_line *line), void *arg);

/* hf_audit_segment_visit() of the segment that has entry `from`, and of all later ones; 0: of all. Also -errno if the
 * folder cannot be listed. */
HF_MUST_USE int hf_audit_read(const struct hf_fs_ops *fs, const char *dir, uint64_t from,
                              int (*visit)(void *arg, const struct hf_audit_line *line), void *arg, struct hf_err *err);
