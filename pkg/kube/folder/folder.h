/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of YAML and JSON files as a source (--source DIR), with statuses in <state>/status/.
 *
 * A worker scans *.yaml, *.yml and *.json directly in DIR each `period_ns`. Objects of other API groups are ignored,
 * except Nodes. If two files have the same object, the higher sequence wins, else the name that sorts first.
 *
 * An unreadable file keeps its last objects. Contact is lost while a scan fails or exceeds 60 s. `version` is never
 * called; `synced` gets "".
 *
 * Copies strings; `world` must outlive the last job, for which hf_folder_free() does not wait. */
#pragma once

#include "kube/source.h"
#include "loop/world.h"

struct hf_folder_params {
    const char *dir;
    const char *status_dir;
    struct hf_world world;
    uint64_t period_ns; /* between scans; 0: 1 s */
};

struct hf_folder;
struct hf_folder *hf_folder_new(const struct hf_folder_params *params, struct hf_err *err);
void hf_folder_free(struct hf_folder *folder);
HF_DEFINE_CLEANUP(struct hf_folder, hf_folder_free)
const struct hf_source_ops *hf_folder_source(struct hf_folder *folder);
