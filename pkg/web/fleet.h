/* SPDX-License-Identifier: Apache-2.0 */
/* web/page.h for the fleet's page, which shares files. Pure. */
#pragma once

#include "loop/server/server.h"

/* Or NULL. The first is "/". */
const char *hf_fleet_page_path(size_t i);
void hf_fleet_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);
