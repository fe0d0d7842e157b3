/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: share.c (life, discovery) is above offer.c (this node serves), want.c (it wants) and peers.c. */
#pragma once

#include <netinet/in.h>

#include "os/socket/subnet.h"
#include "share/election.h"
#include "share/protocol.h"
#include "share/share.h"

enum { SHARE_PEERS = 64, SHARE_RESTS = 32, SHARE_OFFERS = 8 };

/* A node that served other content or held this one up; by its name, as addresses change. */
struct share_rest {
    char node[HF_HTTP_NODE];
    uint64_t until_ns; /* 0: free */
};

/* A node of the subnet that has answered or asked. */
struct share_peer {
    struct hf_sharing *share;
    struct in_addr address;
    char host[INET_ADDRSTRLEN];
    char node[HF_HTTP_NODE]; /* of its certificate; "": no handshake yet */
    uint64_t busy_until_ns;
    unsigned failures; /* in a row */
    bool here;         /* has answered or asked since the last discovery began */
    /* of the wanted content */
    enum hf_share_state state;
    uint64_t bytes, grew_ns;   /* FETCHING */
    uint64_t since_ns;         /* of `state` */
    uint64_t heard_ns;         /* its last answer */
    uint64_t asked_ns;         /* when it asked this node for the same */
    struct hf_http_call *call; /* or NULL */
};

enum share_phase {
    SHARE_NOTHING,
    SHARE_DISCOVER,
    SHARE_ASK,
    SHARE_WAITS,   /* for a neighbour */
    SHARE_GETS,    /* from a neighbour */
    SHARE_FETCHES, /* from the origin */
};

struct share_want {
    enum share_phase phase;
    char sha256[HF_SHA256_HEX];
    uint64_t bytes;    /* from the origin */
    uint64_t until_ns; /* of the wait */
    uint64_t phase_ns;
    unsigned told;    /* datagrams sent in this phase */
    uint64_t poll_ns; /* when to ask `peer` again */
    struct share_peer *peer;
    bool hurried; /* the caller waits for this decision alone */
    hf_share_decided_fn *decided;
    void *arg;
};

enum share_offer_state { OFFER_FREE, OFFER_OPENING, OFFER_READY, OFFER_MISSING };

struct share_offer {
    enum share_offer_state state;
    struct opening *opening; /* OPENING */
    char sha256[HF_SHA256_HEX];
    int fd;
    uint64_t size, until_ns;
};

struct hf_sharing {
    struct hf_share_params p;
    char *node_name;
    struct hf_http_agents agents;
    /* the owner's */
    uint16_t port;
    uint64_t bytes_per_s;
    char *ca_pem, *cert_pem, *key_pem; /* NULL: the owner shares nothing */
    bool allowed, failed;
    char cluster[HF_SHARE_CLUSTER];
    /* while sharing is on */
    struct hf_certified *server;
    struct hf_http_client *client;
    int udp;
    struct hf_loop_fd *udp_watch;
    struct hf_timer *timer;
    struct hf_share_store store;
    struct share_peer peers[SHARE_PEERS];
    size_t n_peers;
    struct hf_subnets subnets; /* as of subnets_ns; 0: not read yet */
    uint64_t subnets_ns;
    struct share_rest rests[SHARE_RESTS];
    struct share_want want;
    struct share_offer offers[SHARE_OFFERS];
    struct hf_metric *served, *wrong;
    struct hf_metric_family *refused, *downloads;
};

/* ---- peers.c ---- */

/* NULL: the table is full, or the address is in no subnet of this node. */
struct share_peer *share_peer_at(struct hf_sharing *share, struct in_addr address);
/* Is it in a subnet of this node? Reads the interfaces once a second at most: anybody can send datagrams. */
bool share_is_near(struct hf_sharing *share, struct in_addr address);
void share_tell(struct hf_sharing *share);
/* Arms the timer if there is a wish or an offer. */
void share_tick_later(struct hf_sharing *share);

/* ---- want.c ---- */

void share_want_tick(struct hf_sharing *share, uint64_t now_ns);
void share_want_stop(struct hf_sharing *share);
/* `decided` has not been called yet. */
bool share_want_is_electing(const struct share_want *want);
/* A neighbour asks for this content. */
void share_want_asked(struct hf_sharing *share, const char *sha256, struct share_peer *peer);

/* ---- offer.c ---- */

void share_offer_asked(void *arg, const struct hf_certified_request *request, struct hf_certified_answer *ret_answer);
void share_offer_tick(struct hf_sharing *share, uint64_t now_ns);
void share_offer_stop(struct hf_sharing *share);
