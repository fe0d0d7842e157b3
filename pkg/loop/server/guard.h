/* SPDX-License-Identifier: Apache-2.0 */
/* loop/server/guard.h - decides if a request to a local server was meant for this server. Pure.
 *
 * A web page can make a browser on this machine send requests to 127.0.0.1. The owner of the page can also make the
 * page's host name resolve to 127.0.0.1 ("DNS rebinding"). Such a request has the name of the page's host in the Host
 * header or in the Origin header. Threads: any. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

/* Returns true if `host`, the text of a Host header, names this machine: "localhost", a loopback address, `address`
 * (the address on which the server listens) or one of `allowed`, with or without a port. NULL ends the list `allowed`;
 * `allowed` may be NULL. Upper and lower case count as equal. */
bool hf_server_guard_host(struct hf_view host, const char *address, const char *const *allowed);

/* Returns true if `origin`, the text of an Origin header, names a page on one of the hosts in `allowed`. */
bool hf_server_guard_origin(struct hf_view origin, const char *const *allowed);
