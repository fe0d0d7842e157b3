/* SPDX-License-Identifier: Apache-2.0 */
/* support/own_address.h - the addresses of this node, instead of those that the kernel would tell. Included by a test
 * program once: it takes the place of getifaddrs(). */
#pragma once

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* True: the node has the address 0.0.0.0, which leads to this machine and is not a loopback address. False: it has
 * none. */
static bool has_address;

int getifaddrs(struct ifaddrs **ret)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    static struct ifaddrs all = {.ifa_addr = (struct sockaddr *)&address};

    *ret = has_address ? &all : NULL;
    return 0;
}

void freeifaddrs(struct ifaddrs *all)
{
    (void)all;
}
