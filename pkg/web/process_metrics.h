/* web/process_metrics.h - metrics about the process itself, such as its memory. Threads: loop thread only. Memory:
 * static, so a process can have only one set of these metrics. */
#pragma once

#include "base/macros.h"
#include "web/metrics.h"

/* Adds the metrics holdfast_process_cpu_seconds_total, holdfast_process_resident_memory_bytes,
 * holdfast_process_open_fds and holdfast_process_start_time_seconds. Each scrape reads their current values. Returns 0,
 * or the -ENOSPC of hf_metrics_on_collect(). */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
