/* SPDX-License-Identifier: Apache-2.0 */
/* loop/server/seats.h - chooses the connection to close when a server is full and a new connection arrives. Pure.
 *
 * A server has a limited number of places, one for each connection, which its peers (os/socket/peer.h) share. If all
 * places are taken, the server compares the peer with the most connections to the peer of the new connection. If the
 * first peer has at least two connections more than the second peer, the server closes a connection of the first peer
 * and accepts the new connection. Otherwise it turns the new connection away. So a user who holds all places cannot
 * keep other users out. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SERVER_SEATS_MAX = 2048 };

struct hf_server_seat {
    uint64_t peer; /* hf_peer.key */
    /* true: the server has received the whole request and has not answered it yet; among the connections of one peer,
     * such a connection is closed last */
    bool answering;
};

/* Decides which connection to close for a new connection of `peer`. The array seats[n] lists the connections of the
 * server, the oldest first; `n` is at most HF_SERVER_SEATS_MAX. Returns the index of the connection, or -1 if the
 * server must turn the new connection away. If `replace` is true and n > 0, the function never returns -1. Instead of
 * -1, it returns the oldest connection of `peer` or, if `peer` has none, the oldest connection of all. */
int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace);
