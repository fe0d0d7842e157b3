/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/format/format_impl.h"

#include <string.h>
#include <strings.h>

/* Compression can make a body slightly larger. */
enum { BODY_MAX = HF_FORMAT_MAX_BODY + (64 << 10) };

/* Returns the number of lines that fit, with `around` bytes once and `between` bytes for each. */
static size_t fitting(const struct hf_format *format, const struct hf_spool_record *records, size_t n, size_t around,
                      size_t between, size_t *ret_bytes)
{
    size_t bytes = around, used = 0;

    while (used < n && (used == 0 || bytes + between + records[used].payload.n <= format->max_bytes)) {
        bytes += between + records[used].payload.n;
        used++;
    }
    *ret_bytes = bytes;
    return used;
}

static int pack_lines(const struct hf_format *format, struct hf_squeeze *squeeze, const struct hf_spool_record *records,
                      size_t n, struct hf_format_packed *packed)
{
    bool array = format->kind == HF_SINK_JSON;
    struct hf_format_part *part = &packed->parts[0];

    /* "[a,b]" has one bracket more than separators; "a\nb\n" has a line break for each line. */
    packed->used = fitting(format, records, n, array ? 1 : 0, 1, &part->raw_bytes);
    packed->n_parts = 1;
    part->path = "";
    part->content_type = array ? "application/json" : "application/x-ndjson";
    part->records = packed->used;
    int r = hf_squeeze_begin(squeeze, &part->body);
    for (size_t i = 0; r == 0 && i < packed->used; i++) {
        if (array)
            r = hf_squeeze_add(squeeze, i == 0 ? "[" : ",", 1);
        if (r == 0)
            r = hf_squeeze_add(squeeze, records[i].payload.p, records[i].payload.n);
        if (r == 0 && !array)
            r = hf_squeeze_add(squeeze, "\n", 1);
    }
    if (r == 0 && array)
        r = hf_squeeze_add(squeeze, "]", 1);
    return r < 0 ? r : hf_squeeze_end(squeeze);
}

int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze, const struct hf_spool_record *records,
                   size_t n, struct hf_format_packed *ret_packed)
{
    struct hf_format_packed packed = {.n_parts = 0};
    int r;

    for (size_t i = 0; i < HF_FORMAT_PARTS; i++)
        packed.parts[i].body = (struct hf_buf)HF_BUF_INIT(BODY_MAX);
    if (format->kind == HF_SINK_SEED)
        r = hf_format_pack_seed(records, &packed);
    else if (format->kind == HF_SINK_OTLP)
        r = hf_format_pack_otlp(format, squeeze, records, n, &packed);
    else
        r = pack_lines(format, squeeze, records, n, &packed);
    if (r < 0) {
        hf_format_packed_done(&packed);
        return r;
    }
    *ret_packed = packed;
    return 0;
}

/* Removes an ending, but never a part of the host: "https://v1" ends with a host. */
static bool cut(struct hf_view *url, size_t path_at, const char *ending)
{
    size_t n = strlen(ending);

    if (url->n < path_at + n || memcmp(url->p + url->n - n, ending, n) != 0)
        return false;
    url->n -= n;
    return true;
}

struct hf_view hf_format_base(enum hf_sink_format kind, const char *url)
{
    static const char *const appended[] = {"/v1/logs", "/v1/metrics", "/v1"};
    const char *host = strstr(url, "://");
    size_t path_at = host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : 0;
    struct hf_view base = hf_view_of(url);

    while (cut(&base, path_at, "/"))
        ;
    for (size_t i = 0; kind == HF_SINK_OTLP && i < HF_LEN(appended); i++)
        if (cut(&base, path_at, appended[i]))
            break;
    while (cut(&base, path_at, "/"))
        ;
    return base;
}

void hf_format_packed_done(struct hf_format_packed *packed)
{
    for (size_t i = 0; i < HF_FORMAT_PARTS; i++)
        hf_buf_done(&packed->parts[i].body);
}

struct hf_format_answer hf_format_read_answer(const struct hf_format *format, const struct hf_format_part *part,
                                              const char *type, struct hf_view answer)
{
    static const char json[] = "application/json", protobuf[] = "application/x-protobuf";
    struct hf_format_answer read = {.rejected = 0};

    if (format->kind != HF_SINK_OTLP || answer.n == 0)
        return read;
    bool is_json = format->otlp_json ? strncasecmp(type, protobuf, strlen(protobuf)) != 0
                                     : strncasecmp(type, json, strlen(json)) == 0;
    hf_format_read_otlp(is_json, answer, &read);
    read.rejected = HF_MIN(read.rejected, (uint64_t)part->records);
    return read;
}
