/* kube/folder.h - a folder of YAML and JSON files as a source (--source DIR), and <state>/status/ as where status goes.
 *
 * Files *.yaml *.yml *.json directly in DIR (not below), several documents each; objects of other groups are ignored. Told
 * again when a file changes (looked at every second: works on every file system, USB sticks included). An object whose file
 * is gone counts as gone only when the folder itself is still readable and was not emptied altogether (DESIGN 3.10); an
 * unreadable file keeps its last objects and is told through `refused`. Labels of "Node": the folder may hold a Node object;
 * otherwise the agent's own facts stand alone. */
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
