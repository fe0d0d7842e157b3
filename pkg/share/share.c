/* SPDX-License-Identifier: Apache-2.0 */
/* The life of sharing, and who the neighbours are.
 *
 * Nothing is announced and no list is kept on disk: who wants a content asks the subnet who is there, so an idle site
 * is silent, needs no API server, and a node that is away is not waited for. Datagrams are not trusted: they only say
 * where to dial, and the handshake there says who it is. */
#include "share/share.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "os/fd.h"
#include "share/share_impl.h"

enum { DATAGRAMS_AT_ONCE = 32 };

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

static void on_datagram(void *arg)
{
    struct hf_sharing *share = arg;
    char text[HF_SHARE_DATAGRAM * 2], reply[HF_SHARE_DATAGRAM];

    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct sockaddr_in from;
        socklen_t from_n = sizeof(from);
        ssize_t n = recvfrom(share->udp, text, sizeof(text), 0, (struct sockaddr *)&from, &from_n);
        if (n < 0)
            return;
        int ask = hf_share_datagram_parse((struct hf_view){text, (size_t)n}, share->cluster);
        if (ask < 0 || from.sin_family != AF_INET || share_peer_at(share, from.sin_addr) == NULL || ask == 0)
            continue;
        from.sin_port = htons(share->port);
        n = (ssize_t)hf_share_datagram_format(false, share->cluster, reply);
        (void)sendto(share->udp, reply, (size_t)n, 0, (const struct sockaddr *)&from, sizeof(from));
    }
}

/* A handshake shows which node has this address. */
static void met(void *arg, const char *host, const char *node)
{
    struct hf_sharing *share = arg;

    for (size_t i = 0; i < share->n_peers; i++)
        if (strcmp(share->peers[i].host, host) == 0)
            (void)snprintf(share->peers[i].node, sizeof(share->peers[i].node), "%s", node);
}

static bool admits(void *arg, const struct sockaddr_storage *from)
{
    return from->ss_family == AF_INET && share_is_near(arg, ((const struct sockaddr_in *)(const void *)from)->sin_addr);
}

static void refused(void *arg, enum hf_certified_refusal why)
{
    const struct hf_sharing *share = arg;

    hf_metric_add(hf_metric_with(share->refused, HF_LABELS(hf_certified_refusal_name(why))), 1);
}

