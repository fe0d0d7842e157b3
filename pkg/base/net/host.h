/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the host of a URL, and whether it is this machine. Resolves no names. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Returns the host of "SCHEME://HOST[:PORT][/...]"; IPv6 keeps its brackets. Empty: another form, or one with a user.
 * Borrows. */
struct hf_view hf_host_of_url(const char *url);

/* Whether the host is 127.0.0.0/8 (four decimal numbers), ::1 in any spelling, with or without brackets, or exactly
 * "localhost". Not so for IPv4-mapped addresses, "localhost.", and upper case. */
bool hf_host_is_loopback(struct hf_view host);
