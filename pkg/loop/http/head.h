/* SPDX-License-Identifier: Apache-2.0 */
/* loop/http/head.h - parses the head of an HTTP response, line by line, into the few fields that we use. Pure; the size
 * of a head has a limit.
 *
 * Drops interim responses (1xx, except 101). If a value is too long for its field, the parser leaves the field empty.
 * It does not cut the value, because a cut ETag could match the wrong content. Only a Location that is too long is an
 * error. */
#pragma once

#include <stdbool.h>

#include "loop/http/http.h"

enum { HF_HTTP_MAX_HEAD_BYTES = 65536, HF_HTTP_LOCATION = 8192 };

struct hf_http_head {
    struct hf_http_response response;
    char *location;         /* header Location, on the heap (NULL means absent) */
    size_t bytes;           /* total bytes of all lines so far */
    uint64_t retry_at_unix; /* Retry-After as a date, in nanoseconds since 1970 (0 means none) */
    bool in_head;           /* true if the parser has read a status line, but not yet the blank line after the head */
    bool complete;          /* true if the head of the final response has ended; later lines are trailers */
};

void hf_http_head_done(struct hf_http_head *head);

/* Takes one line, with or without its CR LF. Returns 1 if the line completes the final head, 0 for any other line, or
 * -E2BIG, -EPROTO or -ENOMEM. A Retry-After date becomes a delay from the Date header, or from `now_unix_ns` if the
 * response has no Date. */
HF_MUST_USE int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns);
