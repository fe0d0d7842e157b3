/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 subnets of this machine's interfaces, without loopback, and datagrams to all machines in them. */
#pragma once

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_SUBNETS = 32 };

struct hf_subnets {
    struct {
        in_addr_t address, mask;
    } all[HF_SUBNETS];
    size_t n;
};

void hf_subnets_of(const struct ifaddrs *all, struct hf_subnets *ret_subnets);
void hf_subnets_read(struct hf_subnets *ret_subnets);
bool hf_subnets_have(const struct hf_subnets *subnets, struct in_addr address);

/* Opens a UDP socket in the group 239.255.72.70, which no router forwards. While it is open, no other user of the
 * machine gets the port or its datagrams. */
HF_MUST_USE int hf_subnet_open(in_port_t port, struct hf_err *err);
/* Joins the group on new interfaces, too. */
void hf_subnet_join(int fd);
/* Sends to the group on each interface. */
void hf_subnet_tell(int fd, in_port_t port, const void *bytes, size_t n);
