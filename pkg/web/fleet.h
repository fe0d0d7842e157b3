/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet's page, which shares files with the node's (web/page.h). Pure. */
#pragma once

#include "loop/server/server.h"

/* Returns the i-th path, or NULL. The first is "/". */
const char *hf_fleet_page_path(size_t i);
void hf_fleet_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);
