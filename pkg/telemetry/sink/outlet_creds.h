/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_creds.h - the credentials of one sink (CA, client certificate and key, token, device key) and
 * the HTTP client that uses them.
 *
 * The files with credentials may change while the agent runs, as Kubernetes changes mounted secrets. So
 * hf_outlet_creds_http() checks the files before a request, unless the last check was only a few seconds ago. If the
 * files do not fit together (such as a new certificate with the old key), the client keeps the old credentials, and the
 * next check reads the files again.
 *
 * Threads: loop thread only; reading the files blocks. Memory: the functions overwrite secrets before they free the
 * memory.
 */
#pragma once

#include "telemetry/sink/outlet.h"

struct hf_outlet_creds;

/* Makes the credentials, which borrow the paths of params->sink and params->world. Reads no file yet. Returns NULL and
 * sets *err if the URL is invalid or memory runs out. */
struct hf_outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err);
void hf_outlet_creds_free(struct hf_outlet_creds *creds);

/* Reads the files again if a check is due and the files have changed. Returns the HTTP client to use. If the files
 * cannot be used now, sets *err, and returns the client with the old credentials, or NULL if no credentials were ever
 * usable. */
const struct hf_http_ops *hf_outlet_creds_http(struct hf_outlet_creds *creds, uint64_t now_ns, struct hf_err *err);

/* Returns the header line "X-Device-Key: ...", or NULL if there is no device key. */
const char *hf_outlet_creds_device_key(const struct hf_outlet_creds *creds);

/* Closes idle connections. The next request opens a new connection. */
void hf_outlet_creds_close_idle(struct hf_outlet_creds *creds);

/* Returns true if the credentials have changed since the last call of this function. */
bool hf_outlet_creds_changed(struct hf_outlet_creds *creds);
