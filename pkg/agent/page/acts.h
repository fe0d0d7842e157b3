/* SPDX-License-Identifier: Apache-2.0 */
/* POST /page/act: page/act.h's commands, one at a time. Needs `page: Act` in agent.yaml, the token of web/page_token.h
 * in a header that no other site's form can send, and "application/json". The journal has each act with who asked, its
 * end, and wrong tokens. */
#pragma once

#include "agent/page/page.h"

struct hf_page_acts;

/* Borrows its parameters. */
struct hf_page_acts *hf_page_acts_new(const struct hf_agent_page_params *params);
/* Kills its command, answers its request. */
void hf_page_acts_free(struct hf_page_acts *acts);

/* hf_server_route's `start`, for a peer who may see the page; arg: the acts. */
void hf_page_acts_start(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
