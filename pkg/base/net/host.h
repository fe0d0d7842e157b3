/* SPDX-License-Identifier: Apache-2.0 */
/* base/net/host.h - finds the host of a URL, and checks if a host is this machine. Pure; does not resolve names.
 *
 * Without TLS, credentials may travel only to a loopback host. hf_host_is_loopback() is therefore strict: it parses
 * addresses and never compares prefixes. Threads: any. Memory: allocates nothing; a view borrows from the URL. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Returns the host of "SCHEME://HOST[:PORT][/...]", with the brackets of an IPv6 address. Returns the empty view if the
 * URL has another form or names a user ("//user@host"). Does not check the port. */
struct hf_view hf_host_of_url(const char *url);

/* Returns true for an IPv4 address in 127.0.0.0/8 (four decimal numbers), for ::1 in any spelling, with or without
 * brackets, and for the name "localhost" in exactly this spelling. Returns false for every other host, such as a name
 * that begins like an address, an IPv4-mapped IPv6 address, "LOCALHOST" and "localhost.". A caller that accepts
 * capitals changes the host to lower case first. */
bool hf_host_is_loopback(struct hf_view host);
