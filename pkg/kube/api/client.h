/* SPDX-License-Identifier: Apache-2.0 */
/* A client and its subscriptions, for the files of kube/api.
 *
 * A subscriber may end any subscription inside any callback. That subscription is then `dead` (no callback or request
 * follows) until the loop's next turn frees it, when nothing on the stack uses it. */
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

/* pause after emptying a status into which others have written */
#define HF_KUBE_EMPTY_NS (600 * HF_NS_PER_S)

struct hf_kube {
    const struct hf_kube_rules *rules;
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries; /* hf_kube_apply()'s */
    struct hf_list calls;      /* also those of deliveries */
    bool switch_over;          /* the server behaves like a MetaServer: the next turn takes its rules */
    bool plain;                /* http:// */
    bool no_watchlist;         /* LIST first: the server lacks WatchList, or may be a MetaServer */
    uint64_t spread_ns;
    uint64_t fleet_nodes;    /* most that an EdgeUpdate selects */
    struct hf_timer *turn;   /* runs what must not run inside a call of our user */
    struct hf_timer *ends;   /* watches that ended early */
    uint64_t last_reauth_ns; /* 0: never */
    uint64_t last_nudge_ns;  /* 0: never */
    uint64_t empty_ns;       /* no status is emptied before */
    uint64_t went_back_ns;   /* all subscriptions had to list again; 0: never */
    uint64_t beat_s;         /* random, so that watches end at different times on different nodes */
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
    const struct hf_resource *resource; /* of resource.c, or &own: an object in a namespace */
    struct hf_resource own;
    char *own_path, *own_ns; /* borrowed by `own`; NULL: cluster-scoped */
    char *name;              /* NULL: all */
    struct hf_source_sink sink;
    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_strmap unreadable; /* by name, with version and round */
    struct hf_timer *timer;
    struct hf_exchange *exchange; /* or NULL */
    uint64_t asked_ns;
    int start_error;          /* -errno for the next turn */
    char version[HF_RV_TEXT]; /* where the next watch resumes */
    bool version_unreported;
    bool refreshed; /* the next turn reports contact and version */
    bool dead;
    struct hf_kube_round round;
    struct hf_kube_next_round next;
    struct hf_kube_watch watch;
    struct hf_kube_contact contact;
    struct hf_kube_meta_sub meta;
};

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
/* Asks only for metadata of its objects (PartialObjectMetadata). */
bool hf_kube_wants_metadata(const struct hf_kube_subscription *sub);
void hf_kube_arm_turn(struct hf_kube *kube);
/* Reads the credentials again, at most once in 5 seconds. */
void hf_kube_reauth(struct hf_kube *kube);
/* The next subscription that is not dead, or NULL. `sub` NULL: the first. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
/* HF_KUBE_AUTO: takes a MetaServer's rules in the next turn; `sign`: for the log. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* An EdgeUpdate selects so many nodes, which may return together. The controller's client ignores it. */
void hf_kube_learn_fleet(struct hf_kube *kube, uint64_t nodes);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event);
void hf_kube_set_contact(struct hf_kube *kube, bool proven); /* metric */

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg);
void hf_kube_silence_timer(void *arg);
void hf_kube_ends_timer(void *arg);
/* The server has answered: subscriptions that wait for the link retry, those that wait for the server keep their turn
 * (return.h). At most once in 5 seconds. hf_kube_nudge_all(): the network is back, both retry. */
void hf_kube_reached(struct hf_kube *kube);
void hf_kube_nudge_all(struct hf_kube *kube);

struct hf_kube_target {
    const char *kind;
    const char *ns;     /* NULL: cluster-scoped */
    const char *name;   /* NULL: all */
    const char *resume; /* resourceVersion, or "" */
    const char *const *known;
};
HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const struct hf_kube_target *target,
                                         const struct hf_source_sink *sink, struct hf_kube_subscription **ret_sub,
                                         struct hf_err *err);
void hf_kube_subscription_stop(struct hf_kube_subscription *sub); /* then `dead` */
/* Only while nothing on the stack uses `sub`, which is not NULL. */
void hf_kube_subscription_free(struct hf_kube_subscription *sub);
void hf_kube_subscription_turn(struct hf_kube_subscription *sub);
void hf_kube_subscription_refresh(struct hf_kube_subscription *sub);
void hf_kube_subscription_relist(struct hf_kube_subscription *sub);

struct hf_kube_delivery;
HF_MUST_USE int hf_kube_apply(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                              struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_kube_apply_abandon(struct hf_delivery *delivery);
void hf_kube_apply_abandon_all(struct hf_kube *kube);
/* -EAGAIN: `answer` lacks status.sequence or labels of `body`. Pure. */
HF_MUST_USE int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
/* The status of `answer` has more than that of `body`, and another field manager wrote into it. Pure. */
bool hf_kube_apply_has_foreign(const json_t *body, const json_t *answer);

void hf_kube_call_cancel_all(struct hf_kube *kube);
void hf_kube_call_turn(struct hf_kube *kube); /* reports calls that failed before their request */
