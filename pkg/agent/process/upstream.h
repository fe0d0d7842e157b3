/* agent/upstream.h - one API that this process talks to: how to reach it, its HTTP client, its source. Loop thread only. */
#pragma once

#include "kube/kube.h"
#include "loop/loop.h"

struct hf_upstream_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;      /* may be NULL */
    const char *server, *kubeconfig; /* as hf_kube_config_find() takes them */
    enum hf_kube_api api;
    uint64_t max_skew_ns;
};

struct hf_upstream;

/* Reads small files. NULL and *err. */
struct hf_upstream *hf_upstream_new(const struct hf_upstream_params *params, struct hf_err *err);
void hf_upstream_free(struct hf_upstream *upstream);
HF_DEFINE_CLEANUP(struct hf_upstream, hf_upstream_free)

const struct hf_source_ops *hf_upstream_source(struct hf_upstream *upstream);
/* The rest takes NULL and does nothing then. */
bool hf_upstream_has_files(const struct hf_upstream *upstream); /* credentials that may change on the disk */
void hf_upstream_reload(struct hf_upstream *upstream);          /* read them again; what goes wrong is logged */
void hf_upstream_follow(struct hf_upstream *upstream, uint64_t retry_cap_ns,
                        uint64_t max_skew_ns);        /* the policy's limits */
void hf_upstream_nudge(struct hf_upstream *upstream); /* the link is back */
