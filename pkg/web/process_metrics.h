/* SPDX-License-Identifier: Apache-2.0 */
/* web/process_metrics.h - metrics about the process itself, such as its memory use. Threads: loop thread only. Memory:
 * the metrics are static variables, so a process can have them in only one registry. */
#pragma once

#include "base/macros.h"
#include "web/metrics.h"

/* Adds the metrics holdfast_process_cpu_seconds_total, holdfast_process_resident_memory_bytes,
 * holdfast_process_open_fds and holdfast_process_start_time_seconds. The start time is the time of this call; each
 * scrape reads the current values of the other metrics. Returns 0, or the -ENOSPC of hf_metrics_on_collect(). */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
