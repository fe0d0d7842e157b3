/* SPDX-License-Identifier: Apache-2.0 */
/* The newest status as <folder>/<node>/status.json on --export's medium. Looks every HF_STATUS_EXPORT_NS; writes a new
 * status, or to another medium. Threads: loop thread; a job that may hang writes. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "base/view.h"
#include "loop/sched.h"

#define HF_STATUS_EXPORT_NS (10 * HF_NS_PER_S)

struct hf_status_export;

/* Copies both names. */
struct hf_status_export *hf_status_export_new(const struct hf_fs_ops *fs, const struct hf_sched_ops *sched,
                                              struct hf_log *log, const char *folder, const char *node);
/* A job ends by itself. */
void hf_status_export_free(struct hf_status_export *export);

/* Copies; no memory: the one before stays. Accepts NULL. */
void hf_status_export_set(struct hf_status_export *export, struct hf_view text);
