/* SPDX-License-Identifier: Apache-2.0 */
/* Is an IP address this machine's? Not kube-ipvs0's: kube-proxy in IPVS mode puts every Service's address there. */
#pragma once

#include <ifaddrs.h>
#include <stdbool.h>

#include "base/macros.h"

/* struct in_addr or in6_addr. 1, 0, or getifaddrs(3)'s -errno. */
HF_MUST_USE int hf_own_address_is(int family, const void *address);

/* `all`: getifaddrs(3)'s. Pure. */
bool hf_own_address_in(const struct ifaddrs *all, int family, const void *address);
