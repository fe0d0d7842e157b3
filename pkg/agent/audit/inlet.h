/* SPDX-License-Identifier: Apache-2.0 */
/* agent/audit/inlet.h - takes events for the audit log (pkg/audit), and counts them as lost while the log is not open.
 * Threads: loop thread only. */
#pragma once

#include "audit/log.h"
#include "web/metrics.h"

struct hf_audit_inlet {
    struct hf_audit_log *log; /* the audit log; NULL while it cannot be opened */
    uint64_t missed;          /* number of events without a log */
    struct hf_metric *lost;   /* counts the lost events */
};

/* Adds an entry like hf_audit_log_add(), or counts the event as lost. Does nothing if `inlet` is NULL. */
void hf_audit_inlet_add(struct hf_audit_inlet *inlet, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message);
