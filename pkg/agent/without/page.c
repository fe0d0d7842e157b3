/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/page/page.h"
#include "agent/process/listeners.h"
#include "agent/without/without.h"

HF_FEATURE_LEFT_OUT(page);

HF_FEATURE_EMPTY(hf_agent_page, struct hf_agent_page *hf_agent_page_new(const struct hf_agent_page_params *params));
HF_FEATURE_NOTHING(hf_agent_page_free(struct hf_agent_page *page));
HF_FEATURE_NOTHING(hf_agent_page_show(struct hf_agent_page *page, struct hf_view status));

const struct hf_server_route *hf_agent_page_routes(const struct hf_agent_page *page, size_t *ret_n)
{
    *ret_n = 0;
    return NULL;
}

int hf_listeners_new(const struct hf_listeners_params *params, struct hf_listeners **ret_listeners, struct hf_err *err)
{
    *ret_listeners = NULL;
    return 0;
}

HF_FEATURE_NOTHING(hf_listeners_free(struct hf_listeners *listeners));
