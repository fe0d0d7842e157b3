/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/request.h"

#include <string.h>
#include <strings.h>

#include "base/encoding/hex.h"
#include "base/parse.h"

static bool copy(struct hf_view from, char *to, size_t n)
{
    if (from.n >= n)
        return false;
    memcpy(to, from.p, from.n);
    to[from.n] = '\0';
    return true;
}

bool hf_mirror_digest(struct hf_view text, char hex[HF_SHA256_HEX])
{
    unsigned char bytes[HF_SHA256_BYTES];

    return text.n == 7 + HF_SHA256_HEX - 1 && hf_view_starts(text, "sha256:") &&
           copy((struct hf_view){text.p + 7, text.n - 7}, hex, HF_SHA256_HEX) &&
           hf_hex_decode(hex, bytes, sizeof(bytes)) == 0;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum_any(char c)
{
    return is_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Components of a-z, 0-9 and, not at their ends, '.', '_', '-'. */
static bool is_name(struct hf_view name)
{
    struct hf_view rest = name, part;

    if (name.n == 0 || name.n >= HF_MIRROR_NAME)
        return false;
    while (hf_view_split(&rest, '/', &part)) {
        if (part.n == 0 || !is_alnum(part.p[0]) || !is_alnum(part.p[part.n - 1]))
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (!is_alnum(part.p[i]) && strchr("._-", part.p[i]) == NULL)
                return false;
    }
    return true;
}

static bool is_tag(struct hf_view tag)
{
    if (tag.n == 0 || tag.n > 128 || tag.p[0] == '.' || tag.p[0] == '-')
        return false;
    for (size_t i = 0; i < tag.n; i++)
        if (!is_alnum_any(tag.p[i]) && (tag.p[i] == '\0' || strchr("._-", tag.p[i]) == NULL))
            return false;
    return true;
}

/* A host with or without a port: what may stand in a URL between "https://" and "/". */
static bool is_registry(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++)
        if (!is_alnum_any(text[i]) && strchr(".-:[]", text[i]) == NULL)
            return false;
    return text[0] != '\0' && text[0] != '-';
}

/* Characters that a URL has as they are; '+' is sent as %2B by whoever asks for it, and so is none here. */
static bool is_media_type(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++)
        if (!is_alnum_any(text[i]) && strchr("/.-_", text[i]) == NULL)
            return false;
    return true;
}

