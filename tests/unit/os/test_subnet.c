/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are in a subnet of this machine, and that no other socket gets the datagrams of the open one. */
#include "os/socket/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/check_main.h"

static const struct {
    const char *address, *mask;
    unsigned flags;
} interfaces[] = {
    {"127.0.0.1", "255.0.0.0", IFF_UP | IFF_LOOPBACK},
    {"10.1.2.3", "255.255.255.0", IFF_UP},
    {"10.9.0.1", "255.255.0.0", 0},    /* down */
    {"172.16.0.1", "0.0.0.0", IFF_UP}, /* everything would be near */
    {"192.168.7.9", "255.255.255.252", IFF_UP},
};

static const struct {
    const char *address;
    bool near;
} rows[] = {
    {"10.1.2.3", true},    {"10.1.2.200", true},   {"10.1.3.1", false},     {"10.9.0.7", false}, {"127.0.0.1", false},
    {"192.168.7.8", true}, {"192.168.7.11", true}, {"192.168.7.12", false}, {"8.8.8.8", false},  {"172.16.0.1", false},
};

START_TEST(what_is_near)
{
    struct sockaddr_in addresses[HF_LEN(interfaces)], masks[HF_LEN(interfaces)];
    struct ifaddrs all[HF_LEN(interfaces) + 1] = {{.ifa_next = &all[1], .ifa_flags = IFF_UP}}; /* without an address */
    struct hf_subnets subnets;

    for (size_t i = 0; i < HF_LEN(interfaces); i++) {
        addresses[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {inet_addr(interfaces[i].address)}};
        masks[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {inet_addr(interfaces[i].mask)}};
        all[i + 1] = (struct ifaddrs){.ifa_next = i + 1 < HF_LEN(interfaces) ? &all[i + 2] : NULL,
                                      .ifa_flags = interfaces[i].flags,
                                      .ifa_addr = (struct sockaddr *)&addresses[i],
                                      .ifa_netmask = (struct sockaddr *)&masks[i]};
    }
    hf_subnets_of(all, &subnets);
    ck_assert_uint_eq(subnets.n, 2);
    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(hf_subnets_have(&subnets, (struct in_addr){inet_addr(rows[i].address)}) == rows[i].near, "%s",
                      rows[i].address);
    hf_subnets_of(NULL, &subnets);
    ck_assert(!hf_subnets_have(&subnets, (struct in_addr){inet_addr("10.1.2.3")}));
}
END_TEST

/* A machine with more interfaces than there is room for. */
START_TEST(many_interfaces)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {inet_addr("10.1.2.3")}};
    struct sockaddr_in mask = {.sin_family = AF_INET, .sin_addr = {inet_addr("255.255.255.0")}};
    struct ifaddrs all[HF_SUBNETS + 3];
    struct hf_subnets subnets;

    for (size_t i = 0; i < HF_LEN(all); i++)
        all[i] = (struct ifaddrs){.ifa_next = i + 1 < HF_LEN(all) ? &all[i + 1] : NULL,
                                  .ifa_flags = IFF_UP,
                                  .ifa_addr = (struct sockaddr *)&address,
                                  .ifa_netmask = (struct sockaddr *)&mask};
    hf_subnets_of(all, &subnets);
    ck_assert_uint_eq(subnets.n, HF_SUBNETS);
}
END_TEST

/* Another user asks for the same port, for the group and for one address, with the options that let sockets share. */
START_TEST(nobody_takes_its_datagrams)
{
    static const char *const at[] = {"0.0.0.0", "127.0.0.1", "239.255.72.70"};
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_ANY)}};
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    socklen_t n = sizeof(here);

    /* A free port; another program may take it before the next line, which then says so. */
    ck_assert(bind(probe, (struct sockaddr *)&here, n) == 0 && getsockname(probe, (struct sockaddr *)&here, &n) == 0);
    (void)close(probe);
    int fd = hf_subnet_open(ntohs(here.sin_port), NULL);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < HF_LEN(at); i++) {
        int thief = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(setsockopt(thief, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        ck_assert_int_eq(setsockopt(thief, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
        here.sin_addr.s_addr = inet_addr(at[i]);
        ck_assert_msg(bind(thief, (struct sockaddr *)&here, sizeof(here)) < 0 && errno == EADDRINUSE, "%s", at[i]);
        (void)close(thief);
    }
    (void)close(fd);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, what_is_near);
    tcase_add_test(tc, many_interfaces);
    tcase_add_test(tc, nobody_takes_its_datagrams);
}

HF_TEST_MAIN("os/subnet", cases)
