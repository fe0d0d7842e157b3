/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/format/format.h - encodes records of a spool as the bodies of one or two requests, in the format that a
 * sink expects.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request with one record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * Before compression, the bodies of one call together have at most max_bytes bytes. There is one exception: a single
 * record longer than max_bytes leaves in a request of its own. A record that the format cannot express gives no
 * request. Equal records give equal bytes.
 *
 * Threads: any; call hf_format_pack() on a worker, because compression takes long. Memory: the caller owns the
 * bodies. */
#pragma once

#include "api/telemetry.h"
#include "codec/squeeze.h"
#include "spool/record.h"

enum { HF_FORMAT_MAX_BODY = 524288, HF_FORMAT_PARTS = 2, HF_FORMAT_CHECKSUM = 65 };

struct hf_format {
    enum hf_sink_format kind;
    bool otlp_json;
    const char *node;
    /* maximum size in bytes, before compression, of the bodies of one call together, unless they hold only one record;
     * at most HF_FORMAT_MAX_BODY */
    size_t max_bytes;
    enum hf_squeeze_kind encoding;
};

/* The body of one request. */
struct hf_format_part {
    const char *path; /* path that the sender appends to the sink's URL; may be "" */
    /* name that the sender appends to the idempotency key: "logs" or "metrics" for OTLP, NULL for the other formats */
    const char *name;
    const char *content_type; /* content type of the body; a static string */
    /* for the format `seed`, the value of the header X-Payload-Checksum; otherwise "" */
    char checksum[HF_FORMAT_CHECKSUM];
    size_t raw_bytes, records; /* size of the body before compression; number of records in the body */
    struct hf_buf body;        /* the body as it is sent, after compression; hf_format_pack() sets body.max */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* number of requests; 0 means that the format cannot express records[0], and `used` is then 1 */
    /* number of records that the call consumed, from records[0] on; the parts hold these records unless n_parts is 0 */
    size_t used;
};

/* Encodes records from records[0] on, until the next one would exceed max_bytes; always encodes records[0]. `n` is the
 * length of the array, at least 1. Returns 0, -ENOMEM or -EIO. Free the bodies with hf_format_packed_done(). */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* What an answer of status 2xx says of the records (OTLP's partial success). */
struct hf_format_answer {
    uint64_t rejected; /* number of records that the sink rejected */
    char message[160]; /* the sink's words, as printable ASCII; "" if there are none */
};
/* Reads an answer of the content type `type` to `part`. An answer says itself if it is JSON or protobuf; if it does
 * not, it is like the request. All is 0 for the other formats, or if the answer cannot be parsed: a status 2xx means
 * that the sink has the records. */
struct hf_format_answer hf_format_read_answer(const struct hf_format *format, const struct hf_format_part *part,
                                              const char *type, struct hf_view answer);
/* Returns the sink's URL without slashes at its end and, for OTLP, also without /v1, /v1/logs or /v1/metrics at its
 * end, because `path` of a part contains these paths. So the URL in a policy may be either the base endpoint of
 * OpenTelemetry's exporters (OTEL_EXPORTER_OTLP_ENDPOINT) or the endpoint of one signal. Borrows from `url`. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
/* Returns true if the format puts only one record into each request. The outlet then need not save the borders of
 * batches. */
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}
