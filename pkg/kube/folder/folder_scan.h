/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder_scan.h - one scan of a folder of YAML and JSON files. Private to pkg/kube.
 *
 * The view (struct hf_folder_view) keeps objects as compact JSON text, because a JSON tree takes seven times the memory
 * and few objects are reported more than once.
 *
 * A scan reads a file that is new or whose inode, size or modification time has changed, but only after the file has
 * settled. A file has settled if two scans in a row saw the same inode, size and modification time, or if its
 * modification time is a few scan periods ago. This keeps a scan from reading a file while somebody is still copying
 * it. While a file is unreadable, its last objects stay in the view.
 *
 * Threads: hf_folder_scan() blocks, so call it on a worker; the functions access only their arguments. Memory:
 * hf_folder_view_done() frees the content of a view. Errors: a scan records its errors in the view. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16, /* maximum number of issues that a scan describes; the scan only counts further issues */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* inode, size and modification time of the file at the last scan */
    struct hf_folder_stamp taken; /* stamp of the file when a scan last read its objects */
    json_t *objects; /* array of "Kind/name", text, "Kind/name", text, ...; NULL before the first successful read */
    /* true if two scans in a row saw the same `stamp`, or if its modification time is a few scan periods ago */
    bool settled;
    bool failed; /* true if the last stat or read of the file failed */
    /* true if the last read failed because of the content; a scan then reads the file again only after a change */
    bool bad;
    bool reported;    /* true if a scan has reported the failure since the file last changed */
    bool unreported;  /* true if the last read failed, and the scan had no room to report the failure */
    unsigned missing; /* number of scans in a row that did not find the file */
};

struct hf_folder_issue {
    char what[256]; /* name of the file, or `whole` of the view */
    struct hf_err err;
};

/* The state of the folder, which each scan updates. The caller must zero the struct before the first scan. */
struct hf_folder_view {
    struct hf_folder_file *files; /* the files, sorted by name */
    size_t n;
    bool changed;  /* true if the last scan read or dropped a file */
    bool complete; /* true if `files` holds the current content of every file */
    /* number of files that a scan left out, because the folder has more than HF_FOLDER_MAX_FILES; the number comes from
     * the last scan that could list the folder */
    size_t left_out;
    /* the value of `left_out` at the last report; if `left_out` is different and not 0, the scan reports the folder
     * again */
    size_t left_out_reported;
    char whole[128]; /* path of the folder, as the name in an issue about the whole folder */
    /* 0, or the -errno with which the last scan failed to list the folder; the objects in `files` are then unchanged */
    int r;
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* number of issues of the last scan; may exceed HF_FOLDER_MAX_ISSUES */
};

/* Returns true if no file with this name exists, or if `view` has the current content of the file. The name view->whole
 * stands for the folder itself; for this name, returns true if view->left_out is 0. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Scans the folder `dir` and brings `view` up to date. `now_unix_ns` is the current time, which the scan compares with
 * the modification times of the files. `period_ns` is the time between two scans. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
