/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/page.h"
#include "agent/features.h"
#include "agent/process/listeners.h"

HF_FEATURE_LEFT_OUT(page);

struct hf_agent_page {
    char none;
};

struct hf_agent_page *hf_agent_page_new(HF_UNUSED const struct hf_agent_page_params *params)
{
    static struct hf_agent_page page;

    return &page;
}

void hf_agent_page_free(HF_UNUSED struct hf_agent_page *page)
{
}

void hf_agent_page_show(HF_UNUSED struct hf_agent_page *page, HF_UNUSED struct hf_view status)
{
}

const struct hf_server_route *hf_agent_page_routes(HF_UNUSED const struct hf_agent_page *page, size_t *ret_n)
{
    *ret_n = 0;
    return NULL;
}

int hf_listeners_new(HF_UNUSED const struct hf_listeners_params *params, struct hf_listeners **ret_listeners,
                     HF_UNUSED struct hf_err *err)
{
    *ret_listeners = NULL;
    return 0;
}

void hf_listeners_free(HF_UNUSED struct hf_listeners *listeners)
{
}
