/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a response's head line by line. Pure; the size is limited. */
#pragma once

#include <stdbool.h>

#include "loop/http/http.h"

enum { HF_HTTP_MAX_HEAD_BYTES = 65536, HF_HTTP_LOCATION = 8192 };

struct hf_http_head {
    struct hf_http_response response;
    char *location;         /* on the heap, or NULL */
    size_t bytes;           /* all lines so far */
    uint64_t retry_at_unix; /* a date in ns; 0: none */
    bool in_head;           /* between status line and blank line */
    bool complete;          /* the final response's; later lines are trailers */
};

void hf_http_head_done(struct hf_http_head *head);

/* With or without CR LF. 1: the final head is complete; 0; -E2BIG, -EPROTO. A Retry-After date becomes a delay from
 * Date, or else `now_unix_ns`. */
HF_MUST_USE int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns);
