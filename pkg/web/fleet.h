/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet's page: like web/page.h, with which it shares files. Pure. */
#pragma once

#include "loop/server/server.h"

/* NULL: no more. The first is "/". */
const char *hf_fleet_page_path(size_t i);
void hf_fleet_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);