static void sent(void *arg, size_t bytes)
{
    const struct hf_sharing *share = arg;

    hf_metric_add(share->served, bytes);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void on_tick(void *arg)
{
    struct hf_sharing *share = arg;
    uint64_t now_ns = hf_mono_ns(share->p.clock);

    share_offer_tick(share, now_ns);
    share_want_tick(share, now_ns);
    share_tick_later(share);
}

/* ---- on and off -------------------------------------------------------------------------------------------------- */

static struct hf_http_config tls_of(const struct hf_sharing *share)
{
    return (struct hf_http_config){.user_agent = "holdfast-agent/" HF_VERSION,
                                   .ca_pem = share->ca_pem,
                                   .client_cert_pem = share->cert_pem,
                                   .client_key_pem = share->key_pem,
                                   .no_proxy = true,
                                   .agents = &share->agents,
                                   .max_skew_ns = share->p.max_skew_ns,
                                   .clock = share->p.clock};
}

/* Tells the owner of the wish that it must do without. */
static void turn_off(struct hf_sharing *share)
{
    struct share_want want = share->want;
    bool electing = share_want_is_electing(&want);

    share_want_stop(share);
    share_offer_stop(share);
    share->n_peers = 0;
    hf_certified_free(hf_steal(share->server));
    hf_loop_unwatch_fd(&share->udp_watch);
    hf_closep(&share->udp);
    if (electing)
        want.decided(want.arg, NULL, NULL);
}

static int open_all(struct hf_sharing *share, struct hf_err *err)
{
    const struct hf_http_config tls = tls_of(share);
    const struct hf_certified_params params = {.address = "0.0.0.0",
                                               .port = share->port,
                                               .bytes_per_s = share->bytes_per_s,
                                               .admits = admits,
                                               .asked = share_offer_asked,
                                               .refused = refused,
                                               .sent = sent,
                                               .arg = share};
    int r;

    if (share->client == NULL) { /* stays: a download may be in progress when sharing ends */
        share->client = hf_http_client_new(share->p.loop, &tls, err);
        r = share->client != NULL ? 0 : -err->code;
    } else {
        r = hf_http_client_update(share->client, &tls, err);
    }
    if (r < 0)
        return r;
    r = hf_certified_new(share->p.loop, &params, &tls, &share->server, err);
    if (r < 0)
        return r;
    share->udp = hf_subnet_open(share->port, err);
    if (share->udp < 0)
        return share->udp;
    r = hf_loop_watch_fd(share->p.loop, share->udp, true, false, on_datagram, share, &share->udp_watch);
    return r < 0 ? hf_err_sys(err, r, "watch UDP port %u", share->port) : 0;
}

static void look(struct hf_sharing *share)
{
    bool wanted = share->allowed && share->ca_pem != NULL, on = hf_share_is_on(share);
    struct hf_err err = HF_ERR_INIT;

    if (wanted == on)
        return;
    int r = wanted ? open_all(share, &err) : 0;
    if (!wanted || r < 0)
        turn_off(share);
    if (r == 0 && wanted)
        hf_log(share->p.log, HF_LOG_INFO, "share.on", HF_D("port", share->port));
    else if (r == 0)
        hf_log(share->p.log, HF_LOG_INFO, "share.off", HF_D("port", share->port));
    else if (!share->failed)
        hf_log_err(share->p.log, HF_LOG_WARNING, "share.failed", "node", share->node_name, &err);
    share->failed = r < 0;
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

static void forget_settings(struct hf_sharing *share)
{
    hf_buf_wipe_text(&share->ca_pem);
    hf_buf_wipe_text(&share->cert_pem);
    hf_buf_wipe_text(&share->key_pem);
}

static bool is_same(const struct hf_sharing *share, const struct hf_share_settings *settings)
{
    if (settings == NULL || share->ca_pem == NULL)
        return settings == NULL && share->ca_pem == NULL;
    return settings->port == share->port && settings->bytes_per_s == share->bytes_per_s &&
           strcmp(settings->ca_pem, share->ca_pem) == 0 && strcmp(settings->cert_pem, share->cert_pem) == 0 &&
           strcmp(settings->key_pem, share->key_pem) == 0;
}

void hf_share_settle(struct hf_sharing *share, const struct hf_share_settings *settings)
{
    if (is_same(share, settings)) {
        if (share->udp >= 0)
            hf_subnet_join(share->udp);
        look(share); /* opens what failed to open */
        return;
    }
    turn_off(share);
    forget_settings(share);
    if (settings != NULL) {
        share->port = settings->port;
        share->bytes_per_s = settings->bytes_per_s;
        share->ca_pem = strdup(settings->ca_pem);
        share->cert_pem = strdup(settings->cert_pem);
        share->key_pem = strdup(settings->key_pem);
        if (share->ca_pem == NULL || share->cert_pem == NULL || share->key_pem == NULL)
            forget_settings(share);
        else
            (void)hf_share_cluster(share->ca_pem, share->cluster);
    }
    look(share);
}

void hf_share_allow(struct hf_sharing *share, bool allowed)
{
    bool changed = share->allowed != allowed;

    share->allowed = allowed;
    if (changed && share->p.allowed != NULL)
        share->p.allowed(share->p.arg);
    look(share);
}

bool hf_share_is_allowed(const struct hf_sharing *share)
{
    return share->allowed;
}

void hf_share_serve(struct hf_sharing *share, const struct hf_share_store *store)
{
    share->store = store != NULL ? *store : (struct hf_share_store){.find = NULL};
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_sharing *hf_share_new(const struct hf_share_params *params)
{
    struct hf_sharing *share = calloc(1, sizeof(*share));

    if (share == NULL)
        return NULL;
    share->p = *params;
    share->udp = -1;
    share->agents = (struct hf_http_agents){.met = met, .arg = share};
    for (size_t i = 0; i < SHARE_OFFERS; i++)
        share->offers[i].fd = -1;
    share->node_name = strdup(params->node_name);
    share->timer = hf_timer_new(hf_loop_sched(params->loop), on_tick, share);
    if (share->node_name == NULL || share->timer == NULL) {
        hf_share_free(share);
        return NULL;
    }
    share->served = hf_metric_counter(params->metrics, "holdfast_share_served_bytes_total",
                                      "Bytes of artifacts served to neighbours.");
    share->wrong = hf_metric_counter(params->metrics, "holdfast_share_wrong_total",
                                     "Downloads from a neighbour whose content had another hash.");
    share->refused = hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_share_refused_total",
                                      "Connections of neighbours turned away, by reason.", HF_LABELS("reason"));
    share->downloads = hf_metric_family(params->metrics, HF_METRIC_COUNTER, "holdfast_share_downloads_total",
                                        "Decisions from where to download a content.", HF_LABELS("from"));
    return share;
}

void hf_share_free(struct hf_sharing *share)
{
    const struct hf_sched_ops *sched;

    if (share == NULL)
        return;
    sched = hf_loop_sched(share->p.loop);
    share->want.decided = NULL;
    share->want.phase = share->want.phase == SHARE_NOTHING ? SHARE_NOTHING : SHARE_FETCHES; /* nobody is told */
    turn_off(share);
    hf_http_client_free(share->client);
    hf_timer_free(sched, share->timer);
    forget_settings(share);
    free(share->node_name);
    free(share);
}
