/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner accepts what the JSON library accepts, and resolves strings as it does. fuzz_json_agree asks every acceptor. */
#include "codec/scan.h"

#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void same_strings(const struct hf_scan_member *members, size_t n, const json_t *object)
{
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(1 << 20);

    for (size_t i = 0; i < n; i++) {
        struct hf_scan_value name = {.type = HF_SCAN_STRING, .escaped = members[i].escaped, .text = members[i].name};
        struct hf_view text;
        scratch.n = 0;
        if (hf_scan_string(&name, &scratch, &text) < 0)
            continue;
        if (members[i].value.type != HF_SCAN_STRING)
            continue;
        char *key = hf_view_dup(text);
        if (key == NULL || !hf_scan_is(&members[i], key))
            abort();
        const json_t *value = json_object_get(object, key);
        free(key);
        scratch.n = 0;
        if (hf_scan_string(&members[i].value, &scratch, &text) < 0)
            continue;
        if (value == NULL || json_string_length(value) != text.n ||
            memcmp(json_string_value(value), text.p, text.n) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_view text = {(const char *)bytes, n};
    struct hf_scan_member members[64];
    struct hf_scan_value value;
    struct hf_scan scan;
    size_t n_members;
    json_error_t error;

    hf_scan_init(&scan, text);
    bool taken = hf_scan_value(&scan, &value) == 0 && hf_scan_end(&scan) == 0;
    if (!taken && (scan.what == NULL || scan.at > n))
        abort();
    _cleanup_(hf_json_freep) json_t *json =
        n > 0 ? json_loadb(text.p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error) : NULL;
    if (taken && json == NULL && json_error_code(&error) != json_error_numeric_overflow &&
        json_error_code(&error) != json_error_null_byte_in_key)
        abort();
    if (!taken && json != NULL && strcmp(scan.what, "nested too deeply") != 0 &&
        strcmp(scan.what, "number out of range") != 0 && memchr(text.p, '\0', n) == NULL)
        abort(); /* (a NUL behind it ends a text for the library) */
    hf_scan_init(&scan, text);
    if (hf_scan_members(&scan, members, HF_LEN(members), &n_members) == 0 && hf_scan_end(&scan) == 0) {
        if (!taken)
            abort();
        if (json != NULL)
            same_strings(members, n_members, json);
    }
    return 0;
}
