/* kube/folder/folder.h - a folder of YAML and JSON files as a source (--source DIR); status goes to <state>/status/.
 *
 * Reads *.yaml *.yml *.json directly in DIR (not in its subfolders) and follows links. A file may hold several
 * documents or a List. The source ignores objects of other API groups. It scans the folder every second on a worker,
 * because that works on every file system, USB sticks included.
 *
 * A file counts only once it has stopped changing, so that the source does not read a half-copied file. An object whose
 * file is gone counts as gone only if every file in the folder is readable, because the object may have moved to
 * another file. Nor is any object gone while the folder has no file at all; to remove all objects, leave an empty .yaml
 * file in it. While a file is unreadable, its last objects stay, and `refused` reports the file. If two files have the
 * same object, the file whose name sorts first wins. With more than HF_FOLDER_MAX_FILES files, `refused` reports the
 * folder once, and no object counts as gone until there are fewer files. A folder has no resourceVersion, so `version`
 * never comes, and `synced` passes "".
 *
 * Threads: loop thread only. Memory: the owner frees an hf_folder; the pointers in its parameters must outlive
 * it, but it copies their strings.
 * Errors: hf_folder_new() returns NULL with *err when memory runs out. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "kube/source.h"
#include "loop/sched.h"

struct hf_folder_params {
    const char *dir;
    const char *status_dir; /* <state>/status; the source writes <kind>-<name>.json files there durably */
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    struct hf_log *log;
    uint64_t period_ns; /* time between two scans (0 means 1 s) */
};

struct hf_folder;
struct hf_folder *hf_folder_new(const struct hf_folder_params *params, struct hf_err *err);
void hf_folder_free(struct hf_folder *folder);
HF_DEFINE_CLEANUP(struct hf_folder, hf_folder_free)
const struct hf_source_ops *hf_folder_source(struct hf_folder *folder);
