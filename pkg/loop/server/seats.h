/* SPDX-License-Identifier: Apache-2.0 */
/* The connection that a full server closes for a new one. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SERVER_SEATS_MAX = 2048 };

struct hf_server_seat {
    uint64_t peer;  /* hf_peer.key */
    bool answering; /* a complete request without answer; closed last of its peer */
};

/* The index of the one to close, or -1: turn the new one away. seats[n]: oldest first, HF_SERVER_SEATS_MAX at most.
 * `replace`: in place of -1 (if n > 0) the oldest of `peer`, or of all. */
int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace);
