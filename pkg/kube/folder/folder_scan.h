/* kube/folder/folder_scan.h - one scan of a folder of YAML and JSON files. Private to pkg/kube.
 *
 * Keeps objects as compact JSON text: a tree takes seven times as much memory, and the source reports most objects once
 * at most.
 *
 * A scan reads a file that is new or has changed (inode, size, time) and has settled: it is unchanged since the last
 * scan, or its time is a few periods old. So a half-copied file is not taken for a shorter one. A file that cannot be
 * read keeps its last objects.
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
    HF_FOLDER_MAX_ISSUES = 16, /* files in a scan; it only counts further ones */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* as last seen */
    struct hf_folder_stamp taken; /* stamp of the file when the scan read `objects` */
    json_t *objects;              /* array of "Kind/name", text, "Kind/name", text ...; NULL: never read with success */
    bool settled;                 /* two scans saw the same `stamp`, or it is old */
    bool failed;                  /* the last reading failed */
    bool bad;                     /* the content was the reason: try again only after a change */
    bool reported;                /* the scan has reported this failure since the last change */
    unsigned missing;             /* scans in a row that did not find it */
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
    bool complete;            /* the current content of every file is read */
    size_t left_out;          /* files beyond HF_FOLDER_MAX_FILES */
    size_t left_out_reported; /* the value of left_out in the last issue, whose name is `whole` */
    char whole[128];          /* the folder */
    int r;                    /* 0, or the reason why the folder could not be listed: the files stay as they were */
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* may exceed HF_FOLDER_MAX_ISSUES */
};

/* Returns true if the file of this name is gone, or if the last scan has its current content. Given the name of the
 * folder itself, returns true if the scan left out no file. */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* Brings `view` up to date. `now_unix_ns` is compared with the times of the files. */
void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
