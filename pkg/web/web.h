/* SPDX-License-Identifier: Apache-2.0 */
/* web/web.h - serves the pages of a process on a local port: /healthz, /readyz, /metrics, and pages that other parts of
 * the program add.
 *
 *   /metrics  metrics in Prometheus' text format (web/metrics.h), if the parameters have a registry
 *   /healthz  always status 200, which shows that the event loop runs
 *   /readyz   one line for each check, "[+]name ok" or "[-]name: reason"; status 503 if a check is not ready
 *
 * The pages only read the state of the process. They require no authentication, so the default address is loopback.
 * Threads: loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "web/metrics.h"

enum { HF_WEB_REASON = 256 };

#define HF_WEB_ADDRESS "127.0.0.1"

struct hf_web_check {
    const char *name; /* name of the check, one word; copied */
    /* Returns true if the checked part is ready. Otherwise returns false and writes the reason into reason[n], which is
     * "" before the call. Must not block. */
    bool (*ready)(void *arg, char *reason, size_t n);
    void *arg;
};

struct hf_web_params {
    const char *address;        /* numeric IP address to listen on; NULL means HF_WEB_ADDRESS */
    uint16_t port;              /* port to listen on (0 means any free port; hf_web_port() returns the port) */
    struct hf_metrics *metrics; /* registry for /metrics; NULL if this server must not serve /metrics */
    struct hf_server_limits limits;
    const char *const *allowed_hosts; /* for allowed_hosts, refused and refused_arg, see struct hf_server_params */
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
    const struct hf_web_check *checks;
    size_t n_checks;
    /* further pages; a route with the path of a built-in page, such as /metrics, replaces that page */
    const struct hf_server_route *routes;
    size_t n_routes;
};

struct hf_web;

/* Opens the server. Copies the parameters, except the registry, the list allowed_hosts and what each `arg` points to;
 * the caller must keep these until hf_web_free(). -EADDRINUSE: the port is in use. */
HF_MUST_USE int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web,
                           struct hf_err *err);
uint16_t hf_web_port(const struct hf_web *web);
/* Closes the server. Call this function before hf_loop_free(). Afterwards no check and no page function runs. */
void hf_web_free(struct hf_web *web);
HF_DEFINE_CLEANUP(struct hf_web, hf_web_free)
