/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's four local servers.
 *
 *   metrics  /metrics, and /healthz and /readyz, so that a probe needs only this port; the page of the node
 *   ingest   POST /ingest without credentials: keep this port local
 *   socket   POST /ingest on a Unix socket, where the kernel reports the sender; the page, for a proxy
 *   health   /healthz and /readyz while others are overloaded; when full, closes an old connection for a new one (as
 *            metrics does) */
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
    /* s, for a request's complete head */
    HF_LISTEN_HEALTH_IDLE_S = 5,
    HF_LISTEN_METRICS_IDLE_S = 10,
    /* Descriptors: one per connection, and 336. */
    HF_LISTEN_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 336,
    HF_LISTEN_RETRY_S = 30, /* s, to open a server */
};

struct hf_listeners;

/* Copies routes and `ready`; borrows the rest. */
struct hf_listeners_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_web_check ready;
    struct hf_server_route ingest;
    /* Beside /metrics, and on the socket for a proxy. */
    const struct hf_server_route *page;
    size_t n_page;
    const char *run_dir; /* of the default socket; or NULL */
    uint64_t retry_ns;   /* 0: HF_LISTEN_RETRY_S */
};

/* What is not off. Failures name the flags; with --listen-optional, and for the default socket, a warning, and retried.
 * Raises the soft limit of files to HF_LISTEN_DESCRIPTORS if the hard one allows. */
HF_MUST_USE int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                                 struct hf_err *err);

/* 0: not open. */
uint16_t hf_listeners_port(const struct hf_listeners *listeners, enum hf_agent_listener listener);

/* Open requests get no answer. Before hf_loop_free(). */
void hf_listeners_free(struct hf_listeners *listeners);
HF_DEFINE_CLEANUP(struct hf_listeners, hf_listeners_free)
