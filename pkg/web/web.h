/* web/web.h - the pages of a process on a local port: /healthz, /readyz, /metrics, and pages that other parts of the
 * program add.
 *
 *   /metrics  Prometheus text (web/metrics.h), if the parameters have a registry
 *   /healthz  always 200: an answer shows that the loop runs
 *   /readyz   one line for each check, "[+]name ok" or "[-]name: reason"; status 503 if a check is not ready
 *
 * The pages read state and decide nothing. They do not authenticate anybody, so the default address is loopback.
 * Threads: loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "web/metrics.h"

enum { HF_WEB_PORT = 9090, HF_WEB_REASON = 256 };

#define HF_WEB_ADDRESS "127.0.0.1"

struct hf_web_check {
    const char *name; /* one word, copied */
    /* Returns true if ready. Otherwise writes the reason into reason[n], which is "" before the call. Must not
     * block. */
    bool (*ready)(void *arg, char *reason, size_t n);
    void *arg;
};

struct hf_web_params {
    const char *address;        /* numeric; NULL: HF_WEB_ADDRESS */
    uint16_t port;              /* 0: any free port, which hf_web_port() returns */
    struct hf_metrics *metrics; /* NULL: no /metrics on this server */
    struct hf_server_limits limits;
    const char *const *allowed_hosts; /* see struct hf_server_params, also for the next two */
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
    const struct hf_web_check *checks;
    size_t n_checks;
    const struct hf_server_route *routes; /* more pages; on equal paths they win over our own pages */
    size_t n_routes;
};

struct hf_web;

/* Copies the parameters, except the registry and the objects behind `arg`. -EADDRINUSE: the port is in use. */
HF_MUST_USE int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web,
                           struct hf_err *err);
uint16_t hf_web_port(const struct hf_web *web);
/* Call this before you free the loop. No check and no page runs afterwards. */
void hf_web_free(struct hf_web *web);
HF_DEFINE_CLEANUP(struct hf_web, hf_web_free)
