/* SPDX-License-Identifier: Apache-2.0 */
/* A registry mirror on loopback for this node's containerd: the pull half of the OCI distribution specification.
 *
 * It answers for listed registries, to clients with the secret in root's `hosts.toml` or `registries.yaml`. A blob is
 * the node's; or made of the node's layers and the registry's delta; or comes from the registry. Its last bytes leave
 * only with a right digest; parts of a blob the client must check. */
#pragma once

#include "loop/loop.h"
#include "mirror/store.h"
#include "mirror/upstream.h"
#include "web/metrics.h"

enum { HF_MIRROR_MAX_REGISTRIES = 32, HF_MIRROR_SECRET = 65 };

struct hf_mirror_params {
    struct hf_loop *loop;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
    struct hf_mirror_upstream_params upstream;
    void (*ready_changed)(void *arg);              /* hf_mirror_ready(); may be NULL, as the next */
    void (*prefetched)(void *arg, uint64_t bytes); /* from registries, for images that no pod asked for */
    void *arg;
};

/* Copied. */
struct hf_mirror_settings {
    uint16_t port; /* on 127.0.0.1; 0: any */
    /* "images.example", "registry.example:5000"; with "http://" before it, or on loopback, without TLS. */
    const char *const *registries;
    const char *secret; /* of user "holdfast" */
    /* containerd's folders with blobs/sha256/, read only. Ends with NULL. */
    const char *const *stores;
    const char *folder; /* for tags and scratch files; exists */
    uint64_t max_bytes; /* of <folder>/cache */
    /* "registry.example/app@sha256:...", which are to be in the cache; NULL: none. */
    const char *const *images;
    const char *platform; /* "linux/arm64"; with images */
    uint64_t stale_ok_ns; /* how long a tag's last digest stands in for an absent registry */
};

struct hf_mirror;
struct hf_mirror *hf_mirror_new(const struct hf_mirror_params *params);
void hf_mirror_free(struct hf_mirror *mirror);
/* `settings` NULL: off, without port and timer, as after an error. Errors of hf_streamed_new(). */
HF_MUST_USE int hf_mirror_settle(struct hf_mirror *mirror, const struct hf_mirror_settings *settings,
                                 struct hf_err *err);

/* Replaces the settings' images; what the mirror serves continues. The first `named` images go before the others, even
 * if those filled the cache. Does nothing while off. */
HF_MUST_USE int hf_mirror_prefetch(struct hf_mirror *mirror, const char *const *images, size_t named,
                                   const char *platform, struct hf_err *err);

/* Condition ImagesReady; `ready`: all are here. */
struct hf_mirror_ready {
    bool asked, ready; /* !asked: no images are wanted */
    const char *reason;
    char message[512];
};
struct hf_mirror_ready hf_mirror_ready(const struct hf_mirror *mirror);
/* Prefetching waits while `closed` says why, such as "LinkWindowClosed"; NULL: it runs. Borrowed. */
void hf_mirror_gate(struct hf_mirror *mirror, const char *closed);
uint16_t hf_mirror_port(const struct hf_mirror *mirror); /* 0: off */
