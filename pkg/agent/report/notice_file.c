/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/notice_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json.h"

enum { FORMAT = 1, SALT_DIGITS = 16 };

static int add_notice(json_t *list, const struct hf_notice *notice)
{
    json_t *item = json_pack("{s:s, s:I, s:I, s:s}", "reason", hf_notice_reason_name(notice->reason), "time",
                             (json_int_t)notice->unix_ns, "number", (json_int_t)notice->number, "text", notice->text);

    return item != NULL && json_array_append_new(list, item) == 0 ? 0 : -ENOMEM;
}

int hf_notice_file_format(const struct hf_notices *notices, uint64_t salt, struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *list = json_array();
    char text[SALT_DIGITS + 1];
    int r = list != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < notices->n; i++)
        r = add_notice(list, &notices->queue[i]);
    if (r < 0)
        return r;
    (void)snprintf(text, sizeof(text), "%016" PRIx64, salt);
    _cleanup_(hf_json_freep) json_t *file =
        json_pack("{s:i, s:s, s:O}", "format", FORMAT, "salt", text, "notices", list);
    return file != NULL ? hf_json_format(file, out) : -ENOMEM;
}

static enum hf_notice_reason reason_of(const char *name)
{
    for (unsigned i = HF_NOTICE_NONE + 1; i < HF_NOTICE_REASONS; i++)
        if (strcmp(hf_notice_reason_name((enum hf_notice_reason)i), name) == 0)
            return (enum hf_notice_reason)i;
    return HF_NOTICE_NONE;
}

static int parse_salt(const char *text, uint64_t *ret_salt)
{
    uint64_t salt = 0;

    if (strlen(text) != SALT_DIGITS || strspn(text, "0123456789abcdef") != SALT_DIGITS)
        return -EBADMSG;
    for (; *text != '\0'; text++)
        salt = salt << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    *ret_salt = salt;
    return 0;
}

static void take_notice(const json_t *item, struct hf_notices *notices)
{
    enum hf_notice_reason reason = reason_of(hf_json_str_or(item, "reason", ""));
    int64_t time = hf_json_int_or(item, "time", -1), number = hf_json_int_or(item, "number", -1);
    const char *text = hf_json_str_or(item, "text", "");

    if (reason != HF_NOTICE_NONE && time >= 0 && number > 0 && text[0] != '\0')
        hf_notices_restore(notices, reason, (uint64_t)time, (uint64_t)number, text);
}

int hf_notice_file_parse(struct hf_view text, struct hf_notices *notices, uint64_t *ret_salt, struct hf_err *err)
{
    static const struct hf_json_limits limits = {
        .max_bytes = HF_NOTICE_FILE_MAX, .max_depth = 4, .max_nodes = 16 * HF_NOTICES_MAX};
    _cleanup_(hf_json_freep) json_t *file = NULL;

    if (hf_json_parse(text, &limits, &file, err) < 0)
        return hf_err_wrap(err, -EBADMSG, "parse the notices");
    const json_t *list = json_object_get(file, "notices");
    if (hf_json_int_or(file, "format", 0) != FORMAT || !json_is_array(list) || json_array_size(list) > HF_NOTICES_MAX ||
        parse_salt(hf_json_str_or(file, "salt", ""), ret_salt) < 0)
        return hf_err_set(err, EBADMSG, "the file does not have format %d, a salt and at most %d notices", FORMAT,
                          HF_NOTICES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++)
        take_notice(json_array_get(list, i), notices);
    return 0;
}
