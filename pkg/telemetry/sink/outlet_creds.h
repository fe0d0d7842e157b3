/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_creds.h - one sink's credentials (CA, client certificate and key, token, device key, or the
 * node's identity in place of files) and its HTTP client.
 *
 * The files may change at any time: they are checked before a request, at most every few seconds. If they do not fit
 * together (new certificate, old key), the old credentials stay until the next check. Threads: loop thread only;
 * reading blocks. Secrets are overwritten before their memory is freed. */
#pragma once

#include "telemetry/sink/outlet.h"

struct hf_outlet_creds;

/* Borrows the paths of params->sink and params->world; reads no file yet. NULL with *err: invalid URL or no memory. */
struct hf_outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err);
void hf_outlet_creds_free(struct hf_outlet_creds *creds);

/* If the files cannot be used now: *err, and the client with the old credentials or NULL. NULL, too, while the node has
 * no certificate or can sign no token for a sink that wants them. */
const struct hf_http_ops *hf_outlet_creds_http(struct hf_outlet_creds *creds, uint64_t now_ns, struct hf_err *err);

/* "X-Device-Key: ..." or NULL. */
const char *hf_outlet_creds_device_key(const struct hf_outlet_creds *creds);

void hf_outlet_creds_close_idle(struct hf_outlet_creds *creds);

/* Since the last call. */
bool hf_outlet_creds_changed(struct hf_outlet_creds *creds);
