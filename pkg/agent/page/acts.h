/* SPDX-License-Identifier: Apache-2.0 */
/* POST /page/act, one command at a time. Needs `page: Act` in agent.yaml, the token of web/page_token.h in a header
 * that no other site's form can send, and "application/json". The journal has each act and wrong tokens. */
#pragma once

#include "agent/page/page.h"

struct hf_page_acts;

/* Borrows `params`. */
struct hf_page_acts *hf_page_acts_new(const struct hf_agent_page_params *params);
/* Kills its command, answers its request. */
void hf_page_acts_free(struct hf_page_acts *acts);

/* `start` of struct hf_server_route, for a peer that may see the page. */
void hf_page_acts_start(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
