/* kube/api/client.h - the internal header of kube/api, for the client, its subscriptions and its writes. Private to
 * pkg/kube.
 *
 * The list goes from the top down; a file calls only files below it:
 *
 *     client.c        the client and its source table, the work of the next loop turn, the ping of a silent server
 *     apply.c         server-side apply
 *     subscription.c  makes and ends a subscription; performs the requests of its subscriber
 *     dispatch.c      the machines of rules/reflector.h and rules/prober.h: events, effects, the ends of calls
 *     probe.c         behind a MetaServer: chooses the LIST to send, and judges its answer
 *     list.c          takes the answer to a LIST
 *     watch.c         takes the events of a watch
 *     report.c        reports to the subscriber; finds answers that are older than earlier ones
 *     state.c         shared by all of them: limits, counters, contact
 *
 * The client finds silence by three means. (1) TCP keepalive finds a dead link within 50 s. (2) If the connection is
 * silent for longer than usual, the client sends a ping, because the server may accept data and do nothing
 * (rules/pulse.h). (3) If three bookmarks of one watch are missing, that watch is dead, even if the connection works.
 *
 * Means 2 works best if bookmarks are evenly spread, but watches that begin together get their bookmarks together. So
 * the first watch after a failure is short, and it ends at a moment from which the bookmarks of the next watch fall
 * between those of the other watches.
 *
 * A subscriber may end its own or another subscription inside any of its callbacks. The subscription is then `dead`,
 * and none of its callbacks or requests runs any more. The next loop turn frees the subscription at its beginning,
 * because no function that uses it is on the stack then. */
#pragma once

#include "base/list.h"
#include "kube/api/exchange.h"
#include "kube/kube.h"
#include "kube/resource.h"
#include "kube/rules/ledger.h"
#include "kube/rules/prober.h"
#include "kube/rules/pulse.h"
#include "kube/rules/reflector.h"
#include "kube/rules/review.h"
#include "kube/rules/watch_stream.h"
#include "web/metrics.h"

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    HF_KUBE_MAX_LIST_NODES = 2000000,
    HF_KUBE_MAX_GARBAGE = 16, /* unusable lines in a row after which a stream has failed */
    HF_KUBE_MAX_DELIVERIES = 32,
    HF_KUBE_MAX_PAGES = 400,  /* pages of 100 objects; this many hold more than the ledger's limit */
    HF_KUBE_MAX_SMALL = 4000, /* pages of 8 objects */
};

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S)
#define HF_KUBE_KEEPALIVE_NS (50 * HF_NS_PER_S) /* finds a dead connection within this time */
#define HF_KUBE_LIST_NS (60 * HF_NS_PER_S)      /* deadline for a whole page of a LIST */
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)     /* for a MetaServer's LIST (10 s while the cloud is away) */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)       /* a MetaServer's LIST that took longer came from its store */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)     /* a MetaServer takes up to 34 s for a PATCH */
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S)     /* a MetaServer's watch replays its store first */
#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S)   /* shortest time between two reports of unchanged contact */
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S)        /* shortest time between two readings of the credentials */
#define HF_KUBE_SILENCE_MIN_NS (150 * HF_NS_PER_S) /* shortest silence that ends a watch with bookmarks */

struct hf_kube {
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries;
    bool meta;         /* the server is a MetaServer; use its rules */
    bool plain;        /* http://, no TLS */
    bool switch_over;  /* the server proved to be a MetaServer; set `meta` in the next turn */
    bool no_watchlist; /* the server refused WatchList */
    uint64_t spread_ns;
    struct hf_timer *turn;                  /* runs work that must not happen inside a call of our user */
    uint64_t last_reauth_ns, last_nudge_ns; /* 0 means never */
    uint64_t heard_ns;                      /* last sign of life of the real server (0 means none yet) */

    struct hf_pulse pulse; /* the connection that all watches share */
    uint64_t beat_s; /* random, so that nodes whose power returned together end their watches at different times */
    struct hf_timer *pulse_timer;
    struct hf_exchange *ping; /* a request that asks whether the server is still there */

    struct hf_prober prober;
    struct hf_timer *probe_timer;
    struct hf_exchange *probe;
    uint64_t probe_ns;                   /* start of the LIST */
    struct hf_kube_subscription *probed; /* the subscription of the LIST; NULL if the subscriber has unsubscribed */
    /* behind a MetaServer: the last contact reported to all subscribers */
    enum { HF_KUBE_UNREPORTED, HF_KUBE_REPORTED_PROVEN, HF_KUBE_REPORTED_LOST } reported;

    struct hf_metric_family *m_requests, *m_events, *m_doubts, *m_errors;
    struct hf_metric *m_contact;
};

