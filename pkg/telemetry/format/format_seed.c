/* SPDX-License-Identifier: Apache-2.0 */
/* The seed's payload: {"id","timestamp","sensorData","checksum"}, where checksum is SHA-256 over the JSON text of
 * sensorData. A record that is not a payload has the same shape, with the whole line as sensorData. */
#include "telemetry/format/format_impl.h"

#include <errno.h>
#include <inttypes.h>

#include "codec/sha256.h"
#include "telemetry/event/event.h"

static int add_escaped(struct hf_buf *out, struct hf_view text)
{
    int r = 0;

    for (size_t i = 0; i < text.n && r == 0; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            r = hf_buf_addf(out, "\\%c", c);
        else if (c < 0x20)
            r = hf_buf_addf(out, "\\u%04x", c);
        else
            r = hf_buf_add(out, text.p + i, 1);
    }
    return r;
}

static int write_payload(const struct hf_event *event, struct hf_view data, const char *checksum, struct hf_buf *out)
{
    int r = hf_buf_add_str(out, "{\"id\":\"");

    if (r == 0)
        r = add_escaped(out, event->id);
    if (r == 0)
        r = hf_buf_addf(out, "\",\"timestamp\":%" PRIu64 ",\"sensorData\":", event->unix_ns / 1000000);
    if (r == 0)
        r = hf_buf_add(out, data.p, data.n);
    return r < 0 ? r : hf_buf_addf(out, ",\"checksum\":\"%s\"}", checksum);
}

int hf_format_pack_seed(const struct hf_spool_record *records, struct hf_format_packed *packed)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT + 4096);
    struct hf_format_part *part = &packed->parts[0];
    struct hf_event event;
    struct hf_view node;

    packed->used = 1;
    int r = hf_event_parse(records[0].payload, &event, &node, &scratch);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return 0; /* not readable: no parts, so it becomes a dead letter */
    struct hf_view data = event.kind == HF_EVENT_PAYLOAD ? event.body : records[0].payload;
    (void)hf_sha256_hex(data.p, data.n, part->checksum);
    r = write_payload(&event, data, part->checksum, &part->body);
    part->path = "/ingest";
    part->content_type = "application/json";
    part->records = 1;
    part->raw_bytes = part->body.n;
    packed->n_parts = 1;
    return r;
}
