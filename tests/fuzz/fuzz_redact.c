/* SPDX-License-Identifier: Apache-2.0 */
/* Redacts any body: a JSON body stays JSON and loses the members that must not leave the node. */
#include "codec/scan.h"
#include "telemetry/pipeline/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct hf_telemetry_redact rules[] = {{.field = "pw", .action = HF_REDACT_MASK},
                                                   {.field = "rm", .action = HF_REDACT_REMOVE},
                                                   {.field = "h", .action = HF_REDACT_HASH}};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_redactor redactor, again;
    struct hf_view body = {(const char *)bytes, n};
    struct hf_event event = {.kind = HF_EVENT_LOG, .body = body};
    struct hf_scan scan;
    static const struct hf_telemetry_redact only_remove[] = {{.field = "rm", .action = HF_REDACT_REMOVE}};

    if (n == 0)
        return 0;
    hf_redactor_init(&redactor, rules, HF_LEN(rules));
    hf_redactor_init(&again, only_remove, 1);
    hf_scan_init_loose(&scan, body);
    bool valid = hf_scan_raw(&scan, NULL) == 0 && hf_scan_end(&scan) == 0;
    if (hf_redact_body(&redactor, &event) == 0 && valid) {
        hf_scan_init_loose(&scan, event.body);
        if (event.truncated || hf_scan_raw(&scan, NULL) < 0)
            abort();
        struct hf_view once = event.body;
        if (hf_redact_body(&again, &event) < 0 || event.body.p != once.p) /* nothing is left to remove */
            abort();
    }
    hf_redactor_done(&redactor);
    hf_redactor_done(&again);
    return 0;
}
