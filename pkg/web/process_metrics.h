/* web/process_metrics.h - gauges of the process itself.
 * Threads: loop thread only. Memory: static, one set for each process. */
#pragma once

#include "base/macros.h"
#include "web/metrics.h"

/* Adds the process' own gauges, read on demand: holdfast_process_cpu_seconds_total, _resident_memory_bytes,
 * _open_fds, _start_time_seconds. 0, -ENOSPC or -ENOMEM. */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
