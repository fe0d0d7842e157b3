/* telemetry/sink/outlet_creds.h - the credentials of one sink (CA, client certificate and key, token, device key) and
 * the HTTP client that uses them.
 *
 * Platforms rotate mounted files, so hf_outlet_creds_http() checks them before a request, at most every few seconds. If
 * the changed files do not fit together (a new certificate with the old key), the client keeps the old credentials and
 * the next check tries again.
 *
 * Threads: loop thread only; reading the files blocks.  Memory: overwrites secrets before it frees them. */
#pragma once

#include "telemetry/sink/outlet.h"

struct hf_outlet_creds;

/* Borrows the paths of params->sink and params->world. Reads no file yet. NULL with *err: bad URL or no memory. */
struct hf_outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err);
void hf_outlet_creds_free(struct hf_outlet_creds *creds);

/* Reads changed files when a check is due. Returns the client to use, or NULL with *err: the credentials cannot be
 * used now. */
const struct hf_http_ops *hf_outlet_creds_http(struct hf_outlet_creds *creds, uint64_t now_ns, struct hf_err *err);

/* "X-Device-Key: ..." or NULL. */
const char *hf_outlet_creds_device_key(const struct hf_outlet_creds *creds);

/* Closes idle connections; the next request opens one. */
void hf_outlet_creds_close_idle(struct hf_outlet_creds *creds);

/* True if the credentials changed since the last call. */
bool hf_outlet_creds_changed(struct hf_outlet_creds *creds);
