/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/format/format.h - encodes records as the bodies of one or two requests, in a sink's format.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request with one record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * The bodies of one call have at most max_bytes before compression, unless a single record is longer. A record that the
 * format cannot express gives no request. Equal records give equal bytes. Threads: any; hf_format_pack() on a worker.
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
    const char *path; /* appended to the sink's URL; may be "" */
    const char *name; /* appended to the idempotency key: "logs" or "metrics" for OTLP, else NULL */
    const char *content_type;
    char checksum[HF_FORMAT_CHECKSUM]; /* X-Payload-Checksum for `seed`, else "" */
    size_t raw_bytes, records;         /* raw_bytes: size before compression */
    struct hf_buf body;                /* compressed; hf_format_pack() sets body.max */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* 0: the format cannot express records[0], and used is 1 */
    size_t used;    /* records consumed, from records[0] on */
};

/* Always encodes records[0], then more up to max_bytes; n >= 1. Returns 0, -ENOMEM or -EIO. */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* A 2xx's verdict on the records (OTLP's partial success). */
struct hf_format_answer {
    uint64_t rejected;
    char message[160]; /* printable ASCII, or "" */
};
/* `type` tells JSON from protobuf, else it is like the request. All 0 for other formats or what cannot be parsed: 2xx
 * means that the sink has the records. */
struct hf_format_answer hf_format_read_answer(const struct hf_format *format, const struct hf_format_part *part,
                                              const char *type, struct hf_view answer);
/* Without slashes at its end, and for OTLP without /v1, /v1/logs, /v1/metrics: a policy may name the base (as
 * OTEL_EXPORTER_OTLP_ENDPOINT) or one signal. Borrows. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
/* One record per request: no borders to save. */
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}
