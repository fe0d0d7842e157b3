/* SPDX-License-Identifier: Apache-2.0 */
/* Answers requests of viewers for an object or an act, with one hf_server_answer() each. */
#pragma once

#include "cli/ui/follow.h"
#include "loop/server/server.h"

enum { HF_UI_MAX_REQUESTS = 32, HF_UI_MAX_ACTS = 4 };

struct hf_ui_requests;

/* Borrows all. */
struct hf_ui_requests *hf_ui_requests_new(const struct hf_ui_follow *follow, const struct hf_cli_args *args,
                                          const char *program);
/* Call it before the cluster closes. Kills commands, answers all requests. */
void hf_ui_requests_free(struct hf_ui_requests *requests);

void hf_ui_request_node(struct hf_ui_requests *requests, struct hf_view name, struct hf_server_exchange *exchange);
/* Answers with {"yaml": TEXT} of the object `what`, "PLURAL/ROW". */
void hf_ui_request_yaml(struct hf_ui_requests *requests, struct hf_view what, struct hf_server_exchange *exchange);
/* Answers {} if the user may; {"exitCode", "output"} after a confirmed act; 403 and {"error"} if the user may not. */
void hf_ui_request_act(struct hf_ui_requests *requests, struct hf_view body, struct hf_server_exchange *exchange);