struct hf_kube_subscription {
    struct hf_subscription handle;
    struct hf_list link;
    struct hf_kube *kube;
    const struct hf_resource *resource;
    char *name; /* NULL means all objects */
    struct hf_source_sink sink;
    bool dead;

    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_timer *timer;        /* timer of the reflector */
    struct hf_exchange *exchange;  /* list or watch */
    struct hf_watch_stream stream; /* parser of the watch's body */

    char version[HF_RV_TEXT];       /* resourceVersion from which a watch resumes */
    uint64_t asked_version;         /* resourceVersion from which the open watch resumed */
    char round_version[HF_RV_TEXT]; /* resourceVersion of the round that is about to end */
    bool version_unreported;
    char *next_page; /* continue token, or NULL */
    unsigned pages;  /* pages in this round */

    unsigned garbage;   /* unusable lines in a row */
    int start_error;    /* -errno of a call that failed to start; the reflector gets the event in the next turn */
    bool calm;          /* the last watch ended in good order */
    bool small;         /* a page of the usual number of objects was too large */
    bool exact;         /* the server's watch cache answered with an old state; list from its store */
    bool doubtful;      /* the ending round must not report an object as gone */
    bool confirm;       /* list again later: objects that a doubtful round lacked may be gone */
    bool wants_probe;   /* MetaServer: wants a LIST that the cloud answers */
    bool relist;        /* wants a complete list that has not begun */
    bool reported_some; /* has reported an object since the last round began */
    /* MetaServer: the cloud answered the LIST of this subscription, and has not refused a LIST of it since */
    bool served;
    bool begun;  /* MetaServer: has requested its first LIST */
    bool barred; /* MetaServer: the cloud may not list this kind, or does not have it */
    /* MetaServer: the cloud may list the kind, but the MetaServer's store answered the last LIST. If this happens twice
     * in a row, the subscription becomes `barred`. */
    bool unexplained;
    bool refreshed; /* report contact and version in the next turn */
    bool contact_reported, was_lost;
    enum hf_contact_kind contact; /* the contact last reported */

    uint64_t replay_until_ns;     /* MetaServer: the stream replays its store until this time */
    uint64_t contact_ns;          /* last report of contact */
    uint64_t heard_ns;            /* last byte of the stream */
    uint64_t bookmark_ns, gap_ns; /* time of the last bookmark, and longest time between two bookmarks */
    struct hf_timer *silence;     /* runs from the second bookmark on */
};

/* ---- state.c ---- */

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
void hf_kube_arm_turn(struct hf_kube *kube);
/* Reads the credentials again, but not within HF_KUBE_REAUTH_NS after the last time, because several subscriptions may
 * get a 401 at the same moment. */
void hf_kube_reauth(struct hf_kube *kube);
/* Call when the server behaved like a MetaServer; `sign` describes the behaviour for the log. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* Returns the next subscription after `sub` that is not dead, or the first if `sub` is NULL. Returns NULL at the
 * end. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
/* Counts the event if it is an error. */
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event);
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_heard(struct hf_kube *kube);                    /* call when bytes of a watch arrive */
void hf_kube_alive(struct hf_kube *kube);                    /* call when the real server gives a sign of life */
void hf_kube_set_contact(struct hf_kube *kube, bool proven); /* sets the metric */

/* ---- report.c: a dead subscription gets no reports ---- */

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err);
void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err);
/* Behind a MetaServer: reports LOST to all subscribers, but PROVEN only to those whose own LIST the cloud answered. */
void hf_kube_report_contact_to_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err);
/* Behind a MetaServer: call when the cloud answered the LIST of this subscription. */
void hf_kube_report_served(struct hf_kube_subscription *sub);
void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version);
/* reports the version if it has changed since the last report */
void hf_kube_report_version(struct hf_kube_subscription *sub);
void hf_kube_report_synced(struct hf_kube_subscription *sub);
void hf_kube_report_gone(void *arg, const char *name); /* arg is the subscription */
void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object);
/* Counts and logs a doubt (an answer that is unusable or older than earlier ones), and reports it as refused. */
void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err);
/* Returns true if `version` of a list or bookmark is older than a version that the server sent before. */
bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version);
/* Call when the server sent a version that is older than earlier ones. At the first call, an old watch cache may be the
 * reason, so the function returns false, and the next list comes from the server's store. If the store itself sent the
 * old version, or if the server is a MetaServer, the function returns true and accepts the lower versions from then on.
 * The current round then reports no object as gone. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err);

/* ---- list.c ---- */

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,    /* the API server answered; items are reported; *ret_next is the continue token or "" */
    HF_KUBE_LIST_MISSPELT,  /* a MetaServer's store answered; nothing is reported */
    HF_KUBE_LIST_BACKWARDS, /* the list is older than earlier answers; nothing is reported */
    HF_KUBE_LIST_GARBAGE,   /* the list is unusable, for the reason in *err; nothing is reported */
};
/* Takes a LIST's body into the ledger and reports its items. */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page. `next` is the continue token, which the function takes over. Returns the event for the reflector, and
 * sets *err for HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);

