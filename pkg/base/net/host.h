/* SPDX-License-Identifier: Apache-2.0 */
/* The host of a URL; is it this machine? Resolves no names.
 *
 * Without TLS, credentials go to loopback only: parses addresses, compares no prefixes. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* "SCHEME://HOST[:PORT][/...]", IPv6 with brackets; empty: another form, or a user. Borrows. */
struct hf_view hf_host_of_url(const char *url);

/* 127.0.0.0/8 (four decimal numbers), ::1 in any spelling, with or without brackets, exactly "localhost". Not
 * IPv4-mapped, "LOCALHOST", "localhost.": lower case first. */
bool hf_host_is_loopback(struct hf_view host);
