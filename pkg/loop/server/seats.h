/* loop/server/seats.h - which connection gives way when a server is full. Pure.
 *
 * Peers (os/socket/peer.h) share the places of a server. If all places are taken, a newcomer gets a place of the peer
 * with the most connections, unless that peer would then have fewer connections than the newcomer's own peer. So a user
 * who opens every connection keeps nobody else out. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_SERVER_SEATS_MAX = 2048 };

struct hf_server_seat {
    uint64_t peer;  /* hf_peer.key */
    bool answering; /* its whole request is here, and the answer is not; such a connection gives way last */
};

/* Chooses among the seats, the oldest first, for a newcomer of `peer`. Returns the index of the connection to end, or
 * -1: the newcomer must go. With `replace` a connection always gives way: if no peer has too many, the oldest one
 * of the newcomer's peer, or the oldest of all. `n` is at most HF_SERVER_SEATS_MAX. */
int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace);
