/* SPDX-License-Identifier: Apache-2.0 */
/* base/net/address.h - classifies IP addresses by the places from which they can be reached. Pure.
 *
 * A server may redirect us only to an address that is reachable from at least as many places as the server's own
 * address. So a server on the Internet cannot use us to reach our network, and a server in our network cannot use us to
 * reach services of this machine. Threads: any. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* The order of the classes is the rule for redirects: a server may redirect to an address of its own class or of an
 * earlier class. */
enum hf_address_class {
    HF_ADDRESS_PUBLIC,
    HF_ADDRESS_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10 (carrier-grade NAT), fc00::/7, fec0::/10 */
    HF_ADDRESS_LINK_LOCAL, /* 169.254/16, fe80::/10: machines on the same link, and the metadata service of a cloud */
    /* 127/8, ::1, and the other addresses by which the kernel reaches this machine (0/8, ::). Also the addresses that
     * belong to no single machine (multicast, 240/4), and all addresses that are not IP. */
    HF_ADDRESS_LOOPBACK,
};

/* Returns the class of an address. An IPv4 address inside IPv6 (::ffff:0:0/96, ::/96, 64:ff9b::/96 of NAT64, 2002::/16
 * of 6to4) has the class of that IPv4 address. */
enum hf_address_class hf_address_class_of(const struct sockaddr *address);

/* Parses the address in `text` and returns its class. Returns HF_ADDRESS_LOOPBACK if `text` is not an IP address. A
 * zone such as "%eth0" may follow the address. */
enum hf_address_class hf_address_class_of_text(const char *text);

const char *hf_address_class_name(enum hf_address_class class); /* "public", "private", "link-local", "loopback" */
