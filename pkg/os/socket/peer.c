/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/peer.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/endian.h"
#include "os/fd.h"

enum { CGROUP_BYTES = 4096, ANSWER_BYTES = 1024 };

/* ---- addresses --------------------------------------------------------------------------------------------------- */

#define KEY_UID (1ull << 32)
#define KEY_IPV4 (2ull << 32)

/* Rewrites an IPv4 address inside IPv6 (::ffff:1.2.3.4) as what it is. */
static void unmap(struct sockaddr_storage *address)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (address->ss_family != AF_INET6)
        return;
    memcpy(&six, address, sizeof(six));
    if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
        return;
    four.sin_port = six.sin6_port;
    memcpy(&four.sin_addr, &six.sin6_addr.s6_addr[12], sizeof(four.sin_addr));
    memset(address, 0, sizeof(*address));
    memcpy(address, &four, sizeof(four));
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static uint64_t network_of(const unsigned char bytes[static 16])
{
    return (uint64_t)hf_be32(bytes) << 32 | hf_be32(bytes + 4);
}

uint64_t hf_peer_key_of_address(const struct sockaddr_storage *given)
{
    struct sockaddr_storage address = *given;

    unmap(&address);
    if (address.ss_family == AF_INET6)
        return network_of(((const struct sockaddr_in6 *)&address)->sin6_addr.s6_addr);
    if (address.ss_family != AF_INET)
        return 0;
    /* a local user has all of 127.0.0.0/8 */
    return KEY_IPV4 |
           (is_loopback(&address) ? 127u << 24 : ntohl(((const struct sockaddr_in *)&address)->sin_addr.s_addr));
}

/* ---- the owner of a TCP socket ----------------------------------------------------------------------------------- */

void hf_peer_lookup_open(struct hf_peer_lookup *lookup)
{
    *lookup =
        (struct hf_peer_lookup){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)};
}

void hf_peer_lookup_close(struct hf_peer_lookup *lookup)
{
    hf_closep(&lookup->fd);
}

static void put_address(const struct sockaddr_storage *address, __be32 to[static 4], __be16 *port)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        memcpy(to, &four->sin_addr, sizeof(four->sin_addr));
        *port = four->sin_port;
    } else {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        memcpy(to, &six->sin6_addr, sizeof(six->sin6_addr));
        *port = six->sin6_port;
    }
}

