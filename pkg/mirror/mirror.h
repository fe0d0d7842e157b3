/* SPDX-License-Identifier: Apache-2.0 */
/* A registry mirror on loopback for this node's containerd: the pull half of the OCI distribution specification.
 *
 * It answers for registries that are listed, and for who shows the secret, which `hosts.toml` or `registries.yaml` of
 * root has. A blob comes from the node where it is; else it is made from layers of the node and a delta that the
 * registry has; else it comes from there, as it arrives. Its last bytes leave only when its digest is right, but for a
 * part of a blob, which the client has to check. */
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
    void (*ready_changed)(void *arg);              /* hf_mirror_ready(); may be NULL, as the next one */
    void (*prefetched)(void *arg, uint64_t bytes); /* from registries, for images that no pod has asked for */
    void *arg;
};

/* Copied. */
struct hf_mirror_settings {
    uint16_t port; /* on 127.0.0.1; 0: any free one */
    /* "images.example", "registry.example:5000"; with "http://" before it, without TLS, as always on loopback. */
    const char *const *registries;
    const char *secret; /* password of the user "holdfast" */
    /* Folders with blobs/sha256/: of containerd, read only. Ends with NULL. */
    const char *const *stores;
    const char *folder; /* of the file of tags and of scratch files; exists */
    uint64_t max_bytes; /* of <folder>/cache; 0: there is none */
    /* "registry.example/app@sha256:...", which are to be in the cache; NULL: none. */
    const char *const *images;
    const char *platform; /* "linux/arm64"; with images */
    uint64_t stale_ok_ns; /* how long a tag's last digest stands in for a registry that is away */
};

struct hf_mirror;
struct hf_mirror *hf_mirror_new(const struct hf_mirror_params *params); /* NULL: out of memory */
void hf_mirror_free(struct hf_mirror *mirror);                          /* accepts NULL */
/* NULL: off, without port and timer. Errors of hf_streamed_new(); then it is off. */
HF_MUST_USE int hf_mirror_settle(struct hf_mirror *mirror, const struct hf_mirror_settings *settings,
                                 struct hf_err *err);

/* What the condition ImagesReady says; `ready`: all images are here. */
struct hf_mirror_ready {
    bool asked, ready; /* !asked: there are none */
    const char *reason;
    char message[512];
};
struct hf_mirror_ready hf_mirror_ready(const struct hf_mirror *mirror);
/* What no pod waits for waits, too: `closed` is the reason, such as "LinkWindowClosed"; NULL: for nothing. */
void hf_mirror_gate(struct hf_mirror *mirror, const char *closed);
uint16_t hf_mirror_port(const struct hf_mirror *mirror); /* 0: off */
