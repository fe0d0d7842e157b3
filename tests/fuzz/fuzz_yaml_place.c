/* SPDX-License-Identifier: Apache-2.0 */
/* A path, a zero byte, and the YAML it is looked for in. */
#include "codec/json.h"
#include "codec/yaml_place.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const uint8_t *end = n > 0 ? memchr(bytes, 0, n) : NULL;
    const char *path = (const char *)bytes;

    if (end == NULL)
        return 0;
    struct hf_view text = {(const char *)end + 1, n - (size_t)(end - bytes) - 1};
    _cleanup_(hf_json_freep) json_t *documents = NULL;
    if (hf_yaml_parse_all(text, NULL, &documents, NULL) < 0)
        return 0;
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n' || text.p[i] == '\r';
    size_t line = hf_yaml_place_line(text, 0, path);
    /* U+0085, U+2028 and U+2029 are line breaks too, of two and three bytes. */
    if (line > lines + text.n / 2)
        abort();
    (void)hf_yaml_place_line(text, 1, path);
    return 0;
}
