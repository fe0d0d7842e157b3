/* SPDX-License-Identifier: Apache-2.0 */
/* Records as bodies of one or two requests.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request with one record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * Bodies have at most max_bytes before compression, unless a single record is longer. A record that the
 * format cannot express gives no request. Equal records, equal bytes. Threads: any; hf_format_pack() on a worker.
 * The caller owns the bodies. */
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
    const char *path; /* behind the sink's URL */
    const char *name; /* behind the idempotency key: OTLP "logs", "metrics"; else NULL */
    const char *content_type;
    char checksum[HF_FORMAT_CHECKSUM]; /* `seed`: X-Payload-Checksum; else "" */
    size_t raw_bytes, records;         /* raw_bytes: before compression */
    struct hf_buf body;                /* compressed */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* 0: records[0] has no form; used is 1 */
    size_t used;    /* from records[0] */
};

/* records[0], and more up to max_bytes; n >= 1. 0, -ENOMEM, -EIO. */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* OTLP's partial success. */
struct hf_format_answer {
    uint64_t rejected;
    char message[160]; /* printable ASCII */
};
/* `type`: JSON or protobuf, else as the request. Zeros for other formats and unparsable answers: by 2xx the sink has
 * the records. */
struct hf_format_answer hf_format_read_answer(const struct hf_format *format, const struct hf_format_part *part,
                                              const char *type, struct hf_view answer);
/* Without slashes at the end; OTLP: without /v1, /v1/logs, /v1/metrics: a policy may name the base
 * (OTEL_EXPORTER_OTLP_ENDPOINT) or one signal. Borrowed. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
/* A request has one record: no borders to save. */
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}
