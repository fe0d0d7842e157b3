/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the mirror of spec.images.mirror (mirror/mirror.h), with its secret and containerd's hosts.toml in
 * <state>/mirror, readable by root alone. */
#pragma once

#include "api/syncpolicy.h"
#include "config/config.h"
#include "loop/loop.h"
#include "mirror/mirror.h"

struct hf_image_mirror;

struct hf_image_mirror_params { /* upstream.logins is ignored */
    struct hf_loop *loop;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_mirror_upstream_params upstream;
    const char *state_dir;
    const char *platform; /* "linux/arm64" */
    const char *host_root;
};

/* The images that pods of the node's manifests name; zeroed if the policy does not ask. */
struct hf_image_workloads {
    bool asked;         /* the policy sets images.prefetchFrom.workloads */
    char *names;        /* one per line; NULL: none; the mirror takes them over */
    const char *reason; /* CamelCase: why some images are unknown or cannot be fetched; else NULL */
    bool never;         /* those images can never be fetched ahead */
    char message[400];
};

struct hf_image_mirror *hf_image_mirror_new(const struct hf_image_mirror_params *params);
void hf_image_mirror_free(struct hf_image_mirror *mirror);
void hf_image_mirror_configure(struct hf_image_mirror *mirror, const struct hf_config *config);
/* Blocks briefly. */
void hf_image_mirror_follow(struct hf_image_mirror *mirror, const struct hf_syncpolicy *policy);
/* Takes over the names; calls ready_changed() after a change. Accepts NULL. */
void hf_image_mirror_take(struct hf_image_mirror *mirror, struct hf_image_workloads *workloads);
/* Sets callbacks as in struct hf_mirror_params. This and the next two accept NULL. */
void hf_image_mirror_report(struct hf_image_mirror *mirror, void (*ready_changed)(void *arg),
                            void (*prefetched)(void *arg, uint64_t bytes), void *arg);
void hf_image_mirror_gate(struct hf_image_mirror *mirror, const char *closed);
struct hf_mirror_ready hf_image_mirror_ready(const struct hf_image_mirror *mirror);
/* Whether all images that can be fetched ahead are here (for waitForImages); false if none is asked for. */
bool hf_image_mirror_has_all(const struct hf_image_mirror *mirror);
