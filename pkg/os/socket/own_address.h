/* SPDX-License-Identifier: Apache-2.0 */
/* Checks if an IP address is this machine's. Not those of kube-ipvs0: kube-proxy in IPVS mode puts every Service's
 * address there. */
#pragma once

#include <ifaddrs.h>
#include <stdbool.h>

#include "base/macros.h"

/* struct in_addr or in6_addr. 1, 0, or -errno of getifaddrs(3). */
HF_MUST_USE int hf_own_address_is(int family, const void *address);

/* `all` is of getifaddrs(3). Pure. */
bool hf_own_address_in(const struct ifaddrs *all, int family, const void *address);
