/* SPDX-License-Identifier: Apache-2.0 */
/* A registry mirror on loopback for this node's containerd: the pull half of the OCI distribution specification.
 *
 * It answers for listed registries, to clients with the secret in root's `hosts.toml` or `registries.yaml`. A blob
 * comes from the node, from layers on the node and a delta, or from the registry. Its last bytes are sent only if the
 * digest is right; a client that asks for a part must check the digest itself. */
#pragma once

#include "loop/loop.h"
#include "mirror/store.h"
#include "mirror/upstream.h"
#include "web/metrics.h"

enum { HF_MIRROR_MAX_REGISTRIES = 32, HF_MIRROR_SECRET = 65 };

struct hf_mirror_params {
    struct hf_loop *loop;
    struct hf_log *log;         /* or NULL */
    struct hf_metrics *metrics; /* or NULL */
    struct hf_mirror_upstream_params upstream;
    void (*ready_changed)(void *arg); /* called when hf_mirror_ready() changes; this and the next may be NULL */
    /* called when bytes came from registries for images that no pod asked for */
    void (*prefetched)(void *arg, uint64_t bytes);
    void *arg;
};

/* The mirror copies them. */
struct hf_mirror_settings {
    uint16_t port; /* 0: any */
    /* "images.example", "registry.example:5000"; TLS is used unless "http://" precedes or the host is loopback */
    const char *const *registries;
    const char *secret;
    /* containerd's folders with blobs/sha256/, only read; ends with NULL */
    const char *const *stores;
    const char *folder; /* for tags, cache and scratch files; must exist */
    uint64_t max_bytes;
    /* images to keep in the cache, "registry.example/app@sha256:..."; NULL: none */
    const char *const *images;
    const char *platform;
    uint64_t stale_ok_ns; /* how old the last digest of a tag may be to be served while its registry does not answer */
};

struct hf_mirror;
struct hf_mirror *hf_mirror_new(const struct hf_mirror_params *params);
void hf_mirror_free(struct hf_mirror *mirror);
/* Applies settings. NULL turns the mirror off (no port, no timer), as do errors of hf_streamed_new() and of files. */
HF_MUST_USE int hf_mirror_settle(struct hf_mirror *mirror, const struct hf_mirror_settings *settings,
                                 struct hf_err *err);

/* Replaces the images of the settings, without a break for clients. The first `named` images take precedence, even if
 * the others fill the cache. Does nothing while the mirror is off. */
HF_MUST_USE int hf_mirror_prefetch(struct hf_mirror *mirror, const char *const *images, size_t named,
                                   const char *platform, struct hf_err *err);

/* The condition ImagesReady. `ready`: all images are on the node. */
struct hf_mirror_ready {
    bool asked, ready; /* !asked: no images are wanted */
    const char *reason;
    char message[512];
};
struct hf_mirror_ready hf_mirror_ready(const struct hf_mirror *mirror);
/* Makes prefetching wait; `closed` is the reason, such as "LinkWindowClosed" (borrowed). NULL lets it run. */
void hf_mirror_gate(struct hf_mirror *mirror, const char *closed);
uint16_t hf_mirror_port(const struct hf_mirror *mirror); /* 0: off */
