#include "cache/entry.h"

#include <errno.h>
#include <string.h>

#define MAGIC "holdfast-cache 1 "
enum { MAGIC_N = sizeof(MAGIC) - 1, HEX_N = HF_SHA256_HEX - 1, HEADER_N = MAGIC_N + HEX_N + 1 };

int hf_cache_entry_format(const json_t *object, struct hf_buf *out, char hex[static HF_SHA256_HEX])
{
    size_t before = out->n;
    int r = hf_buf_addf(out, MAGIC "%*s\n", HEX_N, "");

    if (r == 0)
        r = hf_json_format(object, out);
    if (r == 0)
        r = hf_buf_add_str(out, "\n");
    if (r < 0) {
        out->n = before;
        return r;
    }
    (void)hf_sha256_hex(out->p + before + HEADER_N, out->n - before - HEADER_N, hex);
    memcpy(out->p + before + MAGIC_N, hex, HEX_N);
    return 0;
}

int hf_cache_entry_parse(struct hf_view text, json_t **ret_object, char hex[static HF_SHA256_HEX], struct hf_err *err)
{
    struct hf_view rest = {text.p + HEADER_N, text.n - HEADER_N};

    if (text.n < HEADER_N || !hf_view_starts(text, MAGIC) || text.p[HEADER_N - 1] != '\n')
        return hf_err_set(err, EBADMSG, "no cache file of format 1");
    (void)hf_sha256_hex(rest.p, rest.n, hex);
    if (memcmp(hex, text.p + MAGIC_N, HEX_N) != 0)
        return hf_err_set(err, EBADMSG, "content does not fit its checksum");
    int r = hf_json_parse(rest, NULL, ret_object, err);
    return r == -E2BIG ? hf_err_wrap(err, -EBADMSG, "damaged") : r;
}
