/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/downloads.h - what downloads of artifacts go through: the HTTP client for any origin, the node's
 * credentials and mirrors (steps/access.h), and the neighbours (share/share.h); also the mirror of images, which uses
 * the same. Loop thread only. */
#pragma once

#include "agent/agent.h"
#include "agent/process/options.h"
#include "loop/loop.h"

struct hf_downloads;

struct hf_downloads_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    struct hf_identity *identity;           /* of the node, for servers that want it; or NULL */
    const char *node_name;                  /* copied */
    const struct hf_agent_options *options; /* borrowed; the folders of state, client certificate and host */
    uint64_t max_skew_ns;                   /* as in struct hf_http_config */
};

HF_MUST_USE int hf_downloads_new(const struct hf_downloads_params *params, const struct hf_config *config,
                                 struct hf_downloads **ret_downloads, struct hf_err *err);
void hf_downloads_free(struct hf_downloads *downloads); /* accepts NULL; after the agent */
/* `config` must live as long as requests that began before the next call. */
void hf_downloads_configure(struct hf_downloads *downloads, const struct hf_config *config);
/* The policy in effect. Blocks briefly. */
void hf_downloads_follow(struct hf_downloads *downloads, const struct hf_syncpolicy *policy);
/* Sets `http` and `downloads`. */
void hf_downloads_fill(struct hf_downloads *downloads, struct hf_agent_params *params);
