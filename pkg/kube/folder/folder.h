/* SPDX-License-Identifier: Apache-2.0 */
/* kube/folder/folder.h - a folder of YAML and JSON files as a source of desired state (--source DIR). The source writes
 * statuses to files in <state>/status/.
 *
 * The source reads *.yaml, *.yml and *.json files directly in DIR, not in its subfolders. It ignores files whose names
 * begin with a dot, and follows symbolic links. A file may hold several documents or a List. The source ignores objects
 * of other API groups, except Nodes. The source scans the folder every second on a worker, because a scan works on
 * every file system, even on a USB stick.
 *
 * The source reads a file only when the file has stopped changing, because somebody may still be copying it. If two
 * scans in a row miss a file, its objects count as gone, but only while every other file in the folder is readable: the
 * objects may have moved to a file that is unreadable now. No object counts as gone while the folder has no YAML or
 * JSON file at all; to remove all objects, leave an empty .yaml file in the folder. While a file is unreadable, its
 * last objects stay, and the callbacks `refused` and `unreadable` report the file once. If two files have the same
 * object, the file whose name sorts first wins. If there are more than HF_FOLDER_MAX_FILES files, `refused` and
 * `unreadable` report the folder once, and again when the number of files changes. No object then counts as gone until
 * there are few enough files. Contact is lost while a scan fails, or has not ended after 60 s. A folder has no
 * resourceVersion, so the source never calls `version`, and it passes "" to `synced`.
 *
 * Threads: loop thread only. Memory: the caller frees an hf_folder with hf_folder_free(). The hf_folder copies the
 * strings of its parameters. All other data to which the parameters point must outlive the hf_folder and its last job;
 * hf_folder_free() does not wait for this job. Errors: hf_folder_new() returns NULL and sets *err if memory runs
 * out. */
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "kube/source.h"
#include "loop/sched.h"

struct hf_folder_params {
    const char *dir;
    const char *status_dir; /* folder <state>/status, in which the source durably writes files <kind>-<name>.json */
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
