/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/audit/inlet.h"

void hf_audit_inlet_add(struct hf_audit_inlet *inlet, enum hf_audit_kind kind, const char *subject, const char *reason,
                        const char *message)
{
    if (inlet == NULL)
        return;
    if (inlet->log != NULL) {
        hf_audit_log_add(inlet->log, kind, subject, reason, message);
        return;
    }
    inlet->missed++;
    hf_metric_add(inlet->lost, 1);
}
