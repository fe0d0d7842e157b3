/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the page that a browser runs, web/page/, which the Makefile compresses into the program. Pure. */
#pragma once

#include "loop/server/server.h"

/* The path of the i-th file below "/", or NULL: there are not so many. The first is "/", the page itself. */
const char *hf_page_path(size_t i);

/* Answers with the file of request->path, which is one of hf_page_path(), compressed, and with the policy under which a
 * browser runs it: only what this server sends, no inline script, no text as markup, in no frame. */
void hf_page_answer(const struct hf_server_request *request, struct hf_server_reply *reply);

/* The same headers for what the page fetches. */
void hf_page_protect(struct hf_server_reply *reply);
