/* SPDX-License-Identifier: Apache-2.0 */
/* A line as another agent might send it: refused, or an event that is written and read again as the same one. */
#include "telemetry/event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct hf_event event, again;
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT),
                                         line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(HF_EVENT_MAX_TEXT), more = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    struct hf_view node;
    char name[300];

    if (hf_event_parse((struct hf_view){(const char *)bytes, n}, &event, &node, &scratch) < 0)
        return 0;
    if (event.n_attributes > HF_EVENT_MAX_ATTRIBUTES || scratch.n > n)
        abort();
    size_t kept = HF_MIN(node.n, sizeof(name) - 1);
    if (kept > 0)
        memcpy(name, node.p, kept);
    name[kept] = '\0';
    if (hf_event_format(&event, name, &line) < 0)
        return 0;
    if (memchr(line.p, '\n', line.n) != NULL || hf_event_parse(hf_buf_view(&line), &again, &node, &other) < 0)
        abort();
    if (hf_event_format(&again, name, &more) < 0 || line.n != more.n || memcmp(line.p, more.p, line.n) != 0)
        abort();
    return 0;
}
