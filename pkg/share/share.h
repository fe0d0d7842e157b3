/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of a site (an IPv4 subnet) download a content once if possible: a node that wants it asks its neighbours
 * (election.h), and one that has it serves it.
 *
 * Sharing is on while the owner (settings) and the policy (allow) say so; else no port is open and no timer runs. The
 * caller compares the hash of a download, and reports a wrong one. */
#pragma once

#include "base/log.h"
#include "loop/http/client.h"
#include "loop/server/certified.h"
#include "web/metrics.h"

struct hf_sharing;

struct hf_share_store {
    /* Returns the content, for open(). NULL: it is not here, or not for neighbours. */
    void *(*find)(void *arg, const char *sha256, uint64_t *ret_size);
    /* Returns a descriptor of the content, after comparing its hash; or -errno. Blocks, on a worker. */
    int (*open)(void *found);
    void (*drop)(void *found);
    void *arg;
};

struct hf_share_params {
    struct hf_loop *loop;
    const struct hf_clock_ops *clock;
    struct hf_log *log;
    struct hf_metrics *metrics;
    const char *node_name; /* copied */
    uint64_t max_skew_ns;
    /* Called by hf_share_allow() when `allowed` changes; should call hf_share_settle(). May be NULL. */
    void (*allowed)(void *arg);
    void *arg;
};

struct hf_share_settings {
    uint16_t port; /* the same on all nodes of a site: TLS over TCP, discovery over UDP */
    uint64_t bytes_per_s;
    const char *ca_pem, *cert_pem, *key_pem; /* certificate authority; certificate and key of the agent */
};

struct hf_sharing *hf_share_new(const struct hf_share_params *params);
void hf_share_free(struct hf_sharing *share);
HF_DEFINE_CLEANUP(struct hf_sharing, hf_share_free)

/* Copies and applies `settings`; NULL: off. Equal settings only add new interfaces. A failure is logged once; the next
 * call tries again. */
void hf_share_settle(struct hf_sharing *share, const struct hf_share_settings *settings);
void hf_share_allow(struct hf_sharing *share, bool allowed);
bool hf_share_is_allowed(const struct hf_sharing *share);
/* Serves from `store`; NULL: nothing. Only open() and drop() of the old store may still be called. */
void hf_share_serve(struct hf_sharing *share, const struct hf_share_store *store);
bool hf_share_is_on(const struct hf_sharing *share); /* accepts NULL */

/* ---- one wanted content at a time ---- */

/* Below, all but hf_share_http() and hf_share_want() accept a NULL `share`. */
/* The HTTP client for downloads from a neighbour; valid as long as `share`. */
const struct hf_http_ops *hf_share_http(struct hf_sharing *share);

/* The decision: if `url` is NULL, download from the origin, while neighbours wait; else from `node` at `url`. Never
 * called within hf_share_want(). */
typedef void hf_share_decided_fn(void *arg, const char *url, const char *node);

/* Asks neighbours for this content; a want of another content ends. Wanting it again does not prolong the wait. Returns
 * false if sharing is off. */
bool hf_share_want(struct hf_sharing *share, const char *sha256, uint64_t size, hf_share_decided_fn *decided,
                   void *arg);
/* Ends this want, if it is the current one: `decided` will not be called. */
void hf_share_end(struct hf_sharing *share, const char *sha256);
/* Makes an outstanding decision come soon, for the origin. */
void hf_share_hurry(struct hf_sharing *share, const char *sha256);
void hf_share_progress(struct hf_sharing *share, const char *sha256, uint64_t bytes);
/* Reports that the chosen neighbour did not serve the content, or (`wrong`) served another, after which it is not
 * chosen for a day. Call hf_share_want() next; until then, the returned name of the neighbour is valid. NULL: none was
 * chosen. */
const char *hf_share_blame(struct hf_sharing *share, const char *sha256, bool wrong);
