/* SPDX-License-Identifier: Apache-2.0 */
/* The table of neighbours, and what the parts of sharing have in common. */
#include <arpa/inet.h>

#include "share/share_impl.h"

#define TICK_NS (250 * HF_NS_PER_MS)
#define SLOW_TICK_NS (10 * HF_NS_PER_S)
#define SUBNETS_NS HF_NS_PER_S

bool share_is_near(struct hf_sharing *share, struct in_addr address)
{
    uint64_t now_ns = hf_mono_ns(share->p.clock);

    if (share->subnets_ns == 0 || now_ns - share->subnets_ns >= SUBNETS_NS) {
        hf_subnets_read(&share->subnets);
        share->subnets_ns = now_ns;
    }
    return hf_subnets_have(&share->subnets, address);
}

struct share_peer *share_peer_at(struct hf_sharing *share, struct in_addr address)
{
    struct share_peer *peer;

    for (size_t i = 0; i < share->n_peers; i++) {
        if (share->peers[i].address.s_addr != address.s_addr)
            continue;
        share->peers[i].here = true;
        return &share->peers[i];
    }
    if (share->n_peers == SHARE_PEERS || !share_is_near(share, address))
        return NULL;
    peer = &share->peers[share->n_peers++];
    *peer = (struct share_peer){.share = share, .address = address, .here = true};
    (void)inet_ntop(AF_INET, &address, peer->host, sizeof(peer->host));
    return peer;
}

void share_tell(struct hf_sharing *share)
{
    char text[HF_SHARE_DATAGRAM];
    size_t n = hf_share_datagram_format(true, share->cluster, text);

    hf_subnet_tell(share->udp, share->port, text, n);
}

static bool has_offer(const struct hf_sharing *share)
{
    for (size_t i = 0; i < SHARE_OFFERS; i++)
        if (share->offers[i].state != OFFER_FREE)
            return true;
    return false;
}

void share_tick_later(struct hf_sharing *share)
{
    const struct hf_sched_ops *sched = hf_loop_sched(share->p.loop);
    enum share_phase phase = share->want.phase;

    if (phase == SHARE_DISCOVER || phase == SHARE_ASK || phase == SHARE_WAITS)
        hf_timer_arm(sched, share->timer, TICK_NS);
    else if (has_offer(share))
        hf_timer_arm(sched, share->timer, SLOW_TICK_NS);
}

bool hf_share_is_on(const struct hf_sharing *share)
{
    return share != NULL && share->udp_watch != NULL;
}

const struct hf_http_ops *hf_share_http(struct hf_sharing *share)
{
    return hf_http_client_ops(share->client);
}
