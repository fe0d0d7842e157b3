/* SPDX-License-Identifier: Apache-2.0 */
/* Checks whether a request was meant for this local server. Pure. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

/* Whether the Host header names this machine: "localhost", loopback, `address` (where the server listens) or one of
 * `allowed` (may be NULL); any port, any case. */
bool hf_server_guard_host(struct hf_view host, const char *address, const char *const *allowed);

/* Whether the page is this server's: `origin` is http://`host`, and the Host header `host` passes
 * hf_server_guard_host(). */
bool hf_server_guard_same_origin(struct hf_view origin, struct hf_view host, const char *address,
                                 const char *const *allowed);

/* Whether the page is on one of the hosts in `allowed`. */
bool hf_server_guard_origin(struct hf_view origin, const char *const *allowed);
