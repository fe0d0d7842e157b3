/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what downloads need: HTTP client for any origin, credentials and mirrors (steps/access.h), neighbours
 * (share/share.h), mirror of images. */
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
    struct hf_identity *identity;
    const char *node_name;
    const struct hf_agent_options *options;
    uint64_t max_skew_ns;
};

HF_MUST_USE int hf_downloads_new(const struct hf_downloads_params *params, const struct hf_config *config,
                                 struct hf_downloads **ret_downloads, struct hf_err *err);
void hf_downloads_free(struct hf_downloads *downloads); /* free it after the agent */
/* Borrows `config` until the requests under way at the next call have ended. */
void hf_downloads_configure(struct hf_downloads *downloads, const struct hf_config *config);
/* Blocks briefly. */
void hf_downloads_follow(struct hf_downloads *downloads, const struct hf_syncpolicy *policy);
void hf_downloads_fill(struct hf_downloads *downloads, struct hf_agent_params *params);
