/* SPDX-License-Identifier: Apache-2.0 */
/* Events for the audit log (pkg/audit), counted as lost while the log is not open. */
#pragma once

#include "audit/log.h"
#include "web/metrics.h"

struct hf_audit_inlet {
    struct hf_audit_log *log; /* NULL: not open */
    uint64_t missed;
    struct hf_metric *lost;
};

/* `inlet` may be NULL. */
void hf_audit_inlet_add(struct hf_audit_inlet *inlet, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message);
