/* SPDX-License-Identifier: Apache-2.0 */
/* os/socket/own_address.h - checks whether an IP address is one of this machine's own. Threads: any.
 *
 * An address of the interface kube-ipvs0 does not count. On every node, kube-proxy in IPVS mode gives this interface
 * the address of every Service, so that the kernel takes packets for the Services. The kernel forwards these packets to
 * pods, which may be on other machines. */
#pragma once

#include <ifaddrs.h>
#include <stdbool.h>

#include "base/macros.h"

/* Looks for the address in the kernel's list of interfaces. `address` is a struct in_addr for AF_INET, or a struct
 * in6_addr for AF_INET6. Returns 1 if the address is one of this machine's own, 0 if it is not, and -errno if
 * getifaddrs(3) fails. */
HF_MUST_USE int hf_own_address_is(int family, const void *address);

/* Looks for the address in `all`, a list from getifaddrs(3). Returns true if an interface other than kube-ipvs0 has
 * this address. Pure. */
bool hf_own_address_in(const struct ifaddrs *all, int family, const void *address);
