/* SPDX-License-Identifier: Apache-2.0 */
/* A scan of a folder. Reads a file that is new or changed and has settled: two scans saw the same inode, size and
 * mtime, or its mtime is a few periods old. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16,
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* of the last scan */
    struct hf_folder_stamp taken; /* of the last good read */
    json_t *objects;              /* "Kind/name", text, "Kind/name", text, ...; or NULL */
    bool settled;
    bool failed; /* the last stat or read failed */
    /* bad content: read again only after a change */
    bool bad;
    bool reported;
    bool unreported;  /* not reported yet, as `issues` was full */
    unsigned missing; /* scans in a row that missed it */
};

struct hf_folder_issue {
    char what[256]; /* name of a file, or `whole` */
    struct hf_err err;
};

/* Begins with zeros. */
struct hf_folder_view {
    struct hf_folder_file *files;
    size_t n;
    bool changed;
    bool complete; /* `files` are current */
    /* files beyond HF_FOLDER_MAX_FILES */
    size_t left_out;
    size_t left_out_reported;
    char whole[128]; /* name of the folder in an issue */
    /* -errno: the folder could not be listed, and no file was read */
    int r;
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues;
};

/* Whether the file was read, or does not exist; for view->whole, whether no file was left out. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Blocks. Errors are in `view`. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
