/* SPDX-License-Identifier: Apache-2.0 */
/* Sends a changing text to viewers, who opened a route as a websocket (RFC 6455). Each gets the newest text when its
 * connection can take it. Viewers only answer pings: one that sends data, floods (over TCP) or answers none for
 * HF_SERVER_IDLE_S, is closed. */
#pragma once

#include "base/view.h"
#include "loop/server/server.h"

struct hf_server_feed_params {
    unsigned max_viewers; /* further ones get 503 */
    /* False: no upgrade, the route's handler answers. `protocols`: the header Sec-WebSocket-Protocol, the only words
     * that a page can send (the first must be "http"), or "". */
    bool (*may_join)(void *arg, const struct hf_peer *peer, const char *protocols);
    void (*changed)(void *arg, unsigned n_viewers); /* a viewer joined or left; must not call the server */
    void *arg;
};

struct hf_server_feed *hf_server_feed_new(const struct hf_server_feed_params *params);
void hf_server_feed_free(struct hf_server_feed *feed);

/* Copies the text, up to 4 MiB. -ENOMEM, -E2BIG: viewers keep the text before. */
HF_MUST_USE int hf_server_feed_send(struct hf_server_feed *feed, struct hf_view text);
void hf_server_feed_end(struct hf_server_feed *feed);
