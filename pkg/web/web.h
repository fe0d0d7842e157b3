/* web/web.h - the pages of a process on a local port: /healthz, /readyz, /metrics, and routes of other areas.
 *
 *   /metrics  Prometheus text (web/metrics.h), if params has a registry
 *   /healthz  200 as long as the loop turns: the answer is the proof
 *   /readyz   one line for each check, "[+]name ok" or "[-]name: reason"; 503 if one of them is not ready
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
    /* Returns true if ready; else writes the reason to reason[n], which is "" before the call. Must not block. */
    bool (*ready)(void *arg, char *reason, size_t n);
    void *arg;
};

struct hf_web_params {
    const char *address;        /* numeric; NULL: HF_WEB_ADDRESS */
    uint16_t port;              /* 0: any free port, see hf_web_port() */
    struct hf_metrics *metrics; /* NULL: no /metrics on this server */
    struct hf_server_limits limits;
    const struct hf_web_check *checks;
    size_t n_checks;
    const struct hf_server_route *routes; /* more pages; they come before our own */
    size_t n_routes;
};

struct hf_web;

/* Copies everything except the registry and the args. -EADDRINUSE: the port is in use. */
HF_MUST_USE int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web,
                           struct hf_err *err);
uint16_t hf_web_port(const struct hf_web *web);
/* Call before freeing the loop; no page is called afterwards. */
void hf_web_free(struct hf_web *web);
HF_DEFINE_CLEANUP(struct hf_web, hf_web_free)
