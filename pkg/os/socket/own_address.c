/* SPDX-License-Identifier: Apache-2.0 */
#include "os/socket/own_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* The interface of kube-proxy in IPVS mode. */
static const char services[] = "kube-ipvs0";

bool hf_own_address_in(const struct ifaddrs *all, int family, const void *address)
{
    for (const struct ifaddrs *it = all; it != NULL; it = it->ifa_next) {
        if (it->ifa_addr == NULL || it->ifa_addr->sa_family != family ||
            (it->ifa_name != NULL && strcmp(it->ifa_name, services) == 0))
            continue;
        const void *here = family == AF_INET
                               ? (const void *)&((const struct sockaddr_in *)(const void *)it->ifa_addr)->sin_addr
                               : (const void *)&((const struct sockaddr_in6 *)(const void *)it->ifa_addr)->sin6_addr;
        if (memcmp(here, address, family == AF_INET ? 4 : 16) == 0)
            return true;
    }
    return false;
}

int hf_own_address_is(int family, const void *address)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        return -errno;
    bool own = hf_own_address_in(all, family, address);
    freeifaddrs(all);
    return own;
}
