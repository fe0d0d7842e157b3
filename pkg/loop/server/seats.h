/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the connection that a full server closes for a new one. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SERVER_SEATS_MAX = 2048 };

struct hf_server_seat {
    uint64_t peer;  /* hf_peer.key */
    bool answering; /* has a complete request without answer; closed last among its peer's */
};

/* Returns the index of the connection to close, or -1: turn the new one away. seats[n]: oldest first. `replace`:
 * instead of -1, chooses one of `peer`, or else of the peer with most, if n > 0. */
int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace);
