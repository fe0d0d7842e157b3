/* SPDX-License-Identifier: Apache-2.0 */
/* The newest status as <folder>/<node>/status.json on --export's medium, looked for every HF_STATUS_EXPORT_NS. Threads:
 * the loop's; a job that may hang writes. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "base/view.h"
#include "loop/sched.h"

#define HF_STATUS_EXPORT_NS (10 * HF_NS_PER_S)

struct hf_status_export;

/* Copies names. */
struct hf_status_export *hf_status_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched,
                                              struct hf_log *log, const char *folder, const char *node);
/* A running job ends later. */
void hf_status_export_free(struct hf_status_export *export);

/* Without memory, the status before stays. `export` may be NULL. */
void hf_status_export_set(struct hf_status_export *export, struct hf_view text);
