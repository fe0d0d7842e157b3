/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP answer, cut into lines at each LF as libcurl hands them over: bounded, terminated fields whatever comes. */
#include "loop/http/head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void need(int ok)
{
    if (!ok)
        abort();
}

static void check(const struct hf_http_head *head)
{
    const struct hf_http_response *r = &head->response;

    need(strnlen(r->content_type, sizeof(r->content_type)) < sizeof(r->content_type));
    need(strnlen(r->etag, sizeof(r->etag)) < sizeof(r->etag));
    need(strnlen(r->last_modified, sizeof(r->last_modified)) < sizeof(r->last_modified));
    need(r->content_length >= -1);
    need(r->retry_after_ns <= 24ull * 3600 * HF_NS_PER_S);
    need(head->location == NULL || strlen(head->location) <= HF_HTTP_LOCATION);
    need(!head->complete || (r->status >= 100 && r->status <= 999));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_http_head head = {.response = {.content_length = -1}};
    struct hf_view rest = {(const char *)bytes, n}, line;

    if (n == 0)
        rest.p = "";
    while (hf_view_split(&rest, '\n', &line)) {
        if (hf_http_head_line(&head, line, 1000000000ull * HF_NS_PER_S) < 0)
            break;
        check(&head);
    }
    hf_http_head_done(&head);
    return 0;
}
