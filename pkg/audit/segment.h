/* SPDX-License-Identifier: Apache-2.0 */
/* Files of an audit log: audit-<number of the first entry, with leading zeros>.jsonl. Functions with `fs` block. */
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
    HF_AUDIT_MAX_FOUND = 32, /* older segments are not listed */
};

struct hf_audit_segments {
    uint64_t first[HF_AUDIT_MAX_FOUND];
    size_t n;
};

struct hf_audit_line {
    const char *segment; /* file name; borrowed */
    unsigned number;     /* in the segment, from 1 */
    struct hf_view text; /* without newline */
    /* 0: good; -EBADMSG: a damaged line; others: an unreadable segment. Unless 0, see `err`; `entry` is zero. */
    int r;
    struct hf_err err;
    struct hf_audit_entry entry;
    char hash[HF_SHA256_HEX];
};

const char *hf_audit_segment_name(uint64_t first, char name[HF_AUDIT_NAME]);

HF_MUST_USE int hf_audit_segment_path(const char *dir, uint64_t first, char path[PATH_MAX], struct hf_err *err);

/* Ignores files with other names. -ENOENT: no folder. */
HF_MUST_USE int hf_audit_segments_list(const struct hf_fs_ops *fs, const char *dir, struct hf_audit_segments *ret,
                                       struct hf_err *err);

/* Appends the segment to *text, whose `max` must exceed HF_AUDIT_SEGMENT_BYTES. -E2BIG: a larger file. -ENAMETOOLONG.
 * Others: not opened or read. */
HF_MUST_USE int hf_audit_segment_read(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                      struct hf_err *err);

/* Takes the next line from *rest; false: the end. Before the first line, set line->segment, and line->number to 0. A
 * last line without newline is damaged. */
bool hf_audit_line_next(struct hf_view *rest, struct hf_audit_line *line);

/* Calls `visit` for each line, which lies in *text (`max` as above). A result other than 0 ends the visits, and is
 * returned. An unreadable or empty segment is visited as one bad line. */
HF_MUST_USE int hf_audit_segment_visit(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                       int (*visit)(void *arg, const struct hf_audit_line *line), void *arg);

/* Visits all lines, from the segment with entry `from` on. Returns as hf_audit_segment_visit(), or -errno of the
 * folder. */
HF_MUST_USE int hf_audit_read(const struct hf_fs_ops *fs, const char *dir, uint64_t from,
                              int (*visit)(void *arg, const struct hf_audit_line *line), void *arg, struct hf_err *err);
