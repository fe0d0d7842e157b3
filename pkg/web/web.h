/* web/web.h - what a process shows of itself on a local port: /healthz, /readyz, /metrics, and what else it is given.
 *
 * /metrics  Prometheus text (web/metrics.h); only where params has a registry
 * /healthz  200 as long as the loop turns: an answer is the proof
 * /readyz   one line for each check, "[+]name ok" or "[-]name: reason"; 503 when one of them is not ready
 *
 * Reads, never decides. Loop thread only. Listens on the loopback address unless told otherwise: nothing here asks who is asking. */
#pragma once

#include "loop/server/server.h"
#include "web/metrics.h"

enum { HF_WEB_PORT = 9090, HF_WEB_REASON = 256 };

#define HF_WEB_ADDRESS "127.0.0.1"

struct hf_web_check {
    const char *name; /* one word, copied */
    /* True: ready. False: why not, in reason[n] (""  when left alone). Must not block. */
    bool (*ready)(void *arg, char *reason, size_t n);
    void *arg;
};

struct hf_web_params {
    const char *address;        /* numeric; NULL: HF_WEB_ADDRESS */
    uint16_t port;              /* 0: one that is free, see hf_web_port() */
    struct hf_metrics *metrics; /* NULL: no /metrics here */
    struct hf_server_limits limits;
    const struct hf_web_check *checks;
    size_t n_checks;
    const struct hf_server_route *routes; /* more pages; theirs come before our own */
    size_t n_routes;
};

struct hf_web;

/* Everything is copied but the registry and the args. -EADDRINUSE: the port is taken. */
HF_MUST_USE int hf_web_new(struct hf_loop *loop, const struct hf_web_params *params, struct hf_web **ret_web,
                           struct hf_err *err);
uint16_t hf_web_port(const struct hf_web *web);
/* Before the loop is freed; nothing is asked or answered afterwards. */
void hf_web_free(struct hf_web *web);
HF_DEFINE_CLEANUP(struct hf_web, hf_web_free)

/* The process' own gauges, read when asked for: holdfast_process_cpu_seconds_total, _resident_memory_bytes, _open_fds,
 * _start_time_seconds. 0, or -ENOSPC / -ENOMEM. */
HF_MUST_USE int hf_web_process_metrics(struct hf_metrics *metrics);
