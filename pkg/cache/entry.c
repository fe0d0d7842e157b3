/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/entry.h"

#include <errno.h>
#include <string.h>

#include "codec/seal.h"

enum { FORMAT = 1 };

int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX])
{
    size_t before = out->n, body = 0;
    int r = hf_seal_begin("cache", FORMAT, out, &body);

    if (r == 0)
        r = hf_json_format(object, out);
    if (r == 0)
        r = hf_buf_add_str(out, "\n");
    if (r == 0)
        hf_seal_end(out, body, hex);
    else
        hf_buf_cut(out, before);
    return r;
}

int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX], struct hf_err *err)
{
    struct hf_view body;
    int r = hf_seal_open(text, "cache", FORMAT, &body, err);

    if (r == -EOPNOTSUPP)
        return hf_err_set(err, EBADMSG, "not a cache file of format %d", FORMAT);
    if (r < 0)
        return r;
    memcpy(hex, body.p - HF_SHA256_HEX, HF_SHA256_HEX - 1); /* ends before the line feed */
    hex[HF_SHA256_HEX - 1] = '\0';
    r = hf_json_parse(body, NULL, ret_object, err);
    return r == -E2BIG ? hf_err_wrap(err, -EBADMSG, "damaged") : r;
}
