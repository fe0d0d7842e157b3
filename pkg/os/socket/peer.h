/* SPDX-License-Identifier: Apache-2.0 */
/* os/socket/peer.h - finds out who is at the other end of a connection.
 *
 * The answer comes from the kernel and not from the peer. For a Unix socket it comes from SO_PEERCRED. For a TCP
 * connection over loopback it comes from sock_diag(7), which reports the owner of the peer's socket. For a peer on
 * another machine, the answer has only the address.
 *
 * Threads: any; a lookup belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/view.h"

enum { HF_PEER_UNIT = 64 };

struct hf_peer {
    /* Peers with the same key share one limit of connections. If the user id is known, the key stands for the user.
     * Otherwise the key stands for the peer's IPv4 address, for its IPv6 /64 network, or for all of 127.0.0.0/8. 0 if
     * nothing is known. */
    uint64_t key;
    uint32_t uid; /* user id of the process that made the peer's socket; valid if has_uid is true */
    bool has_uid;
    bool over_unix;          /* true if the connection is a Unix socket */
    bool over_loopback;      /* true if the peer connected to a loopback address of ours */
    char unit[HF_PEER_UNIT]; /* systemd unit or scope of the peer's process (Unix sockets only); "" if unknown */
};

/* A socket through which hf_peer_of() queries sock_diag(7). */
struct hf_peer_lookup {
    int fd;            /* -1 if the kernel does not offer sock_diag; then the user ids of TCP peers stay unknown */
    uint32_t sequence; /* number of the last query; an answer to an earlier query does not count */
};

/* Opens *lookup. The caller closes it with hf_peer_lookup_close(). */
void hf_peer_lookup_open(struct hf_peer_lookup *lookup);
void hf_peer_lookup_close(struct hf_peer_lookup *lookup);

/* The addresses of the two ends of a connection. */
struct hf_peer_ends {
    struct sockaddr_storage own;  /* if ss_family is AF_UNSPEC, hf_peer_of() queries the kernel for the address */
    struct sockaddr_storage peer; /* the address that accept4(2) filled in */
};

/* Fills ret_ends->own for the connections that `listen_fd` accepts, so that the server queries the kernel once for all
 * of them. Leaves the family AF_UNSPEC if the socket listens on all addresses. Sets ret_ends->peer to zero. */
void hf_peer_ends_of_listener(int listen_fd, struct hf_peer_ends *ret_ends);

/* Finds out who is at the other end of `fd`, a connected stream socket with the two ends `ends`. The function cannot
 * fail; a fact that the kernel does not report stays unknown. */
void hf_peer_of(struct hf_peer_lookup *lookup, int fd, const struct hf_peer_ends *ends, struct hf_peer *ret_peer);

/* Computes the key of a peer of which only the address is known. Pure. */
uint64_t hf_peer_key_of_address(const struct sockaddr_storage *address);

/* Finds the outermost systemd unit in the text of /proc/PID/cgroup. Users choose the names of the units inside their
 * own user@UID.service, so the name of an inner unit proves nothing. Accepts units that end in ".service" or ".scope".
 * Returns false if the text has no such unit, or if the unit's name does not fit into unit[n]. Pure. */
bool hf_peer_unit_of_cgroup(struct hf_view cgroup, char *unit, size_t n);
