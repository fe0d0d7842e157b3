/* SPDX-License-Identifier: Apache-2.0 */
/* Serves this node's page (web/page.h) to whoever may read /metrics, but only from this machine, unless `page` of
 * agent.yaml is None. */
#pragma once

#include "agent/process/configuration.h"
#include "codec/json.h"
#include "loop/proc.h"
#include "loop/server/server.h"
#include "loop/world.h"
#include "web/metrics.h"

enum { HF_AGENT_PAGE_VIEWERS = 50 };

struct hf_agent_page;

struct hf_agent_page_params {
    const struct hf_agent_configuration *configuration;
    struct hf_world world;
    const char *state_dir, *run_dir;
    json_t *(*telemetry)(void *arg);
    void *arg;
    struct hf_page_deeds {
        const struct hf_proc_ops *proc;
        const char *program;
        void (*retry)(void *arg);
        void (*audited)(void *arg, const char *subject, const char *reason, const char *message);
        void *arg;
    } acts;
};

/* Copies `params`, and borrows what they refer to. */
struct hf_agent_page *hf_agent_page_new(const struct hf_agent_page_params *params);
/* Free it after the servers that use its routes, and before the loop. */
void hf_agent_page_free(struct hf_agent_page *page);

/* Shows a new status (JSON, copied). `page` may be NULL. */
void hf_agent_page_show(struct hf_agent_page *page, struct hf_view status);

const struct hf_server_route *hf_agent_page_routes(const struct hf_agent_page *page, size_t *ret_n);
