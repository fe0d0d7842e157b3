/* SPDX-License-Identifier: Apache-2.0 */
/* os/socket/subnet.h - the IPv4 subnets of this machine's interfaces, and datagrams to all machines in them. Threads:
 * any. No loopback. */
#pragma once

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

/* `all` is of getifaddrs(3). Pure. */
bool hf_subnet_has(const struct ifaddrs *all, struct in_addr address);
/* True: the address is in a subnet of an interface that is up. */
bool hf_subnet_is_near(struct in_addr address);

/* A UDP socket of `port` in the group 239.255.72.70, whose datagrams no router forwards. Returns the descriptor. */
HF_MUST_USE int hf_subnet_open(in_port_t port, struct hf_err *err);
/* Joins the group on interfaces that came since. */
void hf_subnet_join(int fd);
/* To the group, on each interface. */
void hf_subnet_tell(int fd, in_port_t port, const void *bytes, size_t n);
