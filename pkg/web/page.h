/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files, web/page/, compressed in the program. Pure. */
#pragma once

#include "loop/server/server.h"

/* The i-th path, or NULL. The first is "/", the page. */
const char *hf_page_path(size_t i);

/* Answers request->path, compressed, with a policy for browsers: only what this server sends, no inline script, no text
 * as markup, in no frame. */
void hf_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);

/* The same headers, for what the page fetches. */
void hf_page_protect(struct hf_server_reply *reply);
