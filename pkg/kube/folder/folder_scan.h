/* SPDX-License-Identifier: Apache-2.0 */
/* A scan of a folder. A file is read if new or of another inode, size or mtime, and settled: two scans saw the same, or
 * its mtime is a few periods ago. An unreadable file keeps its last objects. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16, /* more are only counted */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* last scan */
    struct hf_folder_stamp taken; /* last good read */
    json_t *objects;              /* "Kind/name", text, "Kind/name", text, ...; or NULL */
    bool settled;
    bool failed; /* last stat or read */
    /* its content: read only after a change */
    bool bad;
    bool reported;    /* its failure */
    bool unreported;  /* `issues` was full */
    unsigned missing; /* scans in a row */
};

struct hf_folder_issue {
    char what[256]; /* file, or `whole` */
    struct hf_err err;
};

/* Begins with zeros. */
struct hf_folder_view {
    struct hf_folder_file *files; /* by name */
    size_t n;
    bool changed;  /* by the last scan */
    bool complete; /* `files` are current */
    /* beyond HF_FOLDER_MAX_FILES */
    size_t left_out;
    /* as last reported */
    size_t left_out_reported;
    char whole[128]; /* names the folder in an issue */
    /* -errno: not listed, `files` unchanged */
    int r;
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* may exceed HF_FOLDER_MAX_ISSUES */
};

/* The file's content was read, or it does not exist; view->whole: no file was left out. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Errors: in `view`. Blocks. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
