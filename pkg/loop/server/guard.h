/* SPDX-License-Identifier: Apache-2.0 */
/* Decides if a request was meant for this local server. Pure. */
#pragma once

#include <stdbool.h>

#include "base/view.h"

/* "localhost", loopback, `address` (where the server listens) or one of `allowed` (may be NULL), with or without a
 * port, in any case. */
bool hf_server_guard_host(struct hf_view host, const char *address, const char *const *allowed);

/* A page that this server sent: its origin is http://`host`, the Host header of the same request, which also passes
 * hf_server_guard_host(). */
bool hf_server_guard_same_origin(struct hf_view origin, struct hf_view host, const char *address,
                                 const char *const *allowed);

/* A page on one of the hosts in `allowed`. */
bool hf_server_guard_origin(struct hf_view origin, const char *const *allowed);
