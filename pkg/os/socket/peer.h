/* os/socket/peer.h - who is at the other end of a connection of this machine.
 *
 * The kernel answers, not the peer: for a Unix socket by SO_PEERCRED, for a TCP connection over loopback by
 * sock_diag(7), which knows the owner of the peer's socket. A connection from another machine has an address only.
 *
 * Threads: any; a lookup descriptor belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/view.h"

enum { HF_PEER_UNIT = 64 };

struct hf_peer {
    /* Equal for connections that share a limit: those of one user id, or, without a user id, of one IPv4 address, of
     * one IPv6 network of 64 bits, or of all of 127.0.0.0/8. */
    uint64_t key;
    uint32_t uid; /* of the process that made the peer's socket; valid if has_uid is set */
    bool has_uid;
    bool over_unix;          /* the connection is a Unix socket */
    bool over_loopback;      /* the connection reached us at a loopback address */
    char unit[HF_PEER_UNIT]; /* systemd unit or scope of the peer's process (Unix sockets only); "": unknown */
};

/* Opens the descriptor by which hf_peer_of() asks sock_diag(7); -1 if the kernel has none. The caller closes it. */
int hf_peer_lookup_open(void);

/* Finds out who is at the other end of `fd`, a connected stream socket. `lookup` is -1, or comes from
 * hf_peer_lookup_open(). Does not fail: what the kernel does not report stays unknown. */
void hf_peer_of(int lookup, int fd, struct hf_peer *ret_peer);

/* Computes the key of a peer that is known by its address only. Pure. */
uint64_t hf_peer_key_of_address(const struct sockaddr_storage *address);

/* Finds the outermost unit in the text of /proc/PID/cgroup: users name the units inside their own user@UID.service, so
 * an inner name proves nothing. Accepts units that end in ".service" or ".scope". False if there is none, or if its
 * name does not fit into unit[n]. Pure. */
bool hf_peer_unit_of_cgroup(struct hf_view cgroup, char *unit, size_t n);
