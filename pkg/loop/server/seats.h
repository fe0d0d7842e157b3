/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the connection to close for a new one when a server is full. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SERVER_SEATS_MAX = 2048 };

struct hf_server_seat {
    uint64_t peer;  /* hf_peer.key */
    bool answering; /* the request is complete, and not answered; closed last of its peer */
};

/* Index to close, or -1: turn away. seats[n]: the oldest first, at most HF_SERVER_SEATS_MAX. `replace`: never -1 (if n
 * > 0), but the oldest of `peer`, or of all. */
int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace);
