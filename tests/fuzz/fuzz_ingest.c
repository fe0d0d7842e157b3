/* SPDX-License-Identifier: Apache-2.0 */
/* A body of POST /ingest: refused with a place inside it, or events that all can be written as lines and read back; taken up
 * in the middle it goes on with the same ones. The first byte chooses content type, key and encoding. */
#include <stdlib.h>
#include <string.h>

#include "codec/expand.h"
#include "telemetry/source/ingest_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void check_event(const struct hf_event *event, struct hf_buf *line, struct hf_buf *scratch)
{
    struct hf_event back;
    struct hf_view node;

    hf_buf_clear(line);
    check(hf_event_format(event, "n", line) == 0);
    check(hf_event_parse(hf_buf_view(line), &back, &node, scratch) == 0);
    check(back.body.n == event->body.n &&
          (event->body.n == 0 || memcmp(back.body.p, event->body.p, event->body.n) == 0));
    check(back.id.n == event->id.n && back.n_attributes == event->n_attributes);
}

/* Items of the body from where params say; SIZE_MAX: refused. */
static size_t read_all(const struct hf_ingest_params *params, size_t stop_at, struct hf_ingest_params *ret_rest)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(1 << 20), scratch = HF_BUF_INIT(1 << 20);
    struct hf_ingest_parser reader;
    struct hf_ingest_fault fault;
    struct hf_event event;
    int r = hf_ingest_parse_begin(&reader, params, &fault);

    while (r >= 0 && reader.item < stop_at && (r = hf_ingest_parse_next(&reader, &event, &fault)) > 0)
        check_event(&event, &line, &scratch);
    if (r < 0)
        check(fault.status >= 400 && fault.status < 500 && fault.what != NULL && fault.offset <= params->body.n);
    *ret_rest = *params;
    ret_rest->trusted = true;
    ret_rest->from_item = reader.item;
    ret_rest->from_offset = reader.scan.at;
    size_t items = reader.item;
    hf_ingest_parse_end(&reader);
    return r < 0 ? SIZE_MAX : items;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const types[] = {"", "application/json", "application/x-ndjson", "image/png"};
    _cleanup_(hf_buf_done) struct hf_buf unpacked = HF_BUF_INIT(1 << 20);
    struct hf_ingest_params params = {.now_unix_ns = 1763625600000000000u}, rest, end;

    if (n == 0)
        return 0;
    params.content_type = hf_view_of(types[bytes[0] & 3]);
    if ((bytes[0] & 4) != 0)
        params.idempotency_key = HF_VIEW("node/stream/1-9");
    if (hf_expand((enum hf_squeeze_kind)((bytes[0] >> 3) % 3), (struct hf_view){(const char *)bytes + 1, n - 1},
                  &unpacked, NULL) < 0)
        return 0;
    params.body = hf_buf_view(&unpacked);
    size_t items = read_all(&params, SIZE_MAX, &rest);
    if (items == SIZE_MAX)
        return 0;
    size_t half = read_all(&params, items / 2, &rest);
    check(half == items / 2);
    check(read_all(&rest, SIZE_MAX, &end) == items);
    return 0;
}
