/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the fleet's page, and who may ask it. Loop thread only.
 *
 * /fleet needs the token in the fragment of the page's address: in X-Holdfast-Token, or as second word of
 * Sec-WebSocket-Protocol. Other users except root are refused even with it: command lines are public. Listens on
 * 127.0.0.1, behind loop/server/guard.h. */
#pragma once

#include "cli/ui/board.h"
#include "cli/ui/requests.h"
#include "loop/loop.h"
#include "loop/server/server.h"

struct hf_ui_door;

struct hf_ui_door_params {
    struct hf_loop *loop;
    const struct hf_ui_board *board;
    uint32_t uid; /* this process's */
    struct hf_ui_requests *requests;
};

/* -EIO: no random bytes; hf_server_new()'s. */
HF_MUST_USE int hf_ui_door_open(const struct hf_ui_door_params *params, struct hf_ui_door **ret_door,
                                struct hf_err *err);
/* Before the loop's end. Accepts NULL. */
void hf_ui_door_close(struct hf_ui_door *door);

/* "http://127.0.0.1:PORT/#TOKEN" */
const char *hf_ui_door_url(const struct hf_ui_door *door);

/* Sends JSON to all viewers, also later ones. */
HF_MUST_USE int hf_ui_door_tell(struct hf_ui_door *door, struct hf_view text);
