/* SPDX-License-Identifier: Apache-2.0 */
/* What a local process asks the mirror, and the file of tags; the first byte of an input says what the rest
 * is. Nothing that is taken can leave its place in a URL, or end a header. */
#include <stdlib.h>
#include <string.h>

#include "mirror/request.h"
#include "mirror/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_plain(const char *text, const char *wrong)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f || strchr(wrong, *text) != NULL)
            abort();
}

static void request(struct hf_view text)
{
    struct hf_mirror_request request;

    if (hf_mirror_request_parse(text, &request) != 0 || request.kind == HF_MIRROR_PING)
        return;
    check_plain(request.registry, "/@?#%\\");
    check_plain(request.name, ":@?#%\\");
    check_plain(request.reference, "/@?#%\\");
    check_plain(request.artifact_type, "@?#%&\\");
    if (strstr(request.name, "..") == request.name || strstr(request.name, "/.") != NULL ||
        request.reference[0] == '.' || (request.ranged && request.from > request.to))
        abort();
}

static void tags(struct hf_view text)
{
    struct hf_mirror_tags first = {.n = 0}, again = {.n = 0};
    struct hf_buf out = HF_BUF_INIT(1 << 20);

    if (hf_mirror_tags_parse(&first, text, NULL) == 0 && hf_mirror_tags_format(&first, &out) == 0 &&
        (hf_mirror_tags_parse(&again, hf_buf_view(&out), NULL) < 0 || again.n != first.n))
        abort();
    hf_buf_done(&out);
    hf_mirror_tags_done(&first);
    hf_mirror_tags_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    struct hf_view rest = {(const char *)bytes + 1, n - 1};
    if (bytes[0] % 2 == 0)
        request(rest);
    else
        tags(rest);
    return 0;
}
