/* SPDX-License-Identifier: Apache-2.0 */
/* If the peer (os/socket/peer.h) with the most connections has at least two more than the new one's, one of its is
 * closed; else the new one is turned away. So no user keeps others out. */
#include "loop/server/seats.h"

#include <string.h>

enum { SLOTS = 2 * HF_SERVER_SEATS_MAX };

/* Numbers of connections by peer: a hash table with linear probing. */
struct seat_counts {
    uint64_t peers[SLOTS];
    uint16_t counts[SLOTS]; /* 0: the slot is free */
};

static size_t slot_of(const struct seat_counts *table, uint64_t peer)
{
    size_t at = (size_t)((peer * 0x9e3779b97f4a7c15u) >> 32) % SLOTS;

    while (table->counts[at] > 0 && table->peers[at] != peer)
        at = (at + 1) % SLOTS;
    return at;
}

/* Returns the index of the oldest connection of this peer that is not being answered, else of its oldest one. */
static int oldest_of(const struct hf_server_seat *seats, size_t n, uint64_t peer)
{
    int oldest = -1;

    for (size_t i = 0; i < n; i++) {
        if (seats[i].peer != peer)
            continue;
        if (!seats[i].answering)
            return (int)i;
        if (oldest < 0)
            oldest = (int)i;
    }
    return oldest;
}

int hf_server_seats_choose(const struct hf_server_seat *seats, size_t n, uint64_t peer, bool replace)
{
    struct seat_counts table;
    unsigned most = 0;
    uint64_t heaviest = 0;

    if (n == 0)
        return -1;
    memset(table.counts, 0, sizeof(table.counts));
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(&table, seats[i].peer);
        table.peers[at] = seats[i].peer;
        table.counts[at]++;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned count = table.counts[slot_of(&table, seats[i].peer)];
        if (count > most) {
            most = count;
            heaviest = seats[i].peer;
        }
    }
    unsigned own = table.counts[slot_of(&table, peer)];
    if (most > own + 1)
        return oldest_of(seats, n, heaviest);
    if (!replace)
        return -1;
    return oldest_of(seats, n, own > 0 ? peer : heaviest);
}
