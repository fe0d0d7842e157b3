/* SPDX-License-Identifier: Apache-2.0 */
/* The node's page: the files of web/page/, compressed in the program. Pure. */
#pragma once

#include "loop/server/server.h"

/* Returns the i-th path, or NULL. The first is "/". */
const char *hf_page_path(size_t i);

/* Answers request->path, compressed, with headers against injected scripts and frames; or with 404. */
void hf_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);

/* Sets the same headers in answers that the page fetches. */
void hf_page_protect(struct hf_server_reply *reply);
