/* SPDX-License-Identifier: Apache-2.0 */
/* A changing text for all who opened a route as a websocket (RFC 6455). Each viewer gets the newest text when its
 * connection takes it, no text twice. Viewers only answer pings: one who sends anything else is closed, and one who
 * answers none for HF_SERVER_IDLE_S. */
#pragma once

#include "base/view.h"
#include "loop/server/server.h"

struct hf_server_feed_params {
    unsigned max_viewers; /* more get 503 */
    /* False: not upgraded, the route's handler answers. `protocols`: Sec-WebSocket-Protocol, or "": the only words that
     * a page can send; the first must be "http". */
    bool (*may_join)(void *arg, const struct hf_peer *peer, const char *protocols);
    void (*changed)(void *arg, unsigned n_viewers); /* must not call the server */
    void *arg;
};

struct hf_server_feed *hf_server_feed_new(const struct hf_server_feed_params *params);
/* Viewers get nothing more. */
void hf_server_feed_free(struct hf_server_feed *feed);

/* Copies, up to 4 MiB. -ENOMEM, -E2BIG: viewers keep the one before. */
HF_MUST_USE int hf_server_feed_send(struct hf_server_feed *feed, struct hf_view text);
void hf_server_feed_end(struct hf_server_feed *feed);