/* ---- watch.c ---- */

/* What an event of a watch means for the reflector and the prober. */
struct hf_kube_outcome {
    enum hf_rf_event event; /* HF_RF_EVENTS means none */
    uint64_t retry_after_ns;
    struct hf_err err;
    bool has_err;
    bool cloud_sign; /* MetaServer: the cloud may be back */
    bool wants_list; /* MetaServer: request a LIST, because the event may come from the local store */
};
/* Takes one event of the watch. If the line is not an event, `event` is NULL and `why` has the reason. */
void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome);
/* Call when a 200 answer has begun. -EBADMSG: the answer is not a watch. */
HF_MUST_USE int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response);
/* Returns the time until the stream counts as silent, or 0 if it is silent now. */
uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub);

/* ---- probe.c ---- */

enum hf_kube_proof {
    HF_KUBE_DOUBTFUL,
    HF_KUBE_PROVEN,
    HF_KUBE_FROM_STORE, /* the MetaServer's store answered at once, so the cloud may be reachable */
};
/* Returns the next subscription that wants a LIST, beginning after kube->probed, or NULL if no subscription wants a
 * LIST. */
struct hf_kube_subscription *hf_kube_probe_next(struct hf_kube *kube);
bool hf_kube_probe_has_others(struct hf_kube *kube);
/* Sends the LIST of the next subscription. -ENOENT: there is no subscription to list for. */
HF_MUST_USE int hf_kube_probe_start(struct hf_kube *kube, const struct hf_exchange_owner *owner);
/* Takes the answer to that LIST. */
enum hf_kube_proof hf_kube_probe_take(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                                      struct hf_view body, struct hf_err *err);
/* Sends a review (rules/review.h) that asks if the cloud may list the kind of kube->probed. */
HF_MUST_USE int hf_kube_probe_review(struct hf_kube *kube, const struct hf_exchange_owner *owner);
enum hf_prober_event hf_kube_probe_judge(struct hf_kube *kube, enum hf_review review, struct hf_err *err);

/* ---- dispatch.c ---- */

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg); /* arg is the subscription */
void hf_kube_silence_timer(void *arg);   /* arg is the subscription */
void hf_kube_probe_timer(void *arg);     /* arg is the hf_kube */
/* Call when the server is reachable again. Subscriptions that wait because it was unreachable then retry. Ignores calls
 * within `at_least_ns` of the last effective one. Otherwise, streams that the server accepts and then closes would wake
 * each other in a loop. */
void hf_kube_nudge_all(struct hf_kube *kube, uint64_t at_least_ns);
/* Behind a MetaServer: requests the first LIST of a subscription. The watch of the subscription opens only after the
 * cloud has answered that LIST. The reason is that a watch of a kind that CloudCore may not list stops CloudCore's
 * dynamic controller. The MetaServers of all nodes then stop too, until CloudCore gets the permission. */
void hf_kube_begin_list(struct hf_kube_subscription *sub);
void hf_kube_want_list(struct hf_kube_subscription *sub);
void hf_kube_cloud_sign(struct hf_kube *kube);
/* Call after a write that got a 5xx or no answer; behind a MetaServer, checks if the cloud is still reachable. */
void hf_kube_write_failed(struct hf_kube *kube);
void hf_kube_forget_probe(struct hf_kube_subscription *sub); /* call when the subscription ends */

/* ---- subscription.c ---- */

HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const char *kind, const char *name, const char *resume,
                                         const char *const *known, const struct hf_source_sink *sink,
                                         struct hf_kube_subscription **ret_sub, struct hf_err *err);
void hf_kube_subscription_stop(struct hf_kube_subscription *sub); /* marks the subscription as dead */
/* Frees the subscription. Call only when no function that uses it is on the stack. */
void hf_kube_subscription_free(struct hf_kube_subscription *sub);
void hf_kube_subscription_turn(struct hf_kube_subscription *sub); /* does the work left for this turn */
void hf_kube_subscription_refresh(struct hf_kube_subscription *sub);
void hf_kube_subscription_relist(struct hf_kube_subscription *sub);

/* ---- apply.c ---- */

struct hf_kube_delivery;
HF_MUST_USE int hf_kube_apply(struct hf_kube *kube, const json_t *body, const char *subresource, hf_source_done *done,
                              void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_kube_apply_abandon(struct hf_delivery *delivery);
void hf_kube_apply_abandon_all(struct hf_kube *kube);
/* Calls `done` for the writes that failed before a request was sent. */
void hf_kube_apply_turn(struct hf_kube *kube);
/* Returns 0 if `answer` shows the status.sequence and the labels that `body` wrote, else -EAGAIN. Pure. */
HF_MUST_USE int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
