/* SPDX-License-Identifier: Apache-2.0 */
/* Serves a process's pages on a local port.
 *
 *   /metrics  web/metrics.h, if there is a registry
 *   /healthz  200: the event loop runs
 *   /readyz   a line for each check, "[+]name ok" or "[-]name: reason"; 503 if one is not ready
 *
 * They need no authentication, so the default address is loopback. */
#pragma once

#include "loop/server/server.h"
#include "web/metrics.h"

#define HF_WEB_ADDRESS "127.0.0.1"

struct hf_web_check {
    const char *name; /* one word; copied */
    /* Returns false with `reason`, which is "" at first. Must not block. */
    bool (*ready)(void *arg, char *reason, size_t n);
    void *arg;
};

struct hf_web_params {
    const char *address; /* numeric IP; NULL: HF_WEB_ADDRESS */
    uint16_t port;       /* 0: any free one, see hf_web_port() */
    struct hf_metrics *metrics;
    struct hf_server_limits limits;
    const char *const *allowed_hosts; /* this, refused, refused_arg: as in struct hf_server_params */
    void (*refused)(void *arg, enum hf_server_refusal why);
    void *refused_arg;
    const struct hf_web_check *checks;
    size_t n_checks;
    const struct hf_server_route *routes; /* further pages; may replace the three above */
    size_t n_routes;
};

struct hf_web;

/* Copies the parameters, except the registry, allowed_hosts and what `arg` points to. -EADDRINUSE. */
HF_MUST_USE int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web,
                           struct hf_err *err);
uint16_t hf_web_port(const struct hf_web *web);
/* Call before hf_loop_free(). */
void hf_web_free(struct hf_web *web);
HF_DEFINE_CLEANUP(struct hf_web, hf_web_free)
