/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/client.h - a client and its subscriptions, for the files of kube/api. Private to pkg/kube.
 *
 * Each file calls only those below it:
 *
 *     client.c        the client, its source table, and its work in the next turn of the loop
 *     apply.c         server-side apply for the source table
 *     call.c          single requests to any resource (kube/call.h)
 *     subscription.c  makes and ends a subscription; its subscriber's requests
 *     hub.c           the review that tells a gateway from a proxy on this node
 *     apiserver.c, metaserver.c  the rules for the two kinds of server
 *     knock.c         asks a server that was away if it serves
 *     dispatch.c      events of the reflectors (rules/reflector.h), and their effects
 *     silence.c       the ping to a silent server
 *     return.c        which subscription asks a server that was away, and when
 *     list.c          the answer to a LIST
 *     watch.c         the events of a watch
 *     report.c        reports to the subscriber; answers that are older than earlier answers
 *     state.c         limits, counters and contact, for all
 *
 * A subscriber may end any subscription inside any callback. It is then `dead` (no callback or request follows) until
 * the next turn of the loop frees it, when no function that uses it is on the stack. */
#pragma once

#include "base/list.h"
#include "kube/api/exchange.h"
#include "kube/api/hub.h"
#include "kube/api/list.h"
#include "kube/api/metaserver.h"
#include "kube/api/report.h"
#include "kube/api/return.h"
#include "kube/api/rules.h"
#include "kube/api/silence.h"
#include "kube/api/watch.h"
#include "kube/kube.h"
#include "kube/resource.h"
#include "web/metrics.h"

enum { HF_KUBE_MAX_DELIVERIES = 32 };

/* of a server-side apply; a MetaServer needs up to 34 s for a PATCH */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)
/* between two times at which the client empties a status into which others have written */
#define HF_KUBE_EMPTY_NS (600 * HF_NS_PER_S)
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S)  /* between two calls of hf_kube_reached() with an effect */
#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S) /* between two reads of the credentials */

struct hf_kube {
    const struct hf_kube_rules *rules;
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries; /* of the source table */
    struct hf_list calls;      /* in flight, with those of the deliveries */
    bool switch_over;          /* it behaves like a MetaServer: the next turn of the loop follows those rules */
    bool plain;                /* http:// */
    bool no_watchlist;         /* LIST first: no WatchList here, or maybe a MetaServer */
    uint64_t spread_ns;
    uint64_t fleet_nodes;    /* the most nodes that an EdgeUpdate selects; 0: unknown */
    struct hf_timer *turn;   /* for what must not run inside a call of our user */
    struct hf_timer *ends;   /* for watches that ended early */
    uint64_t last_reauth_ns; /* last read of the credentials; 0: never */
    uint64_t last_nudge_ns;  /* last nudge with an effect; 0: never */
    uint64_t empty_ns;       /* until then the client empties no status */
    uint64_t went_back_ns;   /* when all subscriptions last had to list again; 0: never */
    uint64_t beat_s;         /* random, so that the watches of nodes with one power supply end at different times */
    struct hf_kube_return back;
    struct hf_kube_silence silence;
    struct hf_kube_hub hub;
    struct hf_kube_meta meta;
    struct {
        struct hf_metric_family *requests, *events, *doubts, *errors;
        struct hf_metric *contact;
    } metrics;
};

struct hf_kube_subscription {
    struct hf_subscription handle;
    struct hf_list link;
    struct hf_kube *kube;
    const struct hf_resource *resource; /* a row of resource.c, or &own: an object in a namespace */
    struct hf_resource own;
    char *own_path, *own_ns; /* borrowed by `own`; NULL: cluster-scoped */
    char *name;              /* of the one object; NULL: all of the kind */
    struct hf_source_sink sink;
    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_strmap unreadable; /* name to version */
    struct hf_timer *timer;
    struct hf_exchange *exchange; /* LIST or watch in flight, or NULL */
    uint64_t asked_ns;            /* when it began */
    int start_error;              /* -errno of one that failed to start, for the next turn of the loop */
    char version[HF_RV_TEXT];     /* from which the next watch resumes */
    bool version_unreported;
    bool refreshed; /* the next turn of the loop reports contact and version */
    bool dead;
    struct hf_kube_round round;
    struct hf_kube_next_round next;
    struct hf_kube_watch watch;
    struct hf_kube_contact contact;
    struct hf_kube_meta_sub meta;
};

/* ---- state.c ---- */

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
/* The metadata of its objects alone (PartialObjectMetadata). */
bool hf_kube_wants_metadata(const struct hf_kube_subscription *sub);
void hf_kube_arm_turn(struct hf_kube *kube);
/* At most once in HF_KUBE_REAUTH_NS. */
void hf_kube_reauth(struct hf_kube *kube);
/* Without dead ones; `sub` NULL: the first. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
/* Follows those rules from the next turn of the loop on. `sign` is for the log. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* An EdgeUpdate selects this many nodes, which may return together. No effect on the controller. */
void hf_kube_learn_fleet(struct hf_kube *kube, uint64_t nodes);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event); /* if it is an error */
void hf_kube_set_contact(struct hf_kube *kube, bool proven);                              /* the metric */

/* ---- dispatch.c ---- */

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg); /* the subscription */
void hf_kube_silence_timer(void *arg);   /* the subscription */
void hf_kube_ends_timer(void *arg);      /* the hf_kube */
/* hf_kube_reached(): the server has answered. Subscriptions that wait because the link was away retry now; those that
 * wait because the server was away keep their turn (return.h). No effect within HF_KUBE_NUDGE_NS of the last one:
 * streams that the server accepts and then closes would wake each other in a loop. hf_kube_nudge_all() wakes both, and
 * at once: for a caller who knows that the network is there again. */
void hf_kube_reached(struct hf_kube *kube);
void hf_kube_nudge_all(struct hf_kube *kube);

/* ---- subscription.c ---- */

struct hf_kube_target {
    const char *kind;
    const char *ns;     /* NULL: cluster-scoped */
    const char *name;   /* NULL: all of the kind */
    const char *resume; /* resourceVersion, or "" */
    const char *const *known;
};
HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const struct hf_kube_target *target,
                                         const struct hf_source_sink *sink, struct hf_kube_subscription **ret_sub,
                                         struct hf_err *err);
void hf_kube_subscription_stop(struct hf_kube_subscription *sub); /* it is then `dead` */
/* No function that uses it may be on the stack. */
void hf_kube_subscription_free(struct hf_kube_subscription *sub);
void hf_kube_subscription_turn(struct hf_kube_subscription *sub); /* what was left for this turn of the loop */
void hf_kube_subscription_refresh(struct hf_kube_subscription *sub);
void hf_kube_subscription_relist(struct hf_kube_subscription *sub);

/* ---- apply.c ---- */

struct hf_kube_delivery;
HF_MUST_USE int hf_kube_apply(struct hf_kube *kube, const json_t *body, const char *subresource, hf_source_done *done,
                              void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_kube_apply_abandon(struct hf_delivery *delivery);
void hf_kube_apply_abandon_all(struct hf_kube *kube);
/* 0, or -EAGAIN if `answer` lacks the status.sequence or the labels of `body`. Pure. */
HF_MUST_USE int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
/* The status in `answer` has more than that of `body`, and another field manager owns a part of it. Pure. */
bool hf_kube_apply_has_foreign(const json_t *body, const json_t *answer);

/* ---- call.c ---- */

void hf_kube_call_cancel_all(struct hf_kube *kube);
void hf_kube_call_turn(struct hf_kube *kube); /* ends the calls that failed before their request was sent */
