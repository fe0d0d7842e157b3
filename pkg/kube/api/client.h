/* SPDX-License-Identifier: Apache-2.0 */
/* The client and its subscriptions, for the files of kube/api.
 *
 * A subscription that has ended is `dead`, without further callbacks or requests, until the loop's next turn frees
 * it. */
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
    struct hf_list deliveries;
    struct hf_list calls;
    bool switch_over;
    bool plain;        /* the URL is http:// */
    bool no_watchlist; /* begin with LIST: a WatchList failed, or this may be a MetaServer */
    uint64_t spread_ns;
    uint64_t fleet_nodes; /* highest number of nodes that an EdgeUpdate selects, up to 1500 */
    struct hf_timer *turn;
    struct hf_timer *ends;
    uint64_t last_reauth_ns;
    uint64_t last_nudge_ns;
    uint64_t empty_ns;
    uint64_t went_back_ns; /* when all subscriptions last had to list again; 0: never */
    uint64_t beat_s;
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
    const struct hf_resource *resource; /* in resource.c, or &own for an object in a namespace */
    struct hf_resource own;
    char *own_path, *own_ns; /* strings that `own` borrows; NULL: cluster-scoped */
    char *name;              /* of the only object; NULL: all objects */
    struct hf_source_sink sink;
    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_strmap unreadable;
    struct hf_timer *timer;
    struct hf_exchange *exchange;
    uint64_t asked_ns;
    int start_error;          /* -errno that the next turn reports */
    char version[HF_RV_TEXT]; /* from which a watch may resume */
    bool version_unreported;
    bool refreshed;
    bool dead;
    struct hf_kube_round round;
    struct hf_kube_next_round next;
    struct hf_kube_watch watch;
    struct hf_kube_contact contact;
    struct hf_kube_meta_sub meta;
};

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
bool hf_kube_wants_metadata(const struct hf_kube_subscription *sub);
void hf_kube_arm_turn(struct hf_kube *kube);
void hf_kube_reauth(struct hf_kube *kube);
/* Returns the first subscription after `sub` (NULL: of all) that is not dead, or NULL. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
/* Switches HF_KUBE_AUTO to a MetaServer's rules in the next turn. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
void hf_kube_learn_fleet(struct hf_kube *kube, uint64_t nodes);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event);
void hf_kube_set_contact(struct hf_kube *kube, bool proven);

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg);
void hf_kube_silence_timer(void *arg);
void hf_kube_ends_timer(void *arg);
/* Nudge the subscriptions that wait for the network. _reached(): at most once in 5 seconds. _all(), or both behind a
 * MetaServer: also those that wait for the server. */
void hf_kube_reached(struct hf_kube *kube);
void hf_kube_nudge_all(struct hf_kube *kube);

struct hf_kube_target {
    const char *kind;
    const char *ns;     /* NULL: cluster-scoped */
    const char *name;   /* NULL: all objects */
    const char *resume; /* resourceVersion, or "" */
    const char *const *known;
};
HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const struct hf_kube_target *target,
                                         const struct hf_source_sink *sink, struct hf_kube_subscription **ret_sub,
                                         struct hf_err *err);
void hf_kube_subscription_stop(struct hf_kube_subscription *sub);
/* Only while nothing on the stack uses it. */
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
/* Whether another field manager has put more into the status than `body` has. Pure. */
bool hf_kube_apply_has_foreign(const json_t *body, const json_t *answer);

void hf_kube_call_cancel_all(struct hf_kube *kube);
void hf_kube_call_turn(struct hf_kube *kube);
