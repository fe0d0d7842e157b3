/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of YAML and JSON files as a source (--source DIR), with statuses in <state>/status/.
 *
 * Reads *.yaml, *.yml and *.json directly in DIR, through links, without dot names, each second on a worker. Other API
 * groups, except Nodes, are ignored. Of two files with one object the higher sequence wins, else the name that sorts
 * first.
 *
 * Only a complete scan shows what is gone; a file is missing after two (folder.c). An unreadable file keeps its last
 * objects; `refused` and `unreadable` report it once, and too many files. Contact is lost while a scan fails or exceeds
 * 60 s. It never calls `version`; `synced` gets "".
 *
 * Copies strings; `world` must outlive the hf_folder and its last job, for which hf_folder_free() does not wait. */
#pragma once

#include "kube/source.h"
#include "loop/world.h"

struct hf_folder_params {
    const char *dir;
    const char *status_dir; /* for durable <kind>-<name>.json */
    struct hf_world world;
    uint64_t period_ns; /* 0: 1 s */
};

struct hf_folder;
struct hf_folder *hf_folder_new(const struct hf_folder_params *params, struct hf_err *err);
void hf_folder_free(struct hf_folder *folder);
HF_DEFINE_CLEANUP(struct hf_folder, hf_folder_free)
const struct hf_source_ops *hf_folder_source(struct hf_folder *folder);
