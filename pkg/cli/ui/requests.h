/* SPDX-License-Identifier: Apache-2.0 */
/* What a viewer wants of an API server: an object, or an act. Each ends with one hf_server_answer(). Acts are commands
 * of this program (act.h), under this user and environment, HF_UI_MAX_ACTS at a time. */
#pragma once

#include "cli/ui/follow.h"
#include "loop/server/server.h"

enum { HF_UI_MAX_REQUESTS = 32, HF_UI_MAX_ACTS = 4 };

struct hf_ui_requests;

/* Borrows; program: this one's path. */
struct hf_ui_requests *hf_ui_requests_new(const struct hf_ui_follow *follow, const struct hf_cli_args *args,
                                          const char *program);
/* Before the cluster closes: kills commands, answers all requests. */
void hf_ui_requests_free(struct hf_ui_requests *requests);

/* The EdgeNode of this row as JSON. */
void hf_ui_request_node(struct hf_ui_requests *requests, struct hf_view name, struct hf_server_exchange *exchange);
/* "PLURAL/ROW" as {"yaml": TEXT}. */
void hf_ui_request_yaml(struct hf_ui_requests *requests, struct hf_view what, struct hf_server_exchange *exchange);
/* {}: the user may; {"exitCode", "output"}: after a confirmed act; 403 {"error"}: the user may not. */
void hf_ui_request_act(struct hf_ui_requests *requests, struct hf_view body, struct hf_server_exchange *exchange);
