/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: share.c (on and off, discovery) is above offer.c (what this node serves), want.c (what it wants) and
 * peers.c. */
#pragma once

#include <netinet/in.h>

#include "os/socket/subnet.h"
#include "share/election.h"
#include "share/protocol.h"
#include "share/share.h"

enum { SHARE_PEERS = 64, SHARE_RESTS = 32, SHARE_OFFERS = 8 };

/* A node that is not chosen for a while, as it served other content, broke off downloads, or delayed this node. Kept by
 * name, as addresses change. */
struct share_rest {
    char node[HF_HTTP_NODE];
    uint64_t until_ns; /* 0: a free entry */
};

/* A node of the subnet that has answered or asked. */
struct share_peer {
    struct hf_sharing *share;
    struct in_addr address;
    char host[INET_ADDRSTRLEN];
    char node[HF_HTTP_NODE]; /* from its certificate; "": no handshake yet */
    uint64_t busy_until_ns;
    unsigned failures; /* broken downloads since it was last excluded */
    bool here;         /* has answered or asked since shortly before the last discovery */
    /* about the wanted content */
    enum hf_share_state state;
    uint64_t bytes, grew_ns; /* while FETCHING: how much it has, and when that grew */
    uint64_t since_ns;       /* begin of `state` */
    uint64_t heard_ns;
    uint64_t asked_ns;
    struct hf_http_call *call; /* NULL: no question is under way */
};

enum share_phase {
    SHARE_NOTHING,
    SHARE_DISCOVER,
    SHARE_ASK,
    SHARE_WAITS,   /* waits until a neighbour has the content */
    SHARE_GETS,    /* downloads from a neighbour */
    SHARE_FETCHES, /* downloads from the origin */
};

struct share_want {
    enum share_phase phase;
    char sha256[HF_SHA256_HEX];
    uint64_t bytes;    /* downloaded from the origin so far */
    uint64_t until_ns; /* end of all waiting */
    uint64_t phase_ns;
    unsigned told;
    uint64_t poll_ns;
    struct share_peer *peer;
    bool hurried; /* the caller wants to stop: the next tick chooses the origin */
    hf_share_decided_fn *decided;
    void *arg;
};

enum share_offer_state { OFFER_FREE, OFFER_OPENING, OFFER_READY, OFFER_MISSING };

struct share_offer {
    enum share_offer_state state;
    struct opening *opening;
    char sha256[HF_SHA256_HEX];
    int fd;
    uint64_t size, until_ns;
};

struct hf_sharing {
    struct hf_share_params p;
    char *node_name;
    struct hf_http_agents agents;
    uint16_t port;
    uint64_t bytes_per_s;
    char *ca_pem, *cert_pem, *key_pem;
    bool allowed, failed;
    char cluster[HF_SHARE_CLUSTER];
    struct hf_certified *server;
    struct hf_http_client *client;
    int udp;
    struct hf_loop_fd *udp_watch;
    struct hf_timer *timer;
    struct hf_share_store store;
    struct share_peer peers[SHARE_PEERS];
    size_t n_peers;
    struct hf_subnets subnets; /* read at subnets_ns; 0: not yet */
    uint64_t subnets_ns;
    struct share_rest rests[SHARE_RESTS];
    struct share_want want;
    struct share_offer offers[SHARE_OFFERS];
    struct hf_metric *served, *wrong;
    struct hf_metric_family *refused, *downloads;
};

/* ---- peers.c ---- */

/* Finds or adds a peer. NULL: the table is full, or the address is in no subnet of this node. */
struct share_peer *share_peer_at(struct hf_sharing *share, struct in_addr address);
/* Whether `address` is in a subnet of this node. Reads the interfaces once a second at most, as anybody can send
 * datagrams. */
bool share_is_near(struct hf_sharing *share, struct in_addr address);
void share_tell(struct hf_sharing *share);
void share_tick_later(struct hf_sharing *share);

/* ---- want.c ---- */

void share_want_tick(struct hf_sharing *share, uint64_t now_ns);
void share_want_stop(struct hf_sharing *share);
/* Whether it is still open where to download, so that want->decided() is to be called. */
bool share_want_is_electing(const struct share_want *want);
void share_want_asked(struct hf_sharing *share, const char *sha256, struct share_peer *peer);

/* ---- offer.c ---- */

void share_offer_asked(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer);
void share_offer_tick(struct hf_sharing *share, uint64_t now_ns);
void share_offer_stop(struct hf_sharing *share);