/* %XX. False: wrong, or too long. */
static bool unescape(struct hf_view from, char *to, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < from.n; i++) {
        char c = from.p[i];
        if (c == '%') {
            int high = i + 2 < from.n ? hf_hex_value_any(from.p[i + 1]) : -1;
            int low = i + 2 < from.n ? hf_hex_value_any(from.p[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0')
                return false;
            i += 2;
        }
        if (n + 1 >= size)
            return false;
        to[n++] = c;
    }
    to[n] = '\0';
    return true;
}

static bool read_query(struct hf_view query, struct hf_mirror_request *request)
{
    struct hf_view part, name;

    while (hf_view_split(&query, '&', &part)) {
        (void)hf_view_split(&part, '=', &name);
        if (hf_view_eq(name, "ns") && !unescape(part, request->registry, sizeof(request->registry)))
            return false;
        if (hf_view_eq(name, "artifactType") &&
            (!unescape(part, request->artifact_type, sizeof(request->artifact_type)) ||
             !is_media_type(request->artifact_type)))
            return false;
    }
    return true;
}

/* "bytes=5-", "bytes=5-9". Another form asks for the whole, which a server may always send. */
static void read_range(struct hf_view value, struct hf_mirror_request *request)
{
    struct hf_view unit, first;
    char from[24], to[24];

    if (!hf_view_split(&value, '=', &unit) || !hf_view_eq(unit, "bytes") || value.p == NULL ||
        !hf_view_split(&value, '-', &first) || value.p == NULL || !copy(first, from, sizeof(from)) ||
        !copy(value, to, sizeof(to)) || hf_parse_u64(from, 0, INT64_MAX, &request->from) < 0)
        return;
    request->to = UINT64_MAX;
    if (to[0] != '\0' && hf_parse_u64(to, request->from, INT64_MAX, &request->to) < 0)
        return;
    request->ranged = true;
}

static bool is_field(struct hf_view name, const char *want)
{
    return name.n == strlen(want) && strncasecmp(name.p, want, name.n) == 0;
}

/* containerd sends one Accept of several types, others a line for each. */
static bool add_accept(struct hf_mirror_request *request, struct hf_view value)
{
    size_t n = strlen(request->accept);

    if (n + value.n + 3 > sizeof(request->accept))
        return false;
    if (n > 0)
        n = (size_t)(stpcpy(request->accept + n, ", ") - request->accept);
    return copy(value, request->accept + n, sizeof(request->accept) - n);
}

static bool is_text(struct hf_view value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return false;
    return true;
}

static bool read_fields(struct hf_view rest, struct hf_mirror_request *request)
{
    struct hf_view line, name;
    bool ok = true;

    while (ok && hf_view_split(&rest, '\n', &line)) {
        (void)hf_view_split(&line, ':', &name);
        if (line.p == NULL)
            continue;
        struct hf_view value = hf_view_trim(line);
        if (is_field(name, "authorization"))
            ok = copy(value, request->authorization, sizeof(request->authorization));
        else if (is_field(name, "accept"))
            ok = is_text(value) && add_accept(request, value);
        else if (is_field(name, "range"))
            read_range(value, request);
        else if (is_field(name, "x-holdfast-prefetch"))
            request->patient = true;
        else if (is_field(name, "content-length") || is_field(name, "transfer-encoding"))
            ok = hf_view_eq(value, "0");
    }
    return ok;
}

/* "<name>/<word>/<reference>": a name has slashes, and may have the word in it. */
static int read_target(struct hf_view path, struct hf_mirror_request *request)
{
    static const struct {
        const char *word;
        enum hf_mirror_kind kind;
    } words[] = {
        {"/manifests/", HF_MIRROR_MANIFEST}, {"/blobs/", HF_MIRROR_BLOB}, {"/referrers/", HF_MIRROR_REFERRERS}};
    char reference[HF_MIRROR_REFERENCE];
    size_t at = path.n;

    while (at > 0 && path.p[at - 1] != '/')
        at--;
    struct hf_view last = {path.p + at, path.n - at};
    for (size_t i = 0; i < HF_LEN(words); i++) {
        size_t n = strlen(words[i].word);
        if (at <= n || memcmp(path.p + at - n, words[i].word, n) != 0)
            continue;
        struct hf_view name = {path.p, at - n};
        request->kind = words[i].kind;
        if (!is_name(name) || !unescape(last, reference, sizeof(reference)))
            return 400;
        (void)copy(name, request->name, sizeof(request->name));
        (void)memcpy(request->reference, reference, sizeof(reference));
        if (hf_mirror_digest(hf_view_of(reference), request->sha256))
            return 0;
        request->sha256[0] = '\0';
        if (strchr(reference, ':') != NULL)
            return 404;
        return request->kind == HF_MIRROR_MANIFEST && is_tag(hf_view_of(reference)) ? 0 : 400;
    }
    return 404;
}

int hf_mirror_request_parse(struct hf_view head, struct hf_mirror_request *ret_request)
{
    struct hf_view line, method, target, path;

    *ret_request = (struct hf_mirror_request){.kind = HF_MIRROR_PING, .to = UINT64_MAX};
    if (head.n > 0 && memchr(head.p, '\0', head.n) != NULL) /* where others end a text, we would go on */
        return 400;
    (void)hf_view_split(&head, '\n', &line);
    line = hf_view_trim(line);
    (void)hf_view_split(&line, ' ', &method);
    if (line.p == NULL || !hf_view_split(&line, ' ', &target) || line.p == NULL || !hf_view_starts(line, "HTTP/1."))
        return 400;
    if (head.p == NULL || !read_fields(head, ret_request))
        return 400;
    ret_request->head = hf_view_eq(method, "HEAD");
    if (!ret_request->head && !hf_view_eq(method, "GET"))
        return 405;
    (void)hf_view_split(&target, '?', &path);
    if (target.p != NULL && !read_query(target, ret_request))
        return 400;
    if (hf_view_eq(path, "/v2/") || hf_view_eq(path, "/v2"))
        return 0;
    if (!hf_view_starts(path, "/v2/"))
        return 404;
    int status = read_target((struct hf_view){path.p + 4, path.n - 4}, ret_request);
    return status != 0 ? status : is_registry(ret_request->registry) ? 0 : 404;
}