struct diag_request {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

/* Receives the answer to the request with this sequence number. The kernel answers inside send(2), so this does not
 * wait. Drops what an earlier lookup may have left. */
static bool receive(int fd, uint32_t sequence, struct inet_diag_msg *ret_answer)
{
    union {
        struct nlmsghdr head;
        char bytes[ANSWER_BYTES];
    } answer;
    ssize_t n;

    do {
        n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
        if (n < (ssize_t)NLMSG_HDRLEN)
            return false;
    } while (answer.head.nlmsg_seq != sequence);
    if (n < (ssize_t)NLMSG_LENGTH(sizeof(*ret_answer)) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return false;
    memcpy(ret_answer, NLMSG_DATA(&answer.head), sizeof(*ret_answer));
    return true;
}

static bool ask(struct hf_peer_lookup *lookup, struct diag_request *request, struct inet_diag_msg *ret_answer)
{
    request->head.nlmsg_seq = ++lookup->sequence;
    return send(lookup->fd, request, sizeof(*request), 0) == (ssize_t)sizeof(*request) &&
           receive(lookup->fd, lookup->sequence, ret_answer);
}

/* Finds the owner of the socket whose own address is `peer` and which is connected to `own`. A socket that its process
 * has closed has no inode, and the kernel reports root as its owner; a socket that only listens on that port is not the
 * peer. */
static bool find_owner(struct hf_peer_lookup *lookup, const struct sockaddr_storage *peer,
                       const struct sockaddr_storage *own, uint32_t *ret_uid)
{
    struct diag_request request = {
        .head = {.nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = (uint8_t)peer->ss_family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0u,
                 .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
    struct inet_diag_msg answer;

    if (lookup->fd < 0 || peer->ss_family != own->ss_family)
        return false;
    put_address(peer, request.body.id.idiag_src, &request.body.id.idiag_sport);
    put_address(own, request.body.id.idiag_dst, &request.body.id.idiag_dport);
    if (!ask(lookup, &request, &answer) || answer.idiag_inode == 0 || answer.idiag_state == TCP_LISTEN ||
        answer.id.idiag_sport != request.body.id.idiag_sport || answer.id.idiag_dport != request.body.id.idiag_dport)
        return false;
    *ret_uid = answer.idiag_uid;
    return true;
}

/* ---- the process behind a Unix socket ---------------------------------------------------------------------------- */

static bool is_unit(struct hf_view name)
{
    static const char *const kinds[] = {".service", ".scope"};

    for (size_t i = 0; i < HF_LEN(kinds); i++) {
        size_t n = strlen(kinds[i]);
        if (name.n > n && memcmp(name.p + name.n - n, kinds[i], n) == 0)
            return true;
    }
    return false;
}

bool hf_peer_unit_of_cgroup(struct hf_view cgroup, char *unit, size_t n)
{
    struct hf_view line, part;

    while (hf_view_split(&cgroup, '\n', &line)) {
        if (!hf_view_starts(line, "0::") && memmem(line.p, line.n, ":name=systemd:", 14) == NULL)
            continue;
        while (hf_view_split(&line, '/', &part)) {
            if (!is_unit(part))
                continue;
            if (part.n >= n)
                return false;
            memcpy(unit, part.p, part.n);
            unit[part.n] = '\0';
            return true;
        }
    }
    return false;
}

static void find_unit(pid_t pid, char unit[HF_PEER_UNIT])
{
    char path[64], text[CGROUP_BYTES];

    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    _cleanup_(hf_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (n > 0 && !hf_peer_unit_of_cgroup((struct hf_view){text, (size_t)n}, unit, HF_PEER_UNIT))
        unit[0] = '\0';
}

static void ask_unix(int fd, struct hf_peer *peer)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || n != sizeof(who) || who.uid == (uid_t)-1)
        return;
    peer->has_uid = true;
    peer->uid = who.uid;
    peer->key = KEY_UID | peer->uid;
    if (who.pid > 0) /* 0: the process is in another PID namespace */
        find_unit(who.pid, peer->unit);
}

/* ---- the ends of a connection ------------------------------------------------------------------------------------ */

static bool is_any(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ((const struct sockaddr_in *)address)->sin_addr.s_addr == htonl(INADDR_ANY);
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void find_own(int fd, struct sockaddr_storage *ret_own)
{
    socklen_t n = sizeof(*ret_own);

    memset(ret_own, 0, sizeof(*ret_own));
    if (getsockname(fd, (struct sockaddr *)ret_own, &n) < 0)
        ret_own->ss_family = AF_UNSPEC;
}

void hf_peer_ends_of_listener(int listen_fd, struct hf_peer_ends *ret_ends)
{
    memset(ret_ends, 0, sizeof(*ret_ends));
    find_own(listen_fd, &ret_ends->own);
    if (is_any(&ret_ends->own))
        ret_ends->own.ss_family = AF_UNSPEC;
}

void hf_peer_of(struct hf_peer_lookup *lookup, int fd, const struct hf_peer_ends *ends, struct hf_peer *ret_peer)
{
    struct sockaddr_storage own = ends->own, peer = ends->peer;

    *ret_peer = (struct hf_peer){.key = 0};
    if (own.ss_family == AF_UNSPEC)
        find_own(fd, &own);
    if (own.ss_family == AF_UNIX) {
        ret_peer->over_unix = true;
        ask_unix(fd, ret_peer);
        return;
    }
    unmap(&own);
    unmap(&peer);
    ret_peer->over_loopback = is_loopback(&own);
    ret_peer->from_loopback = ret_peer->over_loopback && is_loopback(&peer);
    ret_peer->has_uid = ret_peer->over_loopback && find_owner(lookup, &peer, &own, &ret_peer->uid);
    ret_peer->key = ret_peer->has_uid ? KEY_UID | ret_peer->uid : hf_peer_key_of_address(&peer);
}
