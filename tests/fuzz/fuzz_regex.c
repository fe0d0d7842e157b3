/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of policies: the first line is the expression, the remainder a text. Whatever the expression is, its program is
 * small, a match stays inside the text, and the same question has the same answer. */
#include "codec/regex.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const uint8_t *end = n > 0 ? memchr(bytes, '\n', n) : NULL;
    struct hf_regex *regex = NULL;
    char text[257];

    if (end == NULL || end - bytes >= (ptrdiff_t)sizeof(text) || memchr(bytes, '\0', (size_t)(end - bytes)) != NULL)
        return 0;
    memcpy(text, bytes, (size_t)(end - bytes));
    text[end - bytes] = '\0';
    if (hf_regex_new(text, &regex, NULL) < 0)
        return 0;
    size_t rest = n - (size_t)(end - bytes) - 1;
    char *line = malloc(rest > 0 ? rest : 1); /* of its own, so that a read beyond its end shows */
    if (line != NULL) {
        memcpy(line, end + 1, rest);
        bool first = hf_regex_matches(regex, (struct hf_view){line, rest});
        if (hf_regex_matches(regex, (struct hf_view){line, rest}) != first)
            abort();
    }
    free(line);
    hf_regex_free(regex);
    return 0;
}
