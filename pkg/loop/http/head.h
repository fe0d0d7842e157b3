/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a response's head by lines, within a limit. Pure. */
#pragma once

#include <stdbool.h>

#include "loop/http/http.h"

enum { HF_HTTP_MAX_HEAD_BYTES = 65536, HF_HTTP_LOCATION = 8192 };

struct hf_http_head {
    struct hf_http_response response;
    char *location;         /* owned; or NULL */
    size_t bytes;           /* all lines so far */
    uint64_t retry_at_unix; /* ns; a date in Retry-After */
    bool in_head;           /* between status line and blank line */
    bool complete;          /* final head; later lines are trailers */
};

void hf_http_head_done(struct hf_http_head *head);

/* CR LF is optional. 1: the final head is complete; 0: other lines; -E2BIG, -EPROTO, -ENOMEM. A Retry-After date
 * becomes a delay from Date, else from `now_unix_ns`. */
HF_MUST_USE int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns);
