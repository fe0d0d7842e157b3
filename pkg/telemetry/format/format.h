/* telemetry/format/format.h - records of a spool as the body (or two) of a request. Pure; the same records give the same bytes.
 *
 *   json    [line,line,...]      application/json        one request
 *   ndjson  line\nline\n         application/x-ndjson    one request
 *   seed    {"id","timestamp","sensorData","checksum"}   one request for each record, to <url>/ingest
 *   otlp    OTLP/HTTP 1.x, protobuf or JSON              to <base>/v1/logs and, for metrics, <base>/v1/metrics
 *
 * Never more than max_bytes of uncompressed body in one request, but one record always fits (HF_EVENT_MAX_TEXT is below it). Blocks for
 * as long as compressing takes: a worker's business. */
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

/* One request. */
struct hf_format_part {
    const char *path;                  /* behind the sink's URL; "" */
    const char *name;                  /* behind the key; NULL */
    const char *content_type;          /* static */
    char checksum[HF_FORMAT_CHECKSUM]; /* seed: X-Payload-Checksum; "" */
    size_t raw_bytes, records;
    struct hf_buf body; /* as it is sent; its max is set by hf_format_pack() */
};

struct hf_format_packed {
    struct hf_format_part parts[HF_FORMAT_PARTS];
    size_t n_parts; /* 0: none of the records can be put into this form */
    size_t used;    /* records from the first on that are in it */
};

/* Pack from records[0] on, as many as fit in order. n > 0. 0, -ENOMEM, -EIO. The bodies are the caller's, hf_format_packed_done(). */
HF_MUST_USE int hf_format_pack(const struct hf_format *format, struct hf_squeeze *squeeze,
                               const struct hf_spool_record *records, size_t n, struct hf_format_packed *ret_packed);
void hf_format_packed_done(struct hf_format_packed *packed);

/* What an answer to a delivered part says was not taken (OTLP's partial success): 0 when all was, or it cannot be read. */
uint64_t hf_format_rejected(const struct hf_format *format, const struct hf_format_part *part, struct hf_view answer);
/* The type that an answer with a body must have; NULL any. */
const char *hf_format_answer_type(const struct hf_format *format);
/* What a part's path is put behind: the sink's URL without slashes at its end and, of OTLP, without what is appended anyway: /v1, /v1/logs
 * or /v1/metrics. So the base endpoint of OpenTelemetry's exporters (OTEL_EXPORTER_OTLP_ENDPOINT) and that of one signal both do.
 * Borrows from `url`. */
struct hf_view hf_format_base(enum hf_sink_format kind, const char *url);
/* One record at a time: borders need not be kept. */
static inline bool hf_format_is_single(const struct hf_format *format)
{
    return format->kind == HF_SINK_SEED;
}

/* One for each form; `part` is zeroed. */
int hf_format_pack_seed(const struct hf_format *format, struct hf_squeeze *squeeze,
                        const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);
int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                        const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);
uint64_t hf_format_otlp_rejected(const struct hf_format *format, struct hf_view answer);
