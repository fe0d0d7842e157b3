/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a foreign medium: refused, or its parts lie within the text, and what is made of them again reads the same. */
#include "telemetry/sink/export_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void need(int ok)
{
    if (!ok)
        abort();
}

static int within(struct hf_view part, struct hf_view text)
{
    return part.n == 0 || (part.p >= text.p && part.p + part.n <= text.p + text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct hf_view text = {n > 0 ? (const char *)bytes : "", n};
    struct hf_export_message message;

    if (hf_export_file_parse(text, &message, NULL) < 0)
        return 0;
    need(within(message.target, text) && message.target.n > 0 && message.target.p[0] == '/');
    need(within(message.body, text));
    for (size_t i = 0; i < HF_EXPORT_MAX_FIELDS; i++) {
        need(within(message.fields[i], text));
        need(memchr(message.fields[i].p != NULL ? message.fields[i].p : "", '\n', message.fields[i].n) == NULL);
    }
    return 0;
}
