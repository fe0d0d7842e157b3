/* SPDX-License-Identifier: Apache-2.0 */
/* Serves POST /page/act, one command at a time. A request needs `page: Act` in agent.yaml, "application/json", and the
 * token of web/page_token.h in a header that no other site's form can send. */
#pragma once

#include "agent/page/page.h"

struct hf_page_acts;

/* Borrows `params`. */
struct hf_page_acts *hf_page_acts_new(const struct hf_agent_page_params *params);
/* Kills a running command, and answers its request. */
void hf_page_acts_free(struct hf_page_acts *acts);

/* The `start` of struct hf_server_route, for a peer that may see the page. */
void hf_page_acts_start(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
