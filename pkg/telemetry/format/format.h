/* telemetry/format/format.h - encodes records of a spool as the bodies of one or two requests.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request for each record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * Before compression a body has at most max_bytes bytes. (HF_EVENT_MAX_TEXT is below HF_FORMAT_MAX_BODY, so one record
 * always fits.) Equal records give equal bytes.
 *
 * Threads: any. Packing includes compression, which takes long, so call hf_format_pack() on a worker.  Memory: the
 * caller owns the bodies. */
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

/* The body of one request. */
struct hf_format_part {
    const char *path;                  /* appended to the sink's URL; may be "" */
    const char *name;                  /* appended to the idempotency key; NULL: nothing */
    const char *content_type;          /* static */
    char checksum[HF_FORMAT_CHECKSUM]; /* seed: value of X-Payload-Checksum; otherwise "" */
    size_t raw_bytes, records;
    struct hf_buf body; /* as sent, after compression; hf_format_pack() sets body.max */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* 0 means that the format cannot express any of the records */
    size_t used;    /* number of records in the parts, counted from records[0] */
};

/* Encodes as many of the n records (n > 0) as fit, beginning with records[0]. Returns 0, -ENOMEM or -EIO. Free the
 * bodies with hf_format_packed_done(). */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* Returns the number of records that an answer of status 2xx reports as rejected (OTLP's partial success), or 0 if the
 * answer cannot be parsed. */
uint64_t hf_format_rejected(const struct hf_format *format, const struct hf_format_part *part, struct hf_view answer);
/* Returns the content type that an answer with a body must have. NULL: any type. */
const char *hf_format_answer_type(const struct hf_format *format);
/* Returns the sink's URL without slashes at its end and, for OTLP, also without /v1, /v1/logs or /v1/metrics at its
 * end, because the path of a part contains these. So a policy may give either the base endpoint of OpenTelemetry's
 * exporters (OTEL_EXPORTER_OTLP_ENDPOINT) or the endpoint of one signal. Borrows from `url`. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
/* True if each request holds one record; the borders of its batch then need not be saved. */
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}
