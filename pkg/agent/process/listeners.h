/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/listeners.h - the agent's four local servers: metrics, ingest and health, each on its own port, and a
 * Unix socket.
 *
 *   metrics  serves /metrics, and also /healthz and /readyz, so that a probe needs only this port
 *   ingest   serves POST /ingest without credentials; keep this port local even if other machines may reach /metrics
 *   socket   serves POST /ingest on a Unix socket, where the kernel reports which process sends
 *   health   serves /healthz and /readyz for probes that need an answer while the other servers are overloaded; at
 *            the maximum number of connections, it closes an old connection for each new one, as metrics does
 *
 * Threads: loop thread only. */
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
    /* limits in seconds within which the head of a request must be complete (idle_s in loop/server/server.h) */
    HF_LISTEN_HEALTH_IDLE_S = 5,
    HF_LISTEN_METRICS_IDLE_S = 10,
    /* number of descriptors that the process should be able to open: one for each connection, and 336 for the agent's
     * other work */
    HF_LISTEN_DESCRIPTORS = HF_SERVER_MAX_CONNECTIONS + 336,
    HF_LISTEN_RETRY_S = 30, /* seconds between two attempts to open a server that could not open */
};

struct hf_listeners;

/* The listeners borrow what the pointers point to; hf_listeners_new() copies `ready` and `ingest`. */
struct hf_listeners_params {
    const struct hf_agent_options *options;
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_web_check ready;
    struct hf_server_route ingest;
    const char *run_dir; /* folder of the default socket; NULL if there is no default socket */
    /* time between two attempts to open a server that could not open (0 means HF_LISTEN_RETRY_S) */
    uint64_t retry_ns;
};

/* Opens each server whose port is not off, and the socket unless it is off. If a server cannot open, the function
 * fails, and *err names the flags of that server. With --listen-optional, and for the default socket, the function does
 * not fail but logs a warning, and tries to open the server again every retry_ns. Raises the soft limit of open files
 * to HF_LISTEN_DESCRIPTORS, as far as the hard limit allows. */
HF_MUST_USE int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                                 struct hf_err *err);

/* Returns the port of a server, or 0 if the server is not open. */
uint16_t hf_listeners_port(const struct hf_listeners *listeners, enum hf_agent_listener listener);

/* Closes the servers, without answers to open requests. Call this function before hf_loop_free(). */
void hf_listeners_free(struct hf_listeners *listeners);
HF_DEFINE_CLEANUP(struct hf_listeners, hf_listeners_free)
