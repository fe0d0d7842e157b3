/* SPDX-License-Identifier: Apache-2.0 */
/* Adds events to the audit log (pkg/audit); while that is not open, counts them as lost. */
#pragma once

#include "audit/log.h"
#include "web/metrics.h"

struct hf_audit_inlet {
    struct hf_audit_log *log;
    uint64_t missed;
    struct hf_metric *lost;
};

/* `inlet` may be NULL. */
void hf_audit_inlet_add(struct hf_audit_inlet *inlet, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message);
