/* agent/listeners.h - the agent's local servers, each on a port of its own: metrics, ingest, health.
 *
 *   metrics  /metrics, and /healthz and /readyz as well, for probes made for one port
 *   ingest   POST /ingest: unauthenticated writing, so that opening /metrics to a fleet's Prometheus does not open it
 *   health   /healthz and /readyz: connections of its own, the oldest gives way to a new one, so that probes are answered
 *            whatever the other two suffer
 *
 * Loop thread only. */
#pragma once

#include "agent/options.h"
#include "base/log.h"
#include "loop/server/server.h"
#include "web/web.h"

enum {
    HF_LISTEN_METRICS_CONNECTIONS = 32,
    HF_LISTEN_HEALTH_CONNECTIONS = 16,
    HF_LISTEN_INGEST_CONNECTIONS =
        HF_SERVER_MAX_CONNECTIONS - HF_LISTEN_METRICS_CONNECTIONS - HF_LISTEN_HEALTH_CONNECTIONS,
    HF_LISTEN_HEALTH_IDLE_S = 5,
    HF_LISTEN_RETRY_S = 30, /* with --listen-optional, until the port is free */
};

struct hf_listeners;

/* Borrowed, but for the route and the check, which are copied. */
struct hf_listeners_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_web_check ready;
    struct hf_server_route ingest;
    uint64_t retry_ns; /* 0: HF_LISTEN_RETRY_S */
};

/* Open those that are not switched off. One that cannot be opened is an error that names its flags; with --listen-optional it is a warning
 * in the log, and tried again. */
HF_MUST_USE int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                                 struct hf_err *err);
/* Where one of them listens; 0: nowhere. */
uint16_t hf_listeners_port(const struct hf_listeners *listeners, enum hf_agent_listener listener);
/* Before the loop is freed; nothing is answered afterwards. NULL is fine. */
void hf_listeners_free(struct hf_listeners *listeners);
HF_DEFINE_CLEANUP(struct hf_listeners, hf_listeners_free)
