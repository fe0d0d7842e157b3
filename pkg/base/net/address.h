/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Classes of IP addresses, by where they can be reached from. A redirect may lead only to the class of its server or an
 * earlier one. */
enum hf_address_class {
    HF_ADDRESS_PUBLIC,
    HF_ADDRESS_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10 (carrier-grade NAT), fc00::/7, fec0::/10 */
    HF_ADDRESS_LINK_LOCAL, /* 169.254/16, fe80::/10: on this link, and cloud metadata */
    /* 127/8, ::1; others of this machine (0/8, ::) or of no single machine (multicast, 240/4); not IP */
    HF_ADDRESS_LOOPBACK,
};

/* IPv4 inside IPv6 (::ffff:0:0/96, ::/96, 64:ff9b::/96 of NAT64, 2002::/16 of 6to4) has the class of the IPv4
 * address. */
enum hf_address_class hf_address_class_of(const struct sockaddr *address);

/* Accepts a zone ("%eth0"). HF_ADDRESS_LOOPBACK: also for what is no address. */
enum hf_address_class hf_address_class_of_text(const char *text);

const char *hf_address_class_name(enum hf_address_class class);
