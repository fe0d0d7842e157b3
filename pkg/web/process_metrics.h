/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics about the process, for one registry only. */
#pragma once

#include "base/macros.h"
#include "web/metrics.h"

/* Adds holdfast_process_cpu_seconds_total, _resident_memory_bytes, _open_fds, and _start_time_seconds, which is now. */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
