/* SPDX-License-Identifier: Apache-2.0 */
/* The page of this node: the files of web/page.h, and what they show.
 *
 * It is read with the rights of /metrics, but from this machine alone, and while `page` of agent.yaml is not None. With
 * nobody there it takes a sample after a status, and has no timer. */
#pragma once

#include "agent/process/configuration.h"
#include "base/clock.h"
#include "codec/json.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/server/server.h"
#include "web/metrics.h"

enum { HF_AGENT_PAGE_VIEWERS = 50 };
#define HF_AGENT_PAGE_LIVE_NS (2 * HF_NS_PER_S)

struct hf_agent_page;

struct hf_agent_page_params {
    const struct hf_agent_configuration *configuration;
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    struct hf_metrics *metrics;
    const struct hf_fs_ops *fs;
    const char *state_dir, *run_dir; /* of the agent */
    json_t *(*telemetry)(void *arg); /* that of a status, but of now; NULL: none */
    void *arg;
    struct hf_page_deeds {
        const struct hf_proc_ops *proc;
        const char *program;      /* the command line; NULL: unknown */
        void (*retry)(void *arg); /* as at SIGHUP */
        /* hf_agent_page_acted(). */
        void (*audited)(void *arg, const char *subject, const char *reason, const char *message);
        void *arg;
    } acts;
};

/* Borrows its parameters. */
struct hf_agent_page *hf_agent_page_new(const struct hf_agent_page_params *params);
/* After the servers with its routes, before the loop. */
void hf_agent_page_free(struct hf_agent_page *page);

/* The newest status, JSON; copied. Accepts NULL. */
void hf_agent_page_show(struct hf_agent_page *page, struct hf_view status);

const struct hf_server_route *hf_agent_page_routes(const struct hf_agent_page *page, size_t *ret_n);
