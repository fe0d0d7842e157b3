/* web/process_metrics.h - gauges of the process itself.
 * Threads: loop thread only. Memory: static, one set for each process. */
#pragma once

#include "base/macros.h"
#include "web/metrics.h"

/* Adds metrics of this process: holdfast_process_cpu_seconds_total, _resident_memory_bytes, _open_fds and
 * _start_time_seconds. Each scrape reads their values anew. Returns 0, -ENOSPC or -ENOMEM. */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
