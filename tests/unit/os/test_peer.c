/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/macros.h"
#include "support/check_main.h"

static const struct {
    const char *cgroup, *unit; /* NULL: none */
} units[] = {
    {"0::/system.slice/sensor.service\n", "sensor.service"},
    {"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"},
    /* users choose the names below their own service */
    {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/sshd.service\n", "user@1000.service"},
    {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
    {"0::/system.slice/x.service/sshd.service\n", "x.service"},
    {"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-abc.scope\n", "cri-containerd-abc.scope"},
    {"12:pids:/a.service\n1:name=systemd:/system.slice/b.service\n", "b.service"},
    {"0::/\n", NULL},
    {"0::/init.scope\n", "init.scope"},
    {"0::/.service\n", NULL},
    {"0::/system.slice/a.socket\n", NULL},
    {"0::/kubepods/pod1/abc\n", NULL},
    {"0::/system.slice/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.service\n", NULL},
    {"", NULL},
};

START_TEST(unit)
{
    char got[HF_PEER_UNIT];
    bool found = hf_peer_unit_of_cgroup(hf_view_of(units[_i].cgroup), got, sizeof(got));

    ck_assert_msg(found == (units[_i].unit != NULL) && (!found || strcmp(got, units[_i].unit) == 0), "%s",
                  units[_i].cgroup);
}
END_TEST

static uint64_t key_of(const char *text)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};

    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr) != 1) {
        address.ss_family = AF_INET6;
        ck_assert_int_eq(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr), 1);
    }
    return hf_peer_key_of_address(&address);
}

START_TEST(key)
{
    ck_assert_uint_eq(key_of("127.0.0.1"), key_of("127.254.3.9"));
    ck_assert_uint_eq(key_of("127.0.0.1"), key_of("::ffff:127.0.0.5"));
    ck_assert_uint_eq(key_of("192.0.2.7"), key_of("::ffff:192.0.2.7"));
    ck_assert_uint_ne(key_of("192.0.2.7"), key_of("192.0.2.8"));
    ck_assert_uint_eq(key_of("2001:db8:1:2::1"), key_of("2001:db8:1:2:ffff::2"));
    ck_assert_uint_ne(key_of("2001:db8:1:2::1"), key_of("2001:db8:1:3::1"));
}
END_TEST

START_TEST(over_unix)
{
    const struct hf_peer_ends unknown = {.own = {.ss_family = AF_UNSPEC}};
    struct hf_peer_lookup none = {.fd = -1};
    struct hf_peer peer;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    hf_peer_of(&none, pair[0], &unknown, &peer);
    ck_assert(peer.has_uid && peer.uid == geteuid() && peer.over_unix && !peer.over_loopback);
    (void)close(pair[0]);
    (void)close(pair[1]);
}
END_TEST

/* Returns the accepted end of a connection over loopback; *ret_fd is the client's. If `any`, the server listens on all
 * addresses. */
