/* kube/folder/folder.h - a folder of YAML and JSON files as a source (--source DIR), and <state>/status/ as where status goes.
 *
 * Files *.yaml *.yml *.json directly in DIR (not below, links are followed), several documents each, also a List of them; objects
 * of other groups are ignored. Looked at every second, on a worker (works on every file system, USB sticks included). A file
 * counts when it has come to rest, so that one being copied in is not taken for a shorter one. An object whose file is gone
 * counts as gone only when the folder is readable, every file in it could be read (the object may have moved), and it was not
 * emptied altogether (DESIGN 3.10; an empty .yaml file means it); a file that cannot be read keeps its last objects and is told
 * through `refused`. Of two files with the same object the first by name counts. More than HF_FOLDER_MAX_FILES
 * files are told once, under the folder's name, and nothing is gone while that holds. There is no resourceVersion: marks are "". */
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
