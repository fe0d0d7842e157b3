/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the newest status to <folder>/<node>/status.json when --export's medium is there. Loop thread only; a job,
 * which may hang, writes. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "base/view.h"
#include "loop/sched.h"

#define HF_STATUS_EXPORT_NS (10 * HF_NS_PER_S)

struct hf_status_export;

struct hf_status_export *hf_status_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched,
                                              struct hf_log *log, const char *folder, const char *node);
void hf_status_export_free(struct hf_status_export *export);

/* Sets the newest status; if memory runs out, the one before stays. `export` may be NULL. */
void hf_status_export_set(struct hf_status_export *export, struct hf_view text);
