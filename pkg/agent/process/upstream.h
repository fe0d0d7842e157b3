/* agent/process/upstream.h - one API that this process talks to: its configuration, its credentials, its HTTP client
 * and its source. Loop thread only. */
#pragma once

#include "kube/kube.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;      /* may be NULL */
    const char *server, *kubeconfig; /* as for hf_kube_config_find() */
    enum hf_kube_api api;
    uint64_t max_skew_ns;
};

struct hf_upstream;

/* Reads configuration and credentials (small files; blocks). Returns NULL on failure, with the reason in *err. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);

/* The functions below accept NULL and then do nothing. */

/* Returns true if credentials are in files, which may change. */
bool hf_upstream_has_files(const struct hf_upstream *upstream);

/* Reads the credentials again; logs failures. */
void hf_upstream_reload(struct hf_upstream *upstream);

/* Applies the limits of a policy. */
void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns, uint64_t max_skew_ns);

/* Ends back-offs, because the network is back. */
void hf_upstream_nudge(struct hf_upstream *upstream);
