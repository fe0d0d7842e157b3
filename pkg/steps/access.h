/* SPDX-License-Identifier: Apache-2.0 */
/* steps/access.h - how a download reaches its servers: the mirrors of a URL, what is remembered of them, and
 * the credential and the TLS of an origin (config/artifacts.h). All downloads of a process share one hf_access.
 *
 * The files of credentials and certificates are read anew for each request, so that a rotated one holds at once. No
 * secret stays in memory longer than its request starts, except a client key in use. Threads: loop thread only, unless
 * a comment says otherwise. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "config/mirrors.h"
#include "loop/http/http.h"

struct hf_access;

struct hf_access_params {
    const struct hf_clock_ops *clock;
    struct hf_log *log; /* may be NULL */
    /* Sets the TLS of the origins in `peers` for requests that start from now on; borrows `peers` for the call. */
    int (*set_peers)(void *arg, const struct hf_http_peer *peers, size_t n, struct hf_err *err);
    void *arg;
};

/* Returns NULL if memory runs out. */
struct hf_access *hf_access_new(const struct hf_access_params *params);
void hf_access_free(struct hf_access *access); /* accepts NULL */
HF_DEFINE_CLEANUP(struct hf_access, hf_access_free)

/* Uses `config` from now on; it must live as long as requests that began before the next call. */
void hf_access_configure(struct hf_access *access, const struct hf_config *config);

/* As hf_mirrors_list(), with the configuration and the memory of `access`; NULL stands for no mirrors. */
HF_MUST_USE int hf_access_tries(const struct hf_access *access, const char *url, struct hf_tries *ret_tries);
/* Remembers what became of a try; see config/mirrors.h. `access` may be NULL. */
void hf_access_failed(struct hf_access *access, const struct hf_try *try, const struct hf_err *err);
void hf_access_served(struct hf_access *access, const struct hf_try *try, const char *key);
bool hf_access_blame(struct hf_access *access, const char *key);

/* What one request needs. */
struct hf_access_ticket {
    const struct hf_config *config;
    const char *url;
    struct hf_buf credential; /* the header line; empty: the origin has none */
    struct hf_access_peer *peers;
    size_t n_peers;
    int r; /* < 0: the credential cannot be used */
    struct hf_err err;
};

/* hf_access_ticket_init() begins a ticket for `url`, which is borrowed; hf_access_ticket_read() reads the files for it,
 * on a worker; hf_access_use() prepares the client. A failure of one of the last two is that of hf_access_use(); its
 * text names the item of `artifacts`, the file, and what to do. hf_access_ticket_done() wipes and frees what a ticket
 * has. */
void hf_access_ticket_init(const struct hf_access *access, const char *url, struct hf_access_ticket *ticket);
void hf_access_ticket_read(const struct hf_fs_ops *fs, struct hf_access_ticket *ticket);
HF_MUST_USE int hf_access_use(struct hf_access *access, const struct hf_access_ticket *ticket, struct hf_err *err);
void hf_access_ticket_done(struct hf_access_ticket *ticket);

/* Explains a 401 or 403 from `url` in text[n]: which credential was refused, or that there is none. Begins with ": ",
 * or is "". `access` may be NULL. */
const char *hf_access_explain(const struct hf_access *access, const char *url, const struct hf_http_response *response,
                              char *text, size_t n);
