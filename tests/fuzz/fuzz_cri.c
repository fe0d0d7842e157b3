/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts of others: lines of containers, names of their folders, packets of a broker, answers of exporters, severities. Read to
 * the end of the buffer and not beyond; what is said of them lies inside it. */
#include "telemetry/source/cri.h"

#include <stdlib.h>
#include <string.h>

#include "telemetry/source/exposition.h"
#include "telemetry/source/mqtt.h"
#include "telemetry/source/source_common.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void inside(struct hf_view part, struct hf_view whole)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void exposition(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(1 << 20), line = HF_BUF_INIT(1 << 20);
    struct hf_exposition reader = {.rest = text};
    struct hf_event event = {.n_attributes = 0};

    while (hf_exposition_next(&reader, &event, &scratch) == 1) {
        inside(event.name, text);
        hf_buf_clear(&line);
        if (hf_event_format(&event, "n", &line) < 0)
            abort();
    }
}

static void packets(struct hf_view text)
{
    struct hf_mqtt_packet packet;

    while (hf_mqtt_parse(text, &packet) == 1) {
        inside(packet.topic, text);
        inside(packet.payload, text);
        if (packet.size == 0)
            abort();
        if (packet.size > text.n)
            return;
        text = (struct hf_view){text.p + packet.size, text.n - (size_t)packet.size};
    }
}

static void json_line(struct hf_view text)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(1 << 20), line = HF_BUF_INIT(1 << 20);
    struct hf_event event = {.kind = HF_EVENT_LOG};

    if (hf_source_parse_json_line(text, &event, &scratch) && hf_event_format(&event, "n", &line) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_view text;
    struct hf_cri_line line;
    struct hf_cri_pod pod;

    if (n == 0)
        return 0;
    text = (struct hf_view){(const char *)bytes + 1, n - 1};
    switch (bytes[0] & 7) {
    case 0:
        if (hf_cri_parse(text, &line))
            inside(line.text, text);
        break;
    case 1:
        if (hf_cri_pod_parse(text, &pod)) {
            inside(pod.space, text);
            inside(pod.uid, text);
        }
        break;
    case 2:
        packets(text);
        break;
    case 3:
        exposition(text);
        break;
    case 4:
        (void)hf_source_line_severity(text);
        break;
    default:
        json_line(text);
    }
    return 0;
}
