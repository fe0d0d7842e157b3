/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/export_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "loop/http/url.h"

enum { FIELD_KEY = 2 };

const char *const hf_export_file_fields[HF_EXPORT_MAX_FIELDS] = {
    "Content-Type",
    "Content-Encoding",
    [FIELD_KEY] = "Idempotency-Key",
    "X-Payload-Checksum",
};

/* The value of the header, or empty. */
static struct hf_view header_of(const struct hf_http_request *request, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < HF_HTTP_MAX_HEADERS && request->headers[i] != NULL; i++)
        if (strncasecmp(request->headers[i], name, n) == 0 && request->headers[i][n] == ':')
            return hf_view_trim(hf_view_of(request->headers[i] + n + 1));
    return HF_VIEW("");
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Makes the text a name that FAT takes, too. False: too long, empty, or of dots alone. */
static bool set_name(char name[HF_EXPORT_NAME], struct hf_view text, const char *ending)
{
    bool other = false;

    if (text.n + strlen(ending) >= HF_EXPORT_NAME)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        name[i] = (char)(is_plain(text.p[i]) ? text.p[i] : text.p[i] == '/' ? '-' : '_');
        other = other || name[i] != '.';
    }
    memcpy(name + text.n, ending, strlen(ending) + 1);
    return other;
}

int hf_export_file_place(const struct hf_http_request *request, struct hf_export_place *ret_place, struct hf_err *err)
{
    struct hf_view key = header_of(request, hf_export_file_fields[FIELD_KEY]), node;
    struct hf_url_parts url;
    int r = hf_url_split(request->url, &url, err);

    if (r < 0)
        return r;
    if (!hf_view_split(&key, '/', &node) || !set_name(ret_place->file, key, HF_EXPORT_ENDING) ||
        !set_name(ret_place->folder, hf_view_of(url.host), ""))
        return hf_err_set(err, EINVAL, "the request has no key that could name a file");
    return 0;
}

/* The URL behind scheme and host. */
static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strpbrk(host + 3, "/?#") : NULL;

    return path != NULL && *path == '/' ? path : "/";
}

int hf_export_file_format(const struct hf_http_request *request, struct hf_buf *out, struct hf_err *err)
{
    const char *target = target_of(request->url);
    struct hf_url_parts url;
    int r = hf_url_split(request->url, &url, err);

    if (r < 0)
        return r;
    r = hf_buf_addf(out, "%s %.*s HTTP/1.1\r\nHost: %s\r\n", request->method, (int)strcspn(target, "#"), target,
                    url.host);
    for (size_t i = 0; i < HF_EXPORT_MAX_FIELDS && r == 0; i++) {
        struct hf_view value = header_of(request, hf_export_file_fields[i]);
        if (value.n > 0)
            r = hf_buf_addf(out, "%s: %.*s\r\n", hf_export_file_fields[i], (int)value.n, value.p);
    }
    if (r == 0)
        r = hf_buf_addf(out, "Content-Length: %zu\r\n\r\n", request->body.n);
    if (r == 0)
        r = hf_buf_add(out, request->body.p, request->body.n);
    return r < 0 ? hf_err_sys(err, r, "make the file of a request") : 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Takes the next line, which ends in CR LF; false: there is none, or it has a control character. */
static bool next_line(struct hf_view *rest, struct hf_view *ret_line)
{
    const char *end = rest->n > 0 ? memmem(rest->p, rest->n, "\r\n", 2) : NULL;

    if (end == NULL)
        return false;
    *ret_line = (struct hf_view){rest->p, (size_t)(end - rest->p)};
    *rest = (struct hf_view){end + 2, rest->n - ret_line->n - 2};
    for (size_t i = 0; i < ret_line->n; i++)
        if (ret_line->p[i] < ' ' || ret_line->p[i] > '~')
            return false;
    return true;
}

/* "POST /v1/logs HTTP/1.1" */
static bool read_first_line(struct hf_view line, struct hf_view *ret_target)
{
    static const char before[] = "POST /", after[] = " HTTP/1.1";
    size_t n = sizeof(before) - 1 + sizeof(after) - 1;

    if (line.n < n || memcmp(line.p, before, sizeof(before) - 1) != 0 ||
        memcmp(line.p + line.n - (sizeof(after) - 1), after, sizeof(after) - 1) != 0)
        return false;
    *ret_target = (struct hf_view){line.p + sizeof(before) - 2, line.n - n + 1};
    return memchr(ret_target->p, ' ', ret_target->n) == NULL;
}

static bool take_length(struct hf_view value, uint64_t *ret_length)
{
    char text[24];

    if (value.n >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)value.n, value.p);
    return hf_parse_u64(text, 0, HF_EXPORT_MAX_BYTES, ret_length) == 0;
}

static bool take_field(struct hf_export_message *message, struct hf_view line, uint64_t *length)
{
    struct hf_view value = line, name;

    if (!hf_view_split(&value, ':', &name) || name.n == line.n)
        return false;
    value = hf_view_trim(value);
    if (hf_view_eq(name, "Content-Length"))
        return take_length(value, length);
    for (size_t i = 0; i < HF_EXPORT_MAX_FIELDS; i++)
        if (hf_view_eq(name, hf_export_file_fields[i]))
            message->fields[i] = value;
    return true;
}

int hf_export_file_parse(struct hf_view text, struct hf_export_message *ret_message, struct hf_err *err)
{
    struct hf_export_message message = {.body = HF_VIEW("")};
    uint64_t length = UINT64_MAX;
    struct hf_view line;
    bool ok = next_line(&text, &line) && read_first_line(line, &message.target);

    while (ok && (ok = next_line(&text, &line)) && line.n > 0)
        ok = take_field(&message, line, &length);
    if (!ok)
        return hf_err_set(err, EBADMSG, "not a request that an agent exported");
    if (length != text.n)
        return hf_err_set(err, EBADMSG, "the file has %zu bytes of content where its head says %lld", text.n,
                          length == UINT64_MAX ? -1LL : (long long)length);
    message.body = text;
    *ret_message = message;
    return 0;
}
