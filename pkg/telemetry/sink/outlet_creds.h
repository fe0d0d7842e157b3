/* SPDX-License-Identifier: Apache-2.0 */
/* A sink's HTTP client and credentials: CA, client certificate and key, token, device key, or the node's identity.
 * Requests find changed files within seconds; if they do not fit each other, the old ones stay until the next check.
 * Reading blocks. */
#pragma once

#include "telemetry/sink/outlet.h"

struct hf_outlet_creds;

/* Borrows paths; reads nothing yet. NULL: invalid URL, or no memory. */
struct hf_outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err);
void hf_outlet_creds_free(struct hf_outlet_creds *creds);

/* Returns the client. If files are unusable, sets *err and returns the client with old credentials, or NULL. NULL also
 * while the node lacks a certificate or token that the sink wants. */
const struct hf_http_ops *hf_outlet_creds_http(struct hf_outlet_creds *creds, uint64_t now_ns, struct hf_err *err);

const char *hf_outlet_creds_device_key(const struct hf_outlet_creds *creds);

void hf_outlet_creds_close_idle(struct hf_outlet_creds *creds);

bool hf_outlet_creds_changed(struct hf_outlet_creds *creds);
