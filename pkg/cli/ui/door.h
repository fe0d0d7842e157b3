/* SPDX-License-Identifier: Apache-2.0 */
/* The server of the fleet's page. Loop thread only.
 *
 * It answers /fleet only with the token from the fragment of the page's address: in X-Holdfast-Token, or as second word
 * of Sec-WebSocket-Protocol. Even with the token, it refuses users except us and root, if it can tell: command lines
 * are public. */
#pragma once

#include "cli/ui/board.h"
#include "cli/ui/requests.h"
#include "loop/loop.h"
#include "loop/server/server.h"

struct hf_ui_door;

struct hf_ui_door_params {
    struct hf_loop *loop;
    const struct hf_ui_board *board;
    uint32_t uid;
    struct hf_ui_requests *requests;
};

/* -EIO: no random bytes. Or errors of hf_server_new(). */
HF_MUST_USE int hf_ui_door_open(const struct hf_ui_door_params *params, struct hf_ui_door **ret_door,
                                struct hf_err *err);
/* Call it before the loop ends. */
void hf_ui_door_close(struct hf_ui_door *door);

/* Returns "http://127.0.0.1:PORT/#TOKEN". */
const char *hf_ui_door_url(const struct hf_ui_door *door);

/* Sends JSON to all viewers, also to later ones. */
HF_MUST_USE int hf_ui_door_tell(struct hf_ui_door *door, struct hf_view text);
