/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of a connection, as the kernel knows it; of other machines only the address. Threads: any, one at a
 * time per lookup. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/view.h"

enum { HF_PEER_UNIT = 64 };

struct hf_peer {
    /* Peers of one key share a limit: one user or, if unknown, one IPv4 address, IPv6 /64, or 127.0.0.0/8. */
    uint64_t key;
    uint32_t uid; /* who made the peer's socket; if has_uid */
    bool has_uid;
    bool over_unix;
    bool over_loopback;
    bool from_loopback;      /* both ends are loopback; false for peers elsewhere, routed or translated to 127.0.0.1 */
    char unit[HF_PEER_UNIT]; /* the peer's systemd unit or scope, over a Unix socket; or "" */
};

struct hf_peer_lookup {
    int fd; /* -1: user ids of TCP peers stay unknown */
    uint32_t sequence;
};

void hf_peer_lookup_open(struct hf_peer_lookup *lookup);
void hf_peer_lookup_close(struct hf_peer_lookup *lookup);

struct hf_peer_ends {
    struct sockaddr_storage own; /* AF_UNSPEC: hf_peer_of() asks the kernel */
    struct sockaddr_storage peer;
};

/* Finds `own` for all connections; AF_UNSPEC if it listens on all addresses. */
void hf_peer_ends_of_listener(int listen_fd, struct hf_peer_ends *ret_ends);

/* `fd`: a connected stream socket. Some facts may stay unknown. */
void hf_peer_of(struct hf_peer_lookup *lookup, int fd, const struct hf_peer_ends *ends, struct hf_peer *ret_peer);

uint64_t hf_peer_key_of_address(const struct sockaddr_storage *address);

/* Finds the outermost unit in a text of /proc/PID/cgroup, because users choose the names of those inside
 * user@UID.service. Returns false if there is none, or it does not fit. Pure. */
bool hf_peer_unit_of_cgroup(struct hf_view cgroup, char *unit, size_t n);
