/* SPDX-License-Identifier: Apache-2.0 */
/* Parses answers of a sink, batch keys of other agents, and slots of a border file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/delivery/border.h"
#include "telemetry/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_view text = {(const char *)bytes, n};
    struct hf_format json = {.kind = HF_SINK_OTLP, .otlp_json = true}, protobuf = {.kind = HF_SINK_OTLP};
    struct hf_format_part part = {.records = 1000};
    struct hf_borders borders, again;
    unsigned char slot[HF_BORDER_SLOT];
    uint64_t counter;

    if (hf_format_read_answer(&json, &part, "", text).rejected > 1000 ||
        hf_format_read_answer(&protobuf, &part, "", text).rejected > 1000)
        abort();
    memset(slot, 0, sizeof(slot));
    memcpy(slot, bytes, HF_MIN(n, sizeof(slot)));
    if (hf_borders_parse(slot, &borders, &counter) == 0) {
        hf_borders_format(&borders, counter, slot);
        if (hf_borders_parse(slot, &again, &counter) < 0 || again.n != borders.n)
            abort();
    }
    return 0;
}
