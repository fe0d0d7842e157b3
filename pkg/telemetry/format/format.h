/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes records as the bodies of one or two requests.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request with one record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * Bodies have at most max_bytes before compression, unless a single record is longer. A record that the
 * format cannot express gives no request. Equal records give equal bytes. The caller owns the bodies. Threads:
 * any; hf_format_pack() runs on a worker. */
#pragma once

#include "api/telemetry.h"
#include "codec/squeeze.h"
#include "spool/record.h"

enum { HF_FORMAT_MAX_BODY = 524288, HF_FORMAT_PARTS = 2, HF_FORMAT_CHECKSUM = 65 };

struct hf_format {
    enum hf_sink_format kind;
    bool otlp_json;
    const char *node;
    size_t max_bytes; /* at most HF_FORMAT_MAX_BODY */
    enum hf_squeeze_kind encoding;
};

struct hf_format_part {
    const char *path; /* appended to the sink's URL */
    const char *name; /* appended to the idempotency key: OTLP "logs" or "metrics"; or NULL */
    const char *content_type;
    char checksum[HF_FORMAT_CHECKSUM]; /* header X-Payload-Checksum of `seed`, or "" */
    size_t raw_bytes, records;         /* raw_bytes: before compression */
    struct hf_buf body;                /* compressed if `encoding` says so */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* 0: the format cannot express records[0], and used is 1 */
    size_t used;    /* number of records used, from records[0] on */
};

/* Encodes records[0], and more while the body stays within max_bytes. */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* What an OTLP answer of partial success says. */
struct hf_format_answer {
    uint64_t rejected;
    char message[160];
};
/* `type`: content type of the answer. Returns zeros for other formats. */
struct hf_format_answer hf_format_read_answer(const struct hf_format *format, const struct hf_format_part *part,
                                              const char *type, struct hf_view answer);
/* Returns the URL without slashes at its end, and for OTLP without /v1, /v1/logs or /v1/metrics. Borrowed. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}
