/* SPDX-License-Identifier: Apache-2.0 */
/* Drops interim responses (1xx, except 101). A value that is too long leaves its field empty, because a cut ETag could
 * match wrong content; a Location that is too long is an error. */
#include "loop/http/head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

enum { MAX_NUMBER = 20 };

/* A longer wait is a mistake of the server. */
#define MAX_RETRY_AFTER_S (24ull * 3600)

void hf_http_head_done(struct hf_http_head *head)
{
    free(hf_steal(head->location));
}

static void begin_head(struct hf_http_head *head, int status)
{
    hf_http_head_done(head);
    head->response = (struct hf_http_response){.status = status, .content_length = -1};
    head->retry_at_unix = 0;
    head->in_head = true;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200 " */
static int read_status(struct hf_http_head *head, struct hf_view line)
{
    struct hf_view word;
    char digits[4] = "";
    uint64_t status;

    (void)hf_view_split(&line, ' ', &word);
    if (line.p == NULL)
        return -EPROTO;
    (void)hf_view_split(&line, ' ', &word);
    if (word.n != 3)
        return -EPROTO;
    memcpy(digits, word.p, 3);
    if (hf_parse_u64(digits, 100, 999, &status) < 0)
        return -EPROTO;
    begin_head(head, (int)status);
    return 0;
}

static void keep_text(struct hf_view value, char field[HF_HTTP_HEADER_VALUE])
{
    field[0] = '\0';
    if (value.n >= HF_HTTP_HEADER_VALUE)
        return;
    memcpy(field, value.p, value.n);
    field[value.n] = '\0';
}

static bool is_bearer(struct hf_view value)
{
    return value.n > 7 && strncasecmp(value.p, "bearer ", 7) == 0;
}

/* A server may offer several schemes, each in a line of its own. */
static void read_challenge(struct hf_http_head *head, struct hf_view value)
{
    char *text = head->response.challenge;

    if (value.n >= HF_HTTP_CHALLENGE || (text[0] != '\0' && (is_bearer(hf_view_of(text)) || !is_bearer(value))))
        return;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
}

static bool read_number(struct hf_view text, uint64_t max, uint64_t *ret_number)
{
    char digits[MAX_NUMBER + 1] = "";

    if (text.n == 0 || text.n > MAX_NUMBER)
        return false;
    memcpy(digits, text.p, text.n);
    return hf_parse_u64(digits, 0, max, ret_number) == 0;
}

static bool read_date(struct hf_view text, uint64_t *ret_unix_ns)
{
    char date[40] = "";

    if (text.n >= sizeof(date))
        return false;
    memcpy(date, text.p, text.n);
    return hf_parse_http_date(date, ret_unix_ns) == 0;
}

/* Seconds or a date (RFC 9110, 10.2.3). */
static void read_retry_after(struct hf_http_head *head, struct hf_view value)
{
    uint64_t number;

    if (read_number(value, UINT64_MAX, &number))
        head->response.retry_after_ns = HF_MIN(number, MAX_RETRY_AFTER_S) * HF_NS_PER_S;
    else if (read_date(value, &number))
        head->retry_at_unix = number;
}

/* "bytes 100-199/1234", "bytes 100-199/" with an asterisk when the length is unknown (RFC 9110, 14.4). */
static void read_content_range(struct hf_http_head *head, struct hf_view value)
{
    struct hf_view unit, first, last;
    uint64_t start, total = 0;

    (void)hf_view_split(&value, ' ', &unit);
    if (!hf_view_eq(unit, "bytes") || !hf_view_split(&value, '-', &first) || !hf_view_split(&value, '/', &last) ||
        value.p == NULL || !read_number(first, UINT64_MAX, &start))
        return;
    if (!hf_view_eq(value, "*") && !read_number(value, UINT64_MAX, &total))
        return;
    head->response.range_start = start;
    head->response.range_total = total;
}

static int read_location(struct hf_http_head *head, struct hf_view value)
{
    if (value.n > HF_HTTP_LOCATION)
        return -E2BIG;
    hf_http_head_done(head);
    head->location = hf_view_dup(value);
    return head->location == NULL ? -ENOMEM : 0;
}

static bool is_name(struct hf_view name, const char *want)
{
    return name.n == strlen(want) && strncasecmp(name.p, want, name.n) == 0;
}

static int read_field(struct hf_http_head *head, struct hf_view line)
{
    struct hf_http_response *response = &head->response;
    struct hf_view name;
    uint64_t number;

    (void)hf_view_split(&line, ':', &name);
    if (line.p == NULL)
        return 0; /* obsolete folding, or garbage: no field that we read may be folded */
    struct hf_view value = hf_view_trim(line);
    if (is_name(name, "content-type"))
        keep_text(value, response->content_type);
    else if (is_name(name, "content-encoding"))
        keep_text(value, response->content_encoding);
    else if (is_name(name, "etag"))
        keep_text(value, response->etag);
    else if (is_name(name, "last-modified"))
        keep_text(value, response->last_modified);
    else if (is_name(name, "docker-content-digest"))
        keep_text(value, response->content_digest);
    else if (is_name(name, "www-authenticate"))
        read_challenge(head, value);
    else if (is_name(name, "content-length") && read_number(value, INT64_MAX, &number))
        response->content_length = (int64_t)number;
    else if (is_name(name, "date") && read_date(value, &number))
        response->date_unix_ns = number;
    else if (is_name(name, "audit-id"))
        response->has_audit_id = value.n > 0;
    else if (is_name(name, "retry-after"))
        read_retry_after(head, value);
    else if (is_name(name, "content-range"))
        read_content_range(head, value);
    else if (is_name(name, "location"))
        return read_location(head, value);
    return 0;
}

/* Handles the blank line. */
static int end_head(struct hf_http_head *head, uint64_t now_unix_ns)
{
    struct hf_http_response *response = &head->response;

    head->in_head = false;
    if (response->status < 200 && response->status != 101)
        return 0;
    /* Prefer the server's own Date as the start: our clock may be wrong by days. */
    uint64_t from = response->date_unix_ns != 0 ? response->date_unix_ns : now_unix_ns;
    if (head->retry_at_unix > from)
        response->retry_after_ns = HF_MIN(head->retry_at_unix - from, MAX_RETRY_AFTER_S * HF_NS_PER_S);
    if (response->status != 206)
        response->range_start = 0;
    response->location = head->location;
    head->complete = true;
    return 1;
}

int hf_http_head_line(struct hf_http_head *head, struct hf_view line, uint64_t now_unix_ns)
{
    head->bytes += line.n;
    if (head->bytes > HF_HTTP_MAX_HEAD_BYTES)
        return -E2BIG;
    if (head->complete)
        return 0;
    line = hf_view_trim(line);
    if (!head->in_head)
        return line.n == 0 ? 0 : read_status(head, line);
    return line.n == 0 ? end_head(head, now_unix_ns) : read_field(head, line);
}
