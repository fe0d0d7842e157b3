/* SPDX-License-Identifier: Apache-2.0 */
/* Sends requests to registries, with their tokens and the node's credentials (steps/access.h); interrupted transfers
 * can resume. */
#pragma once

#include "loop/http/http.h"
#include "loop/sched.h"
#include "web/metrics.h"

struct hf_access;
struct hf_fs_ops;
struct hf_logins;

/* Metrics that count bytes from registries; each may be NULL. */
struct hf_mirror_tally {
    struct hf_metric *all, *image;
    uint64_t *prefetched;
};

struct hf_mirror_upstream_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    const struct hf_http_ops *http;
    const struct hf_clock_ops *clock;
    struct hf_access *access; /* or NULL */
    struct hf_logins *logins; /* asked where `access` has no credential; or NULL */
};

struct hf_mirror_upstream;
struct hf_mirror_upstream *hf_mirror_upstream_new(const struct hf_mirror_upstream_params *params);
void hf_mirror_upstream_free(struct hf_mirror_upstream *upstream); /* end all calls first */
const char *hf_mirror_upstream_problem(const struct hf_mirror_upstream *upstream, const char *origin, const char *name);

struct hf_mirror_ask {
    const char *origin;
    const char *name;
    const char *path; /* path behind the name: "blobs/sha256:..." */
    bool head;
    const char *accept;
    bool ranged;
    uint64_t from, to;
    uint64_t connect_ns;
    uint64_t timeout_ns; /* for the whole transfer; 0: only silence ends it */
    uint64_t max_bytes;  /* UINT64_MAX: no limit */
    const struct hf_mirror_tally *tally;
    bool resumes; /* resumes after an interruption, if the answer stated its length */
    /* Called for the answer after tokens and redirects, and for its bytes unless its status is 300 or more, as in
     * struct hf_http_request. */
    int (*on_response)(void *arg, const struct hf_http_response *response);
    int (*on_body)(void *arg, const void *bytes, size_t n);
    void (*done)(void *arg, int r, const struct hf_err *err);
    void *arg;
};

/* Copies the texts; *tally must outlive the call. After an error of hf_mirror_call_start() `done` is not called.
 * Callbacks never come before it returns. */
struct hf_mirror_call;
HF_MUST_USE int hf_mirror_call_start(struct hf_mirror_upstream *upstream, const struct hf_mirror_ask *ask,
                                     struct hf_mirror_call **ret_call);
void hf_mirror_call_cancel(struct hf_mirror_call *call); /* accepts NULL; not after `done` */
void hf_mirror_call_pause(struct hf_mirror_call *call, bool paused);
