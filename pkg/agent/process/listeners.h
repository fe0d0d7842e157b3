/* SPDX-License-Identifier: Apache-2.0 */
/* Runs up to four local servers:
 *
 *   metrics  /metrics, /healthz, /readyz and the page
 *   ingest   POST /ingest without credentials: keep this port local
 *   socket   POST /ingest on a Unix socket; the page, for a proxy
 *   health   /healthz and /readyz, also while the others are overloaded
 *
 * When full, metrics and health close an old connection for a new one. */
#pragma once

#include "agent/process/options.h"
#include "base/log.h"
#include "loop/server/server.h"
#include "web/web.h"

enum {
    HF_LISTEN_METRICS_CONNECTIONS = 256,
    HF_LISTEN_SOCKET_CONNECTIONS = 128,
    HF_LISTEN_HEALTH_CONNECTIONS = 256,
    HF_LISTEN_INGEST_CONNECTIONS = HF_SERVER_MAX_CONNECTIONS - HF_LISTEN_METRICS_CONNECTIONS -
                                   HF_LISTEN_HEALTH_CONNECTIONS - HF_LISTEN_SOCKET_CONNECTIONS,
    /* seconds until the head of a request must be complete */
    HF_LISTEN_HEALTH_IDLE_S = 5,
    HF_LISTEN_METRICS_IDLE_S = 10,
    HF_LISTEN_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 336,
    HF_LISTEN_RETRY_S = 30,
};

struct hf_listeners;

struct hf_listeners_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_web_check ready;
    struct hf_server_route ingest;
    /* Routes of the page, on metrics and the socket; borrowed. */
    const struct hf_server_route *page;
    size_t n_page;
    const char *run_dir; /* NULL: no default socket */
    uint64_t retry_ns;
};

/* Opens the servers; *err of a server's failure names flags. With --listen-optional, and for the default socket,
 * failures are warnings, and retried. Raises the soft limit of files towards HF_LISTEN_DESCRIPTORS. */
HF_MUST_USE int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                                 struct hf_err *err);

uint16_t hf_listeners_port(const struct hf_listeners *listeners, enum hf_agent_listener listener);

/* Ends requests without an answer. */
void hf_listeners_free(struct hf_listeners *listeners);
HF_DEFINE_CLEANUP(struct hf_listeners, hf_listeners_free)
