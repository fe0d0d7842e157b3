/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to registries: their tokens, the node's credentials (steps/access.h), transfers that go on after breaks. */
#pragma once

#include "loop/http/http.h"
#include "loop/sched.h"
#include "web/metrics.h"

struct hf_access;
struct hf_fs_ops;
struct hf_logins;

/* Count bytes from registries; each may be NULL. */
struct hf_mirror_tally {
    struct hf_metric *all, *image;
    uint64_t *prefetched;
};

struct hf_mirror_upstream_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    const struct hf_http_ops *http;
    const struct hf_clock_ops *clock;
    struct hf_access *access; /* NULL: none */
    struct hf_logins *logins; /* where `access` has none; may be NULL */
};

struct hf_mirror_upstream;
struct hf_mirror_upstream *hf_mirror_upstream_new(const struct hf_mirror_upstream_params *params);
void hf_mirror_upstream_free(struct hf_mirror_upstream *upstream); /* end calls before */
/* hf_logins_problem() of a repository of "https://registry.example". */
const char *hf_mirror_upstream_problem(const struct hf_mirror_upstream *upstream, const char *origin, const char *name);

struct hf_mirror_ask {
    const char *origin; /* "https://registry.example" */
    const char *name;   /* repository's */
    const char *path;   /* behind it: "blobs/sha256:..." */
    bool head;
    const char *accept; /* "": any */
    bool ranged;
    uint64_t from, to; /* struct hf_mirror_request */
    uint64_t connect_ns;
    uint64_t timeout_ns;                 /* in all; 0: none, but silence ends it */
    uint64_t max_bytes;                  /* UINT64_MAX: none */
    const struct hf_mirror_tally *tally; /* outlives the call */
    bool resumes;                        /* after a break continues there; needs a length */
    /* The answer that counts, its bytes; struct hf_http_request. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    int (*on_body)(void *arg, const void *bytes, size_t n);
    void (*done)(void *arg, int r, const struct hf_err *err); /* `r`: loop/http/http.h */
    void *arg;
};

/* Copies texts. -ENOMEM, -ECANCELED: no `done`. No callback before it returns. */
struct hf_mirror_call;
HF_MUST_USE int hf_mirror_call_start(struct hf_mirror_upstream *upstream, const struct hf_mirror_ask *ask,
                                     struct hf_mirror_call **ret_call);
void hf_mirror_call_cancel(struct hf_mirror_call *call); /* accepts NULL; not after `done` */
void hf_mirror_call_pause(struct hf_mirror_call *call, bool paused);
