/* SPDX-License-Identifier: Apache-2.0 */
/* The local server of the page of the fleet, and who may ask it. Loop thread only.
 *
 * All below /fleet need the token, which is in the fragment of the page's address: in the header X-Holdfast-Token, or
 * as the second word of Sec-WebSocket-Protocol. Whoever runs under another user, but root, is refused even with it,
 * because command lines are public. Listens on 127.0.0.1 and passes guard.h. */
#pragma once

#include "cli/ui/board.h"
#include "cli/ui/requests.h"
#include "loop/loop.h"
#include "loop/server/server.h"

struct hf_ui_door;

struct hf_ui_door_params {
    struct hf_loop *loop;
    const struct hf_ui_board *board;
    uint32_t uid; /* of this process */
    struct hf_ui_requests *requests;
};

/* -EIO: no random bytes, and those of hf_server_new(). */
HF_MUST_USE int hf_ui_door_open(const struct hf_ui_door_params *params, struct hf_ui_door **ret_door,
                                struct hf_err *err);
/* Before the loop is freed. Accepts NULL. */
void hf_ui_door_close(struct hf_ui_door *door);

/* "http://127.0.0.1:PORT/#TOKEN" */
const char *hf_ui_door_url(const struct hf_ui_door *door);

/* To all viewers, JSON; also the first text of later ones. */
HF_MUST_USE int hf_ui_door_tell(struct hf_ui_door *door, struct hf_view text);
