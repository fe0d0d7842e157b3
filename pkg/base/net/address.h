/* base/net/address.h - from where an IP address can be reached. Pure.
 *
 * A server may send us on with a redirect only to an address that is reachable from as many places as its own: the
 * Internet must not reach our network through us, and our network must not reach services of this machine.
 * Threads: any. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* In the order of redirects: an address may lead to one of its own class or of a class before it. */
enum hf_address_class {
    HF_ADDRESS_PUBLIC,
    HF_ADDRESS_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10 (carrier-grade NAT), fc00::/7, fec0::/10 */
    HF_ADDRESS_LINK_LOCAL, /* 169.254/16, fe80::/10: neighbours, and the metadata service of a cloud */
    /* 127/8, ::1, and what the kernel also connects to this machine (0/8, ::); and addresses that are nobody's:
     * multicast, 240/4, families other than IP */
    HF_ADDRESS_LOOPBACK,
};

/* Returns the class of an address. An IPv4 address inside IPv6 (::ffff:0:0/96, ::/96, 64:ff9b::/96 of NAT64,
 * 2002::/16 of 6to4) has its own class. */
enum hf_address_class hf_address_class_of(const struct sockaddr *address);

/* Returns the class of an address as text; HF_ADDRESS_LOOPBACK if `text` is no IP address. A zone ("%eth0") may
 * follow. */
enum hf_address_class hf_address_class_of_text(const char *text);

const char *hf_address_class_name(enum hf_address_class class); /* "public", "private", "link-local", "loopback" */
