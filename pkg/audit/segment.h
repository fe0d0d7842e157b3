/* SPDX-License-Identifier: Apache-2.0 */
/* audit/segment.h - lists and reads the files of an audit log. Functions with an argument `fs` block.
 *
 * A log is a folder with segments audit-<seq>.jsonl, where <seq> is the number of the segment's first entry, with
 * leading zeros. The order of the names is the order of the segments. Threads: any. */
#pragma once

#include <limits.h>

#include "audit/entry.h"
#include "base/fs.h"

/* Folder of an agent's audit log below its state folder. */
#define HF_AUDIT_FOLDER "journal"

enum {
    HF_AUDIT_SEGMENT_BYTES = 128 << 10,
    HF_AUDIT_SEGMENTS = 8,
    HF_AUDIT_NAME = 40,
    HF_AUDIT_MAX_FOUND = 32, /* maximum length of a list of segments; if there are more, the oldest are left out */
};

struct hf_audit_segments {
    uint64_t first[HF_AUDIT_MAX_FOUND]; /* number of the first entry of each segment, in order */
    size_t n;
};

struct hf_audit_line {
    const char *segment; /* name of the segment's file */
    unsigned number;     /* line number in the segment, from 1 */
    struct hf_view text; /* without the newline */
    /* 0 if the line is good, -EBADMSG if the line is damaged, another -errno if the segment is unreadable. If `r` is
     * not 0, `err` has the reason, and `entry` is all zeros. */
    int r;
    struct hf_err err;
    struct hf_audit_entry entry;
    char hash[HF_SHA256_HEX]; /* SHA-256 of `text` */
};

/* Writes the name of the segment that begins with entry `first` into `name`, and returns `name`. */
const char *hf_audit_segment_name(uint64_t first, char name[HF_AUDIT_NAME]);

/* Writes the path of the segment that begins with entry `first` into `path`. -ENAMETOOLONG: the path of the folder is
 * too long. */
HF_MUST_USE int hf_audit_segment_path(const char *dir, uint64_t first, char path[PATH_MAX], struct hf_err *err);

/* Lists the segments of a folder. Ignores all other names. -ENOENT: there is no such folder. */
HF_MUST_USE int hf_audit_segments_list(const struct hf_fs_ops *fs, const char *dir, struct hf_audit_segments *ret,
                                       struct hf_err *err);

/* Appends the content of a segment to *text, whose maximum must be above HF_AUDIT_SEGMENT_BYTES. -E2BIG: the content
 * exceeds this maximum. -ENAMETOOLONG: the path of the folder is too long. Other -errno: the file cannot be opened or
 * read. */
HF_MUST_USE int hf_audit_segment_read(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                      struct hf_err *err);

/* Cuts the next line off *rest and parses it. Before the first call, the caller sets line->segment, and sets
 * line->number to 0. Each call adds 1 to line->number. Returns false at the end. A last line without a newline is
 * damaged. */
bool hf_audit_line_next(struct hf_view *rest, struct hf_audit_line *line);

/* Calls `visit` for each line of the segment that begins with entry `first`. Clears and uses *text, whose maximum must
 * be above HF_AUDIT_SEGMENT_BYTES. If `visit` returns a value other than 0, stops and returns this value. An
 * unreadable or empty segment counts as one damaged line. */
HF_MUST_USE int hf_audit_segment_visit(const struct hf_fs_ops *fs, const char *dir, uint64_t first, struct hf_buf *text,
                                       int (*visit)(void *arg, const struct hf_audit_line *line), void *arg);

/* Finds the segment that has entry `from`, and does what hf_audit_segment_visit() does for this segment and for all
 * later ones. If `from` is 0, does this for all segments. Also returns -errno if the folder cannot be listed. */
HF_MUST_USE int hf_audit_read(const struct hf_fs_ops *fs, const char *dir, uint64_t from,
                              int (*visit)(void *arg, const struct hf_audit_line *line), void *arg, struct hf_err *err);
