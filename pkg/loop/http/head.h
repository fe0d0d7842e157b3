/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the head of a response line by line, within a limit. Pure. */
#pragma once

#include <stdbool.h>

#include "loop/http/http.h"

enum { HF_HTTP_MAX_HEAD_BYTES = 65536, HF_HTTP_LOCATION = 8192 };

struct hf_http_head {
    struct hf_http_response response;
    char *location; /* owned; or NULL */
    size_t bytes;
    uint64_t retry_at_unix; /* Retry-After in ns, if it is a date */
    bool in_head;           /* between status line and blank line */
    bool complete;          /* the final head is read; later lines are trailers */
};

void hf_http_head_done(struct hf_http_head *head);

/* Takes a line, with or without CR LF. Returns 1 when the final head becomes complete, else 0; or -E2BIG, -EPROTO,
 * -ENOMEM. */
HF_MUST_USE int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns);
