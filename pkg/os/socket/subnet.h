/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 subnets of this machine's interfaces, without loopback, and datagrams to all in them. */
#pragma once

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_SUBNETS = 32 };

/* The subnets of interfaces that are up, at most HF_SUBNETS. */
struct hf_subnets {
    struct {
        in_addr_t address, mask;
    } all[HF_SUBNETS];
    size_t n;
};

/* `all`: getifaddrs(3)'s, or NULL. Pure. */
void hf_subnets_of(const struct ifaddrs *all, struct hf_subnets *ret_subnets);
/* None if unreadable. */
void hf_subnets_read(struct hf_subnets *ret_subnets);
bool hf_subnets_have(const struct hf_subnets *subnets, struct in_addr address);

/* UDP in the group 239.255.72.70, which no router forwards. While open, no other user of the machine gets the port, nor
 * its datagrams. Returns the descriptor. */
HF_MUST_USE int hf_subnet_open(in_port_t port, struct hf_err *err);
/* Joins the group on interfaces that came since. */
void hf_subnet_join(int fd);
/* To the group, on each interface. */
void hf_subnet_tell(int fd, in_port_t port, const void *bytes, size_t n);
