/* SPDX-License-Identifier: Apache-2.0 */
/* A site's nodes download a content once: who wants it asks neighbours (election.h), and who has it serves. A site is
 * the IPv4 subnet.
 *
 * Sharing is on while owner (settings) and policy (allow) say so; else it has no port or timer. The caller compares the
 * hash, and reports a wrong one. */
#pragma once

#include "base/log.h"
#include "loop/http/client.h"
#include "loop/server/certified.h"
#include "web/metrics.h"

struct hf_sharing;

/* The contents of this node. */
struct hf_share_store {
    /* The content, for open(); NULL: not here, or not for neighbours. */
    void *(*find)(void *arg, const char *sha256, uint64_t *ret_size);
    /* On a worker; blocks. A descriptor of the content, whose hash it has compared, or -errno. */
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
    uint64_t max_skew_ns;  /* struct hf_http_config */
    /* From within hf_share_allow(), when the policy says something else than before: settle again. May be NULL. */
    void (*allowed)(void *arg);
    void *arg;
};

/* The settings of the node's owner. */
struct hf_share_settings {
    uint16_t port; /* the site's: TLS over TCP, discovery over UDP */
    uint64_t bytes_per_s;
    const char *ca_pem, *cert_pem, *key_pem; /* an agent's certificate; its authority */
};

struct hf_sharing *hf_share_new(const struct hf_share_params *params);
void hf_share_free(struct hf_sharing *share);
HF_DEFINE_CLEANUP(struct hf_sharing, hf_share_free)

/* Copies `settings`; NULL: off. The same settings again only join new interfaces. A failure is logged once, tried again
 * at the next call. */
void hf_share_settle(struct hf_sharing *share, const struct hf_share_settings *settings);
void hf_share_allow(struct hf_sharing *share, bool allowed);
bool hf_share_is_allowed(const struct hf_sharing *share); /* false at first */
/* `store` NULL: none; of the old store only open() and drop() are still called. */
void hf_share_serve(struct hf_sharing *share, const struct hf_share_store *store);
bool hf_share_is_on(const struct hf_sharing *share); /* accepts NULL */

/* ---- one wanted content at a time ---- */

/* Below, all but this one and hf_share_want() accept NULL. */
/* For downloads from the URLs given to hf_share_decided_fn; valid as long as `share`. */
const struct hf_http_ops *hf_share_http(struct hf_sharing *share);

/* `url` NULL: download from the origin, neighbours wait; else get it from `node` at `url`. After hf_share_want() has
 * returned. */
typedef void hf_share_decided_fn(void *arg, const char *url, const char *node);

/* Replaces the want before; wanting the same again keeps its time to wait. False: sharing is off. */
bool hf_share_want(struct hf_sharing *share, const char *sha256, uint64_t size, hf_share_decided_fn *decided,
                   void *arg);
/* No `decided` any more; neighbours no longer see the content as wanted. No effect on another content. */
void hf_share_end(struct hf_sharing *share, const char *sha256);
/* `decided` comes soon, without URL: the caller must stop. */
void hf_share_hurry(struct hf_sharing *share, const char *sha256);
/* Tells the bytes of a download from the origin. */
void hf_share_progress(struct hf_sharing *share, const char *sha256, uint64_t bytes);
/* The neighbour of `decided` did not serve the content; `wrong`: it served another, and rests for a day. Call
 * hf_share_want() again. Returns its name until then, or NULL. */
const char *hf_share_blame(struct hf_sharing *share, const char *sha256, bool wrong);