static int connect_over(int family, bool any, int *ret_fd, struct hf_peer_ends *ret_ends)
{
    struct sockaddr_storage at = {.ss_family = (sa_family_t)family};
    socklen_t n = sizeof(at);
    int listener = socket(family, SOCK_STREAM, 0);

    if (family == AF_INET && !any)
        ((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6 && !any)
        ((struct sockaddr_in6 *)&at)->sin6_addr = in6addr_loopback;
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    hf_peer_ends_of_listener(listener, ret_ends);
    ck_assert_int_eq(ret_ends->own.ss_family, any ? AF_UNSPEC : family);
    if (family == AF_INET)
        ((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&at)->sin6_addr = in6addr_loopback;
    *ret_fd = socket(family, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(*ret_fd, (struct sockaddr *)&at, n), 0);
    n = sizeof(ret_ends->peer);
    int fd = accept(listener, (struct sockaddr *)&ret_ends->peer, &n);
    ck_assert_int_ge(fd, 0);
    (void)close(listener);
    return fd;
}

START_TEST(over_tcp)
{
    struct hf_peer_lookup lookup;
    struct hf_peer_ends ends;
    struct hf_peer peer;
    int client, fd = connect_over(_i % 2 == 0 ? AF_INET : AF_INET6, _i >= 2, &client, &ends);

    hf_peer_lookup_open(&lookup);
    hf_peer_of(&lookup, fd, &ends, &peer);
    ck_assert(peer.over_loopback && peer.from_loopback && !peer.over_unix);
    ck_assert_msg(lookup.fd < 0 || (peer.has_uid && peer.uid == geteuid()), "sock_diag does not know the peer");
    /* A closed socket has no owner; the kernel then answers root, and nobody may become root by hanging up. */
    ck_assert_int_eq(write(client, "x", 1), 1);
    (void)close(client);
    hf_peer_of(&lookup, fd, &ends, &peer);
    ck_assert(!peer.has_uid && peer.unit[0] == '\0');
    ck_assert_uint_eq(peer.key, key_of(_i % 2 == 0 ? "127.0.0.1" : "::1"));
    (void)close(fd);
    hf_peer_lookup_close(&lookup);
}
END_TEST

/* With route_localnet, or a rule that rewrites addresses, others reach 127.0.0.1. */
START_TEST(others_at_our_loopback)
{
    struct hf_peer_lookup none = {.fd = -1};
    struct hf_peer_ends ends;
    struct hf_peer peer;
    int client, fd = connect_over(AF_INET, false, &client, &ends);

    ((struct sockaddr_in *)&ends.peer)->sin_addr.s_addr = htonl(0xc0000207); /* 192.0.2.7 */
    hf_peer_of(&none, fd, &ends, &peer);
    ck_assert(peer.over_loopback && !peer.from_loopback && !peer.has_uid);
    ck_assert_uint_eq(peer.key, key_of("192.0.2.7"));
    (void)close(client);
    (void)close(fd);
}
END_TEST

/* Asks for the owner of a connection over IPv4 through the socket of `lookup`, and leaves the answer there. */
static void ask_earlier(const struct hf_peer_lookup *lookup, const struct hf_peer_ends *ends)
{
    const struct sockaddr_in *own = (const struct sockaddr_in *)&ends->own;
    const struct sockaddr_in *peer = (const struct sockaddr_in *)&ends->peer;
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } request = {.head = {.nlmsg_len = sizeof(request),
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST,
                          .nlmsg_seq = lookup->sequence},
                 .body = {.sdiag_family = AF_INET,
                          .sdiag_protocol = IPPROTO_TCP,
                          .idiag_states = ~0u,
                          .id = {.idiag_sport = peer->sin_port,
                                 .idiag_dport = own->sin_port,
                                 .idiag_src = {peer->sin_addr.s_addr},
                                 .idiag_dst = {own->sin_addr.s_addr},
                                 .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};

    ck_assert_int_eq(send(lookup->fd, &request, sizeof(request), 0), sizeof(request));
}

/* An answer that nobody received, to a question about the same two addresses, is about an earlier connection. */
START_TEST(old_answer)
{
    struct hf_peer_lookup lookup;
    struct hf_peer_ends ends;
    struct hf_peer peer;
    int client, fd = connect_over(AF_INET, false, &client, &ends);

    hf_peer_lookup_open(&lookup);
    if (lookup.fd < 0)
        return;
    hf_peer_of(&lookup, fd, &ends, &peer);
    ck_assert(peer.has_uid);
    ask_earlier(&lookup, &ends);
    (void)close(client);
    hf_peer_of(&lookup, fd, &ends, &peer);
    ck_assert_msg(!peer.has_uid, "the owner of the earlier connection");
    (void)close(fd);
    hf_peer_lookup_close(&lookup);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, unit, 0, (int)HF_LEN(units));
    tcase_add_test(tc, key);
    tcase_add_test(tc, over_unix);
    tcase_add_loop_test(tc, over_tcp, 0, 4);
    tcase_add_test(tc, others_at_our_loopback);
    tcase_add_test(tc, old_answer);
}

HF_TEST_MAIN("os/peer", cases)
