/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of one site download a content once: who wants it asks the neighbours (election.h), and who has it serves
 * them. A site is the IPv4 subnet.
 *
 * On while both the owner of the node (settings) and the policy (allow) say so; else there is no port, no timer and no
 * TLS. Nothing here is trusted: the caller compares the hash of what came, and reports a wrong one. */
#pragma once

#include "base/log.h"
#include "loop/http/client.h"
#include "loop/server/certified.h"
#include "web/metrics.h"

struct hf_sharing;

/* The contents of this node. */
struct hf_share_store {
    /* Something that open() takes, or NULL: the node has no such content, or it is not for neighbours. */
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
    uint64_t max_skew_ns;  /* as in struct hf_http_config */
    /* From within hf_share_allow(), when the policy says something else than before: settle again. May be NULL. */
    void (*allowed)(void *arg);
    void *arg;
};

/* The settings of the node's owner. */
struct hf_share_settings {
    uint16_t port; /* of all nodes of the site: TLS over TCP, and discovery over UDP */
    uint64_t bytes_per_s;
    const char *ca_pem, *cert_pem, *key_pem; /* an agent's certificate, and the authority of such certificates */
};

struct hf_sharing *hf_share_new(const struct hf_share_params *params);
void hf_share_free(struct hf_sharing *share); /* accepts NULL */
HF_DEFINE_CLEANUP(struct hf_sharing, hf_share_free)

/* Copies; NULL: the owner shares nothing. Again with the same ones: no effect, but joins new interfaces. A failure is
 * logged once, and tried again at the next call. */
void hf_share_settle(struct hf_sharing *share, const struct hf_share_settings *settings);
void hf_share_allow(struct hf_sharing *share, bool allowed);
bool hf_share_is_allowed(const struct hf_sharing *share); /* false at first */
/* NULL: no store; no call into the old one after this but open() and drop(). */
void hf_share_serve(struct hf_sharing *share, const struct hf_share_store *store);
bool hf_share_is_on(const struct hf_sharing *share); /* accepts NULL */

/* ---- one wanted content at a time -------------------------------------------------------------------------------- */

/* All functions below but this one and hf_share_want() accept NULL. */
/* For downloads from the URLs given to hf_share_decided_fn; valid as long as `share`. */
const struct hf_http_ops *hf_share_http(struct hf_sharing *share);

/* `url` NULL: download it from its origin, the neighbours wait. Else get it from `node` at `url`. Not before
 * hf_share_want() has returned. */
typedef void hf_share_decided_fn(void *arg, const char *url, const char *node);

/* Replaces the content wanted before; the same one again keeps the bound of its waiting. False: off. */
bool hf_share_want(struct hf_sharing *share, const char *sha256, uint64_t size, hf_share_decided_fn *decided,
                   void *arg);
/* No call of `decided` any more; the neighbours see it as wanted no more. Without effect for another content. */
void hf_share_end(struct hf_sharing *share, const char *sha256);
/* `decided` comes soon, with no URL: the caller must stop. */
void hf_share_hurry(struct hf_sharing *share, const char *sha256);
/* Tells the bytes of a download from the origin. */
void hf_share_progress(struct hf_sharing *share, const char *sha256, uint64_t bytes);
/* The neighbour that `decided` named did not serve the content; `wrong`: it served another one, and rests for a day.
 * Then call hf_share_want() again. Returns its name until then, or NULL: there was none. */
const char *hf_share_blame(struct hf_sharing *share, const char *sha256, bool wrong);
