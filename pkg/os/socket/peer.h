/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's other end, by the kernel: SO_PEERCRED for Unix sockets, sock_diag(7) for TCP over loopback; of other
 * machines the address. Threads: any, one for a lookup. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/view.h"

enum { HF_PEER_UNIT = 64 };

struct hf_peer {
    /* Peers of one key share a limit: user, else IPv4 address, IPv6 /64 or 127.0.0.0/8. */
    uint64_t key;
    uint32_t uid; /* of who made its socket; if has_uid */
    bool has_uid;
    bool over_unix;
    bool over_loopback;
    bool from_loopback;      /* and from there: not what others route or translate to 127.0.0.1 */
    char unit[HF_PEER_UNIT]; /* systemd unit or scope (Unix); or "" */
};

struct hf_peer_lookup {
    int fd;            /* -1: no TCP user ids */
    uint32_t sequence; /* last query's; earlier answers are ignored */
};

void hf_peer_lookup_open(struct hf_peer_lookup *lookup);
void hf_peer_lookup_close(struct hf_peer_lookup *lookup);

struct hf_peer_ends {
    struct sockaddr_storage own;  /* AF_UNSPEC: asks the kernel */
    struct sockaddr_storage peer; /* accept4(2)'s */
};

/* Finds `own` for all connections; AF_UNSPEC: the listener has all addresses. */
void hf_peer_ends_of_listener(int listen_fd, struct hf_peer_ends *ret_ends);

/* `fd`: a connected stream socket. Facts may stay unknown. */
void hf_peer_of(struct hf_peer_lookup *lookup, int fd, const struct hf_peer_ends *ends, struct hf_peer *ret_peer);

uint64_t hf_peer_key_of_address(const struct sockaddr_storage *address);

/* The outermost unit in /proc/PID/cgroup: users name those in their user@UID.service. False: none, too long. Pure. */
bool hf_peer_unit_of_cgroup(struct hf_view cgroup, char *unit, size_t n);
