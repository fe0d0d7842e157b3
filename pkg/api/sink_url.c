/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sink_url.h"

#include <stdbool.h>
#include <string.h>

/* Returns true if the part of `url` before '?' or '#' ends in `ending`, apart from slashes. */
static bool ends_with(const char *url, const char *ending)
{
    size_t n = strcspn(url, "?#"), end_n = strlen(ending);

    while (n > 0 && url[n - 1] == '/')
        n--;
    return n > end_n && strncmp(url + n - end_n, ending, end_n) == 0;
}

static bool has_port(const char *url, const char *port)
{
    const char *host = strstr(url, "://");
    const char *authority = host != NULL ? host + 3 : url;
    size_t n = strcspn(authority, "/?#"), port_n = strlen(port);

    return n > port_n && strncmp(authority + n - port_n, port, port_n) == 0;
}

const char *hf_sink_url_fault(enum hf_sink_format format, const char *url)
{
    if (format == HF_SINK_OTLP && strpbrk(url, "?#") != NULL)
        return "must not have ? or # with format otlp, which appends /v1/logs and /v1/metrics";
    if (format == HF_SINK_OTLP && ends_with(url, "/v1/traces"))
        return "must not end in /v1/traces with format otlp, which sends only logs and metrics: leave it out";
    return NULL;
}

const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url)
{
    bool lines = format == HF_SINK_JSON || format == HF_SINK_NDJSON;

    if (format == HF_SINK_OTLP && has_port(url, ":4317"))
        return "port 4317 is usually OTLP over gRPC; the agent sends OTLP over HTTP, usually to port 4318";
    if (lines && (ends_with(url, "/v1/logs") || ends_with(url, "/v1/metrics")))
        return "looks like the URL of an OTLP receiver: is `format: otlp` missing?";
    if (format == HF_SINK_SEED && strpbrk(url, "?#") != NULL)
        return "has ? or #, and format seed appends /ingest after it: leave it out";
    if (format == HF_SINK_SEED && ends_with(url, "/ingest"))
        return "ends in /ingest, and format seed appends /ingest again: leave it out";
    return NULL;
}
