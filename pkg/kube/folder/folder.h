/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of YAML and JSON files as a source (--source DIR), with statuses in <state>/status/.
 *
 * Reads *.yaml, *.yml and *.json directly in DIR, through links, without dot names, each second on a worker. A file may
 * hold documents or a List; other API groups, except Nodes, are ignored. Of two files with one object the name that
 * sorts first wins.
 *
 * An object is gone only by two complete scans (folder.c). An unreadable file keeps its last objects; `refused` and
 * `unreadable` tell once, also of too many files. Contact is lost while a scan fails or exceeds 60 s. Never `version`;
 * `synced` with "".
 *
 * Copies strings; the rest must outlive the hf_folder and its last job, for which hf_folder_free() does not wait. */
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
