/* kube/folder/folder_scan.h - one look at a folder of YAML and JSON files, whose objects are kept as compact JSON text: a tree takes seven
 * times as much memory, and most objects are told once at most. Private to pkg/kube. Blocks: runs on a worker, touches only
 * what it is given.
 *
 * A file is read when it is new or has changed (inode, size, time) and has come to rest: unchanged since the last look, or its
 * time is a few periods old. So a file that is being copied in is not taken for a shorter one. A file that cannot be read
 * keeps its last objects. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"

enum {
    HF_FOLDER_MAX_FILES = 1000,
    HF_FOLDER_MAX_FILE_BYTES = 4 << 20,
    HF_FOLDER_MAX_ISSUES = 16, /* of one look; the rest is only counted */
};

struct hf_folder_stamp {
    uint64_t inode, size;
    int64_t mtime_s, mtime_ns;
};

struct hf_folder_file {
    char *name;
    struct hf_folder_stamp stamp; /* as last seen */
    struct hf_folder_stamp taken; /* of what `objects` were read from */
    json_t *objects;              /* array of "Kind/name", text, "Kind/name", text ...; NULL: never read with success */
    bool resting;                 /* `stamp` has been the same at two looks, or is old */
    bool failed;                  /* the last reading failed */
    bool bad;                     /* because of what it holds: not tried again before it changes */
    bool told;                    /* of the failure, since it last changed */
    unsigned missing;             /* looks in a row that did not find it */
};

struct hf_folder_issue {
    char what[128];
    struct hf_err err;
};

/* What is known of the folder; zero is nothing. A look makes the next one. */
struct hf_folder_view {
    struct hf_folder_file *files; /* by name */
    size_t n;
    bool changed;  /* the last look read or dropped a file */
    bool complete; /* every file there is has been read as it is now */
    size_t left_out,
        left_out_told; /* files beyond HF_FOLDER_MAX_FILES: now, and as told in an issue of the name `whole` */
    char whole[128];   /* the folder */
    int r;             /* 0, or why the folder could not be listed: the files are then as they were */
    struct hf_err err;
    struct hf_folder_issue issues[HF_FOLDER_MAX_ISSUES];
    size_t n_issues; /* may exceed what is stored */
};

/* Is the file of this name gone, or read as it is now? For the folder's own name: is no file left out? */
bool hf_folder_is_good(const struct hf_folder_view *view, const char *name);

void hf_folder_view_done(struct hf_folder_view *view);

/* `view` becomes what is there now. `now_unix_ns` is compared with the files' times. */
void hf_folder_look(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view);
