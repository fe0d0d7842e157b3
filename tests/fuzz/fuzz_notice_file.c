/* SPDX-License-Identifier: Apache-2.0 */
/* <state>/events.json, as a power cut, a bad disk or another version may have left it: refused without a trace, or a bounded queue of
 * whole notices that is written and read again as the same one. */
#include <stdlib.h>
#include <string.h>

#include "agent/report/notice_file.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n);

static void check(const struct hf_notices *notices)
{
    if (notices->n > HF_NOTICES_MAX || notices->dropped != 0)
        abort();
    for (size_t i = 0; i < notices->n; i++) {
        const struct hf_notice *notice = &notices->queue[i];
        if (hf_notice_reason_name(notice->reason)[0] == '\0' || notice->number == 0 ||
            notice->number > notices->added || notice->text[0] == '\0' || strlen(notice->text) >= HF_NOTICES_TEXT)
            abort();
    }
}

static bool equal(const struct hf_notice *a, const struct hf_notice *b)
{
    return a->reason == b->reason && a->unix_ns == b->unix_ns && a->number == b->number &&
           strcmp(a->text, b->text) == 0;
}

static void again(const struct hf_notices *notices, uint64_t salt)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_NOTICE_FILE_MAX);
    struct hf_notices back;
    uint64_t other = ~salt;

    hf_notices_init(&back, 0);
    if (hf_notice_file_format(notices, salt, &text) < 0 ||
        hf_notice_file_parse(hf_buf_view(&text), &back, &other, NULL) < 0 || other != salt || back.n != notices->n)
        abort();
    for (size_t i = 0; i < back.n; i++)
        if (!equal(&back.queue[i], &notices->queue[i]))
            abort();
    hf_notices_done(&back);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n)
{
    struct hf_notices notices;
    struct hf_err err = HF_ERR_INIT;
    uint64_t salt = 7;

    hf_notices_init(&notices, 0);
    if (hf_notice_file_parse((struct hf_view){(const char *)bytes, n}, &notices, &salt, &err) == 0) {
        check(&notices);
        again(&notices, salt);
    } else if (notices.n != 0 || notices.added != 0 || salt != 7 || err.cause[0] == '\0') {
        abort();
    }
    hf_notices_done(&notices);
    return 0;
}
