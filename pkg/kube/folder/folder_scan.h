/* kube/folder/folder_scan.h - one scan of a folder of YAML and JSON files. Private to pkg/kube.
 *
 * Keeps objects as compact JSON text, because a tree takes seven times the memory and few objects are reported more
 * than once.
 *
 * A scan reads a file that is new or changed (by inode, size or time), but only after the file has settled. A file has
 * settled if two scans in a row saw the same inode, size and time, or if its time is a few periods old. This keeps a
 * scan from reading a file while somebody is still copying it. While a file is unreadable, its last objects stay.
 *
 * Threads: blocks, so it runs on a worker; touches only its arguments. Memory: hf_folder_view_done() frees a view.
 * Errors: in the view. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16, /* issues that a scan describes; it only counts further issues */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* as last seen */
    struct hf_folder_stamp taken; /* stamp of the file when the scan read `objects` */
    json_t *objects;  /* array of "Kind/name", text, "Kind/name", text ...; NULL if never read successfully */
    bool settled;     /* two scans in a row saw the same `stamp`, or its time is old */
    bool failed;      /* the last reading failed */
    bool bad;         /* the last reading failed because of the content; read the file again only after a change */
    bool reported;    /* a scan has reported the failure since the file last changed */
    unsigned missing; /* scans in a row that did not find the file */
};

struct hf_folder_issue {
    char what[128];
    struct hf_err err;
};

/* The state of the folder; zero it before the first scan. Each scan updates it. */
struct hf_folder_view {
    struct hf_folder_file *files; /* sorted by name */
    size_t n;
    bool changed;             /* the last scan read or dropped a file */
    bool complete;            /* `files` holds the current content of every file */
    size_t left_out;          /* files beyond HF_FOLDER_MAX_FILES */
    size_t left_out_reported; /* the value of left_out at the last issue about the folder as a whole */
    char whole[128];          /* name of the folder, as it stands in such an issue */
    int r;                    /* 0, or the -errno with which the scan failed to list the folder; `files` then stays */
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* may exceed HF_FOLDER_MAX_ISSUES */
};

/* Returns true if no file of this name exists, or if `view` has the current content of the file. If `name` is the
 * folder itself, returns true if the last scan left out no file. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Brings `view` up to date. Compares `now_unix_ns` with the times of the files. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
