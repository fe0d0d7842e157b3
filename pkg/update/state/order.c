/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/order.h"

#include <limits.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "os/file.h"

#define ROW(name_, member_, ...) HF_RECORD_ROW(struct hf_order, name_, member_, ##__VA_ARGS__)

static const struct hf_record_row rows[] = {
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct hf_order, "digest", digest, .required = true),
    ROW("version", version),
    ROW("reason", reason, .required = true),
    ROW("by", by),
    ROW("sinceUnixNs", since_unix_ns, .required = true),
    ROW("refused", refused),
};

static bool names_release(const void *record)
{
    return ((const struct hf_order *)record)->digest[0] != '\0';
}

const struct hf_record_type hf_order_type = {.name = "rollback",
                                             .version = 1,
                                             .size = sizeof(struct hf_order),
                                             .max_bytes = HF_ORDER_MAX_BYTES,
                                             .rows = HF_RECORD_ROWS(rows),
                                             .valid = names_release};

int hf_order_load(const struct hf_fs_ops *fs, const char *folder, const char *release, struct hf_order *ret_order,
                  struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_ORDER_MAX_BYTES);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, release);
    int r = hf_file_read(fs, path, &text, err);
    if (r < 0)
        return hf_file_is_damage(r) ? -EBADMSG : r;
    r = hf_record_parse(&hf_order_type, hf_buf_view(&text), ret_order, err);
    return r < 0 ? hf_err_wrap(err, r, "'%s'", path) : 0;
}

int hf_order_save(const struct hf_fs_ops *fs, const char *folder, const char *release, const struct hf_order *order,
                  struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_ORDER_MAX_BYTES);
    int r = hf_record_format(&hf_order_type, order, &text);

    return r < 0 ? hf_err_sys(err, r, "format the order for '%s'", release)
                 : hf_sealed_file_save(fs, folder, release, hf_buf_view(&text), err);
}

int hf_order_remove(const struct hf_fs_ops *fs, const char *folder, const char *release, struct hf_err *err)
{
    return hf_sealed_file_remove(fs, folder, release, err);
}

bool hf_order_is(const struct hf_order *a, const struct hf_order *b)
{
    return strcmp(a->digest, b->digest) == 0 && a->since_unix_ns == b->since_unix_ns;
}

const char *hf_order_text(const struct hf_order *order, const char *to, char *text, size_t n)
{
    bool named = order->by[0] != '\0';

    if (order->digest[0] == '\0')
        return NULL;
    (void)snprintf(text, n, "the site went back from %s to %s%s%s%s: %s", HF_CUT(24, order->version), HF_CUT(24, to),
                   named ? " (" : "", order->by, named ? ")" : "",
                   order->reason[0] != '\0' ? order->reason : "no reason given");
    hf_utf8_trim(text);
    return text;
}
