/* kube/folder/folder.h - a folder of YAML and JSON files as a source (--source DIR); status goes to <state>/status/.
 *
 * Reads *.yaml *.yml *.json directly in DIR (not below; follows links). A file may hold several documents, also a
 * List of them; it ignores objects of other groups. Scans every second, on a worker (works on every file system, USB
 * sticks included).
 *
 * A file counts once it has stopped changing, so that a half-copied file does not pass for a shorter one. An object
 * whose file is gone counts as gone only when the folder and every file in it are readable (the object may have
 * moved) and the folder is not empty (an empty .yaml file in it confirms that). A file that cannot be read keeps its
 * last objects, and `refused` reports it. If two files have the same object, the file whose name sorts first wins.
 * With more than HF_FOLDER_MAX_FILES files, `refused` reports the folder once, and no object counts as gone until
 * there are fewer files. There is no resourceVersion: `version` never comes, `synced` has "".
 *
 * Threads: loop thread only. Memory: the owner frees an hf_folder; the params' pointers must outlive it, its strings
 * are copied.
 * Errors: hf_folder_new() returns NULL with *err when memory runs out. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "kube/source.h"
#include "loop/sched.h"

struct hf_folder_params {
    const char *dir;
    const char *status_dir; /* <state>/status: <kind>-<name>.json, replaced durably */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    struct hf_log *log;
    uint64_t period_ns; /* 0: 1 s */
};

struct hf_folder;
struct hf_folder *hf_folder_new(const struct hf_folder_params *params, struct hf_err *err);
void hf_folder_free(struct hf_folder *folder);
HF_DEFINE_CLEANUP(struct hf_folder, hf_folder_free)
const struct hf_source_ops *hf_folder_source(struct hf_folder *folder);
