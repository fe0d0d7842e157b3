/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the cache, as some disk may give it back: refused, or an object that survives being written and read again. */
#include "cache/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(struct hf_view text)
{
    _cleanup_(hf_json_freep) json_t *object = NULL, *again = NULL;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(16 << 20);
    char hex[HF_SHA256_HEX];

    if (hf_cache_entry_parse(text, &object, hex, NULL) < 0)
        return;
    if (hf_cache_entry_format(object, &out, hex) < 0)
        return;
    if (hf_cache_entry_parse(hf_buf_view(&out), &again, hex, NULL) < 0 || !json_equal(object, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(8 << 20);
    struct hf_view text = {(const char *)bytes, n};
    char hex[HF_SHA256_HEX];

    check(text);
    /* The same as content under a checksum that fits, or nothing behind it would ever be reached. */
    if (hf_buf_addf(&sealed, "holdfast-cache 1 %s\n", hf_sha256_hex(bytes, n, hex)) == 0 &&
        hf_buf_add(&sealed, bytes, n) == 0)
        check(hf_buf_view(&sealed));
    return 0;
}
