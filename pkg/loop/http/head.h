/* loop/http/head.h - the head of an HTTP response, line by line, into the few fields that are used. Pure, bounded.
 *
 * Interim responses (1xx) are read and forgotten. A value too long for its field is left out, never cut: half an ETag would
 * match the wrong thing. */
#pragma once

#include <stdbool.h>

#include "loop/http/http.h"

enum { HF_HTTP_MAX_HEAD_BYTES = 65536, HF_HTTP_LOCATION = 8192 };

struct hf_http_head {
    struct hf_http_response response;
    char *location;         /* heap; NULL when absent */
    size_t bytes;           /* of all lines so far */
    uint64_t retry_at_unix; /* Retry-After as a date, ns; 0 none */
    bool in_head;           /* after a status line, before the blank one */
    bool complete;          /* the final response's head has ended; what comes now are trailers */
};

void hf_http_head_done(struct hf_http_head *head);

/* One line, its CR LF included or not. 0; 1 when the final head is complete with it; -E2BIG, -EPROTO, -ENOMEM.
 * `now_unix_ns` turns a Retry-After date into a wait when there is no Date to measure from. */
HF_MUST_USE int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns);
