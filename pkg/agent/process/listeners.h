/* agent/process/listeners.h - the agent's local servers, each on a port of its own: metrics, ingest, health.
 *
 *   metrics  /metrics, and also /healthz and /readyz, so that a probe needs only this port
 *   ingest   POST /ingest, without credentials: keep this port local even if others may reach /metrics
 *   socket   POST /ingest on a Unix socket, where the kernel names the process that sends
 *   health   /healthz and /readyz, for probes that need an answer while the other two servers are overloaded;
 *            the oldest connection gives way to a new one
 *
 * Loop thread only. */
#pragma once

#include "agent/process/options.h"
#include "base/log.h"
#include "loop/server/server.h"
#include "web/web.h"

enum {
    HF_LISTEN_METRICS_CONNECTIONS = 128,
    HF_LISTEN_SOCKET_CONNECTIONS = 128,
    HF_LISTEN_HEALTH_CONNECTIONS = 128,
    HF_LISTEN_INGEST_CONNECTIONS = HF_SERVER_MAX_CONNECTIONS - HF_LISTEN_METRICS_CONNECTIONS -
                                   HF_LISTEN_HEALTH_CONNECTIONS - HF_LISTEN_SOCKET_CONNECTIONS,
    HF_LISTEN_HEALTH_IDLE_S = 5,
    HF_LISTEN_METRICS_IDLE_S = 10,
    /* descriptors that the process should have: those of all connections, and as many as the agent's work needs */
    HF_LISTEN_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 336,
    HF_LISTEN_RETRY_S = 30, /* period of new attempts with --listen-optional */
};

struct hf_listeners;

/* The listeners borrow the pointers; hf_listeners_new() copies `ready` and `ingest`. */
struct hf_listeners_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_web_check ready;
    struct hf_server_route ingest;
    const char *run_dir; /* folder of the default socket; NULL: no default socket */
    uint64_t retry_ns;   /* 0: HF_LISTEN_RETRY_S */
};

/* Opens each server whose port is not off. If a server cannot open, the function fails, and *err names the flags of the
 * server. With --listen-optional, and for the default socket, the function succeeds instead: it logs a warning, and the
 * agent tries again every retry_ns. Raises the soft limit of open files towards HF_LISTEN_DESCRIPTORS. */
HF_MUST_USE int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                                 struct hf_err *err);

/* Returns the port of a server; 0: it is not open. */
uint16_t hf_listeners_port(const struct hf_listeners *listeners, enum hf_agent_listener listener);

/* Closes the servers without answers to open requests. Call it before hf_loop_free(). */
void hf_listeners_free(struct hf_listeners *listeners);
HF_DEFINE_CLEANUP(struct hf_listeners, hf_listeners_free)
