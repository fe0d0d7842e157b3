/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/notice_file.h"

#include <errno.h>
#include <stdio.h>

struct kept_notice {
    enum hf_notice_reason reason;
    uint64_t unix_ns, number;
    char text[HF_NOTICES_TEXT];
};

struct notice_file {
    uint64_t salt;
    unsigned n;
    struct kept_notice notices[HF_NOTICES_MAX];
};

static const char *reason_name(unsigned reason)
{
    return hf_notice_reason_name((enum hf_notice_reason)reason);
}

static const struct hf_record_row notice_rows[] = {
    HF_RECORD_ROW(struct kept_notice, "reason", reason, .required = true, .name_of = reason_name,
                  .max = HF_NOTICE_REASONS - 1, .lenient = true),
    HF_RECORD_ROW(struct kept_notice, "time", unix_ns, .required = true),
    HF_RECORD_ROW(struct kept_notice, "number", number, .required = true),
    HF_RECORD_ROW(struct kept_notice, "text", text, .required = true),
};
static const struct hf_record_rows notice_fields = HF_RECORD_ROWS(notice_rows);

static const struct hf_record_row rows[] = {
    HF_RECORD_ROW_OF(HF_RECORD_SIGNED, struct notice_file, "salt", salt, .required = true),
    HF_RECORD_ARRAY(HF_RECORD_STRUCT, struct notice_file, "notices", notices, offsetof(struct notice_file, n),
                    .required = true, .fields = &notice_fields),
};

const struct hf_record_type hf_notice_file_type = {.name = "events",
                                                   .version = 2,
                                                   .size = sizeof(struct notice_file),
                                                   .max_bytes = HF_NOTICE_FILE_MAX,
                                                   .rows = HF_RECORD_ROWS(rows)};

int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out)
{
    struct notice_file file = {.salt = salt};

    for (; file.n < notices->n; file.n++) {
        const struct hf_notice *from = &notices->queue[file.n];
        struct kept_notice *to = &file.notices[file.n];
        to->reason = from->reason;
        to->unix_ns = from->unix_ns;
        to->number = from->number;
        (void)snprintf(to->text, sizeof(to->text), "%s", from->text);
    }
    return hf_record_format(&hf_notice_file_type, &file, out);
}

int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt, struct hf_err *err)
{
    struct notice_file file;

    if (hf_record_parse(&hf_notice_file_type, text, &file, err) < 0)
        return hf_err_wrap(err, -EBADMSG, "parse the notices");
    *ret_salt = file.salt;
    for (unsigned i = 0; i < file.n; i++) {
        const struct kept_notice *notice = &file.notices[i];
        if (notice->reason != HF_NOTICE_NONE && notice->number > 0 && notice->text[0] != '\0')
            hf_notices_restore(notices, notice->reason, notice->unix_ns, notice->number, notice->text);
    }
    return 0;
}
