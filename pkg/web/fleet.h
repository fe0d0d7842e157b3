/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the page of the fleet, as web/page.h has those of a node, which it shares. Pure. */
#pragma once

#include "loop/server/server.h"

/* The path of the i-th file, or NULL. The first is "/". */
const char *hf_fleet_page_path(size_t i);
void hf_fleet_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);
