/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an IP address is this machine's. Addresses of kube-ipvs0 do not count: kube-proxy gives it every Service's
 * address. */
#pragma once

#include <ifaddrs.h>
#include <stdbool.h>

#include "base/macros.h"

/* `address`: in_addr or in6_addr. Returns 1, 0, or getifaddrs(3)'s -errno. */
HF_MUST_USE int hf_own_address_is(int family, const void *address);

bool hf_own_address_in(const struct ifaddrs *all, int family, const void *address);
