/* SPDX-License-Identifier: Apache-2.0 */
/* agent/page/acts.h - POST /page/act: runs what agent/page/act.h makes of its body, one at a time.
 *
 * It needs `page: Act` in agent.yaml, the token of web/page_token.h in a header that no form of another site can send,
 * and "application/json". The journal has each act with who asked, before it begins, its end, and wrong tokens. Loop
 * thread only. */
#pragma once

#include "agent/page/page.h"

struct hf_page_acts;

/* Borrows the parameters. NULL: out of memory. */
struct hf_page_acts *hf_page_acts_new(const struct hf_agent_page_params *params);
/* Kills the command that runs; its request is answered. Accepts NULL. */
void hf_page_acts_free(struct hf_page_acts *acts);

/* For a peer who may look at the page. `start` of struct hf_server_route; arg: the acts. */
void hf_page_acts_start(void *arg, const struct hf_server_request *request, struct hf_server_exchange *exchange);
