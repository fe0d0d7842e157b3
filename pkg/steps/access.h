/* SPDX-License-Identifier: Apache-2.0 */
/* How downloads reach their servers: mirrors of a URL and how these have fared, credential and TLS of an origin.
 * `access` may be NULL (no mirrors, no credentials), except for _configure(), _ticket_init() and _use().
 *
 * Credentials and certificates are read from their files for each try, so a rotated one is used at once.
 * hf_access itself keeps no secret. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "config/mirrors.h"
#include "loop/http/http.h"
#include "trust/identity.h"

struct hf_access;

struct hf_access_params {
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_identity *identity; /* of the node; borrowed; may be NULL */
    /* Sets the TLS of these origins for later requests; borrows `peers`. */
    int (*set_peers)(void *arg, const struct hf_http_peer *peers, size_t n, struct hf_err *err);
    void *arg;
};

struct hf_access *hf_access_new(const struct hf_access_params *params);
void hf_access_free(struct hf_access *access);
HF_DEFINE_CLEANUP(struct hf_access, hf_access_free)

/* Requests that begin before the next call borrow `config`. */
void hf_access_configure(struct hf_access *access, const struct hf_config *config);

/* Lists the URLs to try (hf_mirrors_list()); oci:// becomes the URL of the registry's API. */
HF_MUST_USE int hf_access_tries(const struct hf_access *access, const char *url, struct hf_tries *ret_tries);
void hf_access_failed(struct hf_access *access, const struct hf_try *try, const struct hf_err *err);
void hf_access_served(struct hf_access *access, const struct hf_try *try, const char *key);
bool hf_access_blame(struct hf_access *access, const char *key);

/* Whether requests for this URL use a credential or certificate: then its content is not for neighbours. */
bool hf_access_is_private(const struct hf_access *access, const char *url);

struct hf_access_ticket {
    const struct hf_config *config;
    const char *url;
    struct hf_buf credential; /* header line; empty: no credential */
    struct hf_access_peer *peers;
    size_t n_peers;
    int r; /* < 0: the credential is unusable (`err`) */
    struct hf_err err;
};

/* A ticket is for one try. _init() begins it for a borrowed `url`; _read() reads the credential's files, on a worker;
 * hf_access_use() prepares the client, and returns its own or _read()'s failure, whose text mostly names the item of
 * `artifacts`; _done() wipes and frees. */
void hf_access_ticket_init(const struct hf_access *access, const char *url, struct hf_access_ticket *ticket);
void hf_access_ticket_read(const struct hf_fs_ops *fs, struct hf_access_ticket *ticket);
HF_MUST_USE int hf_access_use(struct hf_access *access, struct hf_access_ticket *ticket, struct hf_err *err);
void hf_access_ticket_done(struct hf_access_ticket *ticket);

/* Says which credential a 401 or 403 refused, or that there was none; begins with ": ", or is "". */
const char *hf_access_explain(const struct hf_access *access, const char *url, const struct hf_http_response *response,
                              char *text, size_t n);
