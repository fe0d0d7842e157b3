/* SPDX-License-Identifier: Apache-2.0 */
/* A text that changes, for everybody who has opened a route as a websocket (RFC 6455). Viewers get the newest text when
 * their connection takes it, and none twice; a slow one misses those between. They send nothing but answers to pings:
 * whoever does is closed, and so is who has not answered one for HF_SERVER_IDLE_S, because he does not read. */
#pragma once

#include "base/view.h"
#include "loop/server/server.h"

struct hf_server_feed_params {
    unsigned max_viewers; /* one more gets 503 */
    /* False: the request is not upgraded, and the route's handler answers it. `protocols`: Sec-WebSocket-Protocol, ""
     * without it: the only words of a page that browsers send along; the first one has to be "http", which the server
     * picks. */
    bool (*may_join)(void *arg, const struct hf_peer *peer, const char *protocols);
    void (*changed)(void *arg, unsigned n_viewers); /* not to call into the server */
    void *arg;
};

struct hf_server_feed *hf_server_feed_new(const struct hf_server_feed_params *params);
/* Viewers that are there get nothing more. */
void hf_server_feed_free(struct hf_server_feed *feed);

/* Copies the text, up to 4 MiB. -ENOMEM, -E2BIG: viewers keep the one before. */
HF_MUST_USE int hf_server_feed_send(struct hf_server_feed *feed, struct hf_view text);
/* Closes all viewers. */
void hf_server_feed_end(struct hf_server_feed *feed);
