/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder_scan.h - one scan of a folder of YAML and JSON files. Private to pkg/kube.
 *
 * A file is read if it is new or its inode, size or modification time has changed, and it has settled: two scans in a
 * row saw the same, or its modification time is a few periods ago. While it is unreadable, its last objects stay.
 * Objects are kept as compact text: a tree needs seven times the memory, and few are reported more than once. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16, /* issues described; further ones are only counted */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* at the last scan */
    struct hf_folder_stamp taken; /* when its objects were last read */
    json_t *objects;              /* array of "Kind/name", text, "Kind/name", text, ...; NULL: never read */
    /* as above */
    bool settled;
    bool failed; /* the last stat or read failed */
    /* the content: read again only after a change */
    bool bad;
    bool reported;    /* the failure is reported */
    bool unreported;  /* there was no room to report it */
    unsigned missing; /* scans in a row without it */
};

struct hf_folder_issue {
    char what[256]; /* file, or `whole` of the view */
    struct hf_err err;
};

/* Zero it before the first scan. */
struct hf_folder_view {
    struct hf_folder_file *files; /* sorted by name */
    size_t n;
    bool changed;  /* the last scan read or dropped a file */
    bool complete; /* `files` are current */
    /* files beyond HF_FOLDER_MAX_FILES */
    size_t left_out;
    /* as last reported */
    size_t left_out_reported;
    char whole[128]; /* path of the folder, for an issue about all of it */
    /* -errno if the last scan could not list the folder; `files` are then unchanged */
    int r;
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* of the last scan; may exceed HF_FOLDER_MAX_ISSUES */
};

/* No such file, or its current content is in `view`; for view->whole: no file was left out. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Brings `view` up to date; errors go there. Blocks. `period_ns`: time between two scans. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
