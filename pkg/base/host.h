/* base/host.h - hosts of URLs, and the rule that says which of them are this machine. Pure; resolves no name.
 *
 * Credentials may travel without TLS to a loopback host only, so the rule is strict: it parses an address, and
 * compares no prefix. Threads: any. Memory: allocates nothing; a view borrows from the URL. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Returns the host of "SCHEME://HOST[:PORT][/...]", with the brackets of an IPv6 address. Returns the empty view if
 * the URL has another form, or a user before the host ("//user@host"). Does not check the port. */
struct hf_view hf_host_of_url(const char *url);

/* True for an IPv4 address in 127.0.0.0/8 (four decimal numbers), for ::1 in any spelling, with or without brackets,
 * and for the name "localhost" in exactly this spelling. False for everything else: names that begin like an
 * address, IPv4-mapped IPv6 addresses, "LOCALHOST", "localhost.". A caller that accepts a name in capitals changes
 * it to lower case first. */
bool hf_host_is_loopback(struct hf_view host);
