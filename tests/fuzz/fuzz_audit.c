/* SPDX-License-Identifier: Apache-2.0 */
/* A segment of the audit log, as an attacker or a bad disk may have left it: the reader and the check must cope with any bytes. And
 * any text as subject and message: the line must come back as the event was set. */
#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "audit/check.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n);

/* A line that is accepted is one that the writer could have written. */
static void again(const struct hf_audit_line *line)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_AUDIT_LINE_MAX);
    struct hf_audit_entry back;

    if (line->entry.event.kind == HF_AUDIT_KIND_COUNT)
        return;
    if (hf_audit_entry_format(&line->entry, &out) < 0 || hf_audit_entry_parse(hf_buf_view(&out), &back, NULL) < 0 ||
        back.seq != line->entry.seq || strcmp(back.event.message, line->entry.event.message) != 0)
        abort();
}

static void segment(struct hf_view text)
{
    struct hf_audit_line line = {.segment = "audit-000000000001.jsonl"};
    struct hf_audit_check check = {0};
    struct hf_view rest = text;

    while (hf_audit_line_next(&rest, &line)) {
        hf_audit_check_see(&check, &line);
        if (line.r == 0)
            again(&line);
    }
    (void)!hf_audit_check_end(&check, NULL);
}

static void event(const char *text)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_AUDIT_LINE_MAX);
    struct hf_audit_entry entry = {.seq = 7, .batch = 7, .count = 1}, back;

    hf_audit_no_prev(entry.prev);
    hf_audit_event_set(&entry.event, HF_AUDIT_UPDATE_REFUSED, text, text, text);
    if (hf_audit_entry_format(&entry, &out) < 0 || memchr(out.p, '\n', out.n) != NULL ||
        hf_audit_entry_parse(hf_buf_view(&out), &back, NULL) < 0 ||
        memcmp(&back.event.subject, &entry.event.subject, strlen(entry.event.subject) + 1) != 0 ||
        strcmp(back.event.message, entry.event.message) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n)
{
    char *text = malloc(n + 1);

    if (text == NULL)
        return 0;
    if (n > 0)
        memcpy(text, bytes, n);
    text[n] = '\0';
    segment((struct hf_view){text, n});
    event(text);
    (void)hf_audit_group_of((struct hf_view){text, n}, HF_AUDIT_GROUP);
    free(text);
    return 0;
}
