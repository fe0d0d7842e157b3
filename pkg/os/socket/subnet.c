/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

static const char group_text[] = "239.255.72.70";

static struct in_addr address_of(const struct sockaddr *address)
{
    return ((const struct sockaddr_in *)(const void *)address)->sin_addr;
}

static bool is_usable(const struct ifaddrs *it)
{
    return it->ifa_addr != NULL && it->ifa_addr->sa_family == AF_INET && it->ifa_netmask != NULL &&
           (it->ifa_flags & IFF_UP) != 0 && (it->ifa_flags & IFF_LOOPBACK) == 0;
}

void hf_subnets_of(const struct ifaddrs *all, struct hf_subnets *ret_subnets)
{
    ret_subnets->n = 0;
    for (const struct ifaddrs *it = all; it != NULL && ret_subnets->n < HF_SUBNETS; it = it->ifa_next) {
        if (!is_usable(it) || address_of(it->ifa_netmask).s_addr == INADDR_ANY)
            continue;
        ret_subnets->all[ret_subnets->n].address = address_of(it->ifa_addr).s_addr;
        ret_subnets->all[ret_subnets->n++].mask = address_of(it->ifa_netmask).s_addr;
    }
}

void hf_subnets_read(struct hf_subnets *ret_subnets)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        all = NULL;
    hf_subnets_of(all, ret_subnets);
    if (all != NULL)
        freeifaddrs(all);
}

bool hf_subnets_have(const struct hf_subnets *subnets, struct in_addr address)
{
    for (size_t i = 0; i < subnets->n; i++)
        if (((address.s_addr ^ subnets->all[i].address) & subnets->all[i].mask) == 0)
            return true;
    return false;
}

static void each_interface(int fd, const struct sockaddr_in *to, const void *bytes, size_t n)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *it = all; it != NULL; it = it->ifa_next) {
        if (!is_usable(it) || (it->ifa_flags & IFF_MULTICAST) == 0)
            continue;
        struct ip_mreqn on = {.imr_multiaddr.s_addr = inet_addr(group_text),
                              .imr_address = address_of(it->ifa_addr),
                              .imr_ifindex = (int)if_nametoindex(it->ifa_name)};
        (void)setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &on, sizeof(on)); /* EADDRINUSE: has joined */
        if (to != NULL && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof(on)) == 0)
            (void)sendto(fd, bytes, n, 0, (const struct sockaddr *)to, sizeof(*to));
    }
    freeifaddrs(all);
}

int hf_subnet_open(in_port_t port, struct hf_err *err)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = INADDR_ANY};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), off = 0, hops = 1;

    /* Without SO_REUSEADDR: with it on both sockets, another user's would get the datagrams of this one. */
    if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof(hops)) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)) == 0 &&
        bind(fd, (const struct sockaddr *)&here, sizeof(here)) == 0) {
        hf_subnet_join(fd);
        return fd;
    }
    int r = -errno;
    if (fd >= 0)
        (void)close(fd);
    return hf_err_sys(err, r, "open UDP port %u", port);
}

void hf_subnet_join(int fd)
{
    each_interface(fd, NULL, NULL, 0);
}

void hf_subnet_tell(int fd, in_port_t port, const void *bytes, size_t n)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(group_text)};

    each_interface(fd, &to, bytes, n);
}
