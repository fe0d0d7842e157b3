/* kube/api/client.h - the internal header of kube/api, for all its .c files but those with a header of their own
 * (config, credentials, exchange, kubeconfig): the client, its subscriptions and its writes. Private to pkg/kube.
 *
 * From the top down; a file calls only files below it:
 *
 *     client.c        the client and its source table, the next turn of the loop, the search for a silent server
 *     apply.c         server-side apply
 *     subscription.c  makes and ends a subscription; performs the requests of its subscriber
 *     dispatch.c      the machines of rules/reflector.h and rules/prober.h: events, effects, the ends of calls
 *     probe.c         behind a MetaServer: chooses the LIST to send, and judges its answer
 *     list.c          takes the answer to a LIST
 *     watch.c         takes the events of a watch
 *     report.c        reports to the subscriber, and doubts
 *     state.c         shared by all of them: limits, counters, contact
 *
 * Three means find silence. TCP keepalive finds a dead link (50 s). A server that accepts data and does nothing
 * breaks the rhythm of bookmarks on the connection (rules/pulse.h); a request then confirms the silence. Watches
 * that begin together get their bookmarks together. So the first watch after a failure is short, and its end is
 * chosen such that the bookmarks of the next watch are evenly spread between those of the others. A single dead
 * stream on a living connection shows by three bookmarks that it misses.
 *
 * A subscriber may unsubscribe, itself or others, from inside any of its callbacks. The subscription is then `dead`:
 * nothing of it runs any more. The beginning of the next turn frees it, when no function of ours is on the stack. */
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
    HF_KUBE_MAX_PAGES = 400,  /* pages of a hundred objects: above the ledger's bound */
    HF_KUBE_MAX_SMALL = 4000, /* pages of eight */
};

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S)
#define HF_KUBE_KEEPALIVE_NS (50 * HF_NS_PER_S) /* finds a dead connection within this time */
#define HF_KUBE_LIST_NS (60 * HF_NS_PER_S)      /* a whole page */
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)     /* a MetaServer's LIST: 10 s when the cloud is away */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)       /* a list that took longer came from the store */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)     /* a MetaServer takes up to 34 s for a PATCH */
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S)     /* a MetaServer's watch replays its store first */
#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S)   /* shortest time between two reports of unchanged contact */
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S)        /* shortest time between two readings of the credentials */
#define HF_KUBE_SILENCE_MIN_NS (150 * HF_NS_PER_S) /* where bookmarks come: three of them missing */

struct hf_kube {
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries;
    bool meta;         /* the rules of a MetaServer hold */
    bool plain;        /* http://, no TLS */
    bool switch_over;  /* the server is a MetaServer: its rules hold from the next turn on */
    bool no_watchlist; /* the server refused WatchList */
    uint64_t spread_ns;
    struct hf_timer *turn;                  /* runs the work that must not happen inside a caller's call */
    uint64_t last_reauth_ns, last_nudge_ns; /* 0: never */
    uint64_t heard_ns;                      /* last sign of life of the real server; 0: none yet */

    struct hf_pulse pulse; /* the connection that all watches share */
    uint64_t beat_s;       /* random: nodes whose power returned together do not end their watches together */
    struct hf_timer *pulse_timer;
    struct hf_exchange *ping; /* a request that asks whether the server is still there */

    struct hf_prober prober;
    struct hf_timer *probe_timer;
    struct hf_exchange *probe;
    uint64_t probe_ns;                   /* start of the LIST */
    struct hf_kube_subscription *probed; /* the subscription that the LIST serves; NULL: it has unsubscribed */
    /* behind a MetaServer: the last report of contact to all */
    enum { HF_KUBE_UNREPORTED, HF_KUBE_REPORTED_PROVEN, HF_KUBE_REPORTED_LOST } reported;

    struct hf_metric_family *m_requests, *m_events, *m_doubts, *m_errors;
    struct hf_metric *m_contact;
};

struct hf_kube_subscription {
    struct hf_subscription handle;
    struct hf_list link;
    struct hf_kube *kube;
    const struct hf_resource *resource;
    char *name; /* NULL: all */
    struct hf_source_sink sink;
    bool dead;

    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_timer *timer;        /* the reflector's */
    struct hf_exchange *exchange;  /* list or watch */
    struct hf_watch_stream stream; /* the watch's */

    char version[HF_RV_TEXT];       /* resourceVersion from which a watch resumes */
    uint64_t asked_version;         /* resourceVersion from which the open watch resumed */
    char round_version[HF_RV_TEXT]; /* resourceVersion of the ending round */
    bool version_unreported;
    char *next_page; /* continue token, NULL none */
    unsigned pages;  /* pages in this round */

    unsigned garbage;   /* unusable lines in a row */
    int start_error;    /* errno of a call that could not start; the machine gets the event in the next turn */
    bool calm;          /* the last watch ended in good order */
    bool small;         /* a page of the usual number of objects was too large */
    bool exact;         /* the watch cache answered with the past: ask the store */
    bool doubtful;      /* the ending round must not report an object as gone */
    bool confirm;       /* list again later, to learn if the objects are gone that a doubtful round lacked */
    bool wants_probe;   /* MetaServer: wants a proven LIST */
    bool relist;        /* wants a complete list that has not begun */
    bool reported_some; /* has reported an object since the last round began */
    /* MetaServer: this subscription's LIST came from the cloud, and the cloud has not barred it since */
    bool served;
    bool begun;  /* MetaServer: has asked for its first LIST */
    bool barred; /* MetaServer: by its last answer, the cloud may not list this kind */
    /* MetaServer: the cloud may list the kind, but the store answered; a second time in a row is reported */
    bool unexplained;
    bool refreshed; /* report contact and version in the next turn */
    bool contact_reported, was_lost;
    enum hf_contact_kind contact; /* as reported */

    uint64_t replay_until_ns;     /* MetaServer: the stream replays its store until this time */
    uint64_t contact_ns;          /* last report of contact */
    uint64_t heard_ns;            /* last byte of the stream */
    uint64_t bookmark_ns, gap_ns; /* time of the last bookmark; longest time between two */
    struct hf_timer *silence;     /* runs from the second bookmark on */
};

/* ---- state.c ---- */

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
void hf_kube_arm_turn(struct hf_kube *kube);
/* Reads the credentials again: once, even if several subscriptions get a 401 at the same moment. */
void hf_kube_reauth(struct hf_kube *kube);
/* Call when the server behaved like a MetaServer; `sign` says how. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* Returns the next subscription after `sub` that is not dead; for NULL the first one. NULL: there is no more. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
/* Counts events that are errors, ignores the others. */
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event);
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_heard(struct hf_kube *kube);                    /* call when bytes of a watch came */
void hf_kube_alive(struct hf_kube *kube);                    /* call when the real server gave a sign of life */
void hf_kube_set_contact(struct hf_kube *kube, bool proven); /* the gauge */

/* ---- report.c: nothing is reported to a dead subscription ---- */

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err);
void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err);
/* Behind a MetaServer: reports to all subscribers; proven contact only to those whose own LIST came from the cloud. */
void hf_kube_report_contact_to_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err);
/* Behind a MetaServer: call when this subscription's LIST came from the cloud. */
void hf_kube_report_served(struct hf_kube_subscription *sub);
void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version);
/* reports the version if it has changed since the last report */
void hf_kube_report_version(struct hf_kube_subscription *sub);
void hf_kube_report_synced(struct hf_kube_subscription *sub);
void hf_kube_report_gone(void *arg, const char *name); /* arg is the subscription */
void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object);
/* Counts, logs and reports a doubt. */
void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err);
/* True if a list or bookmark of this version is older than a version that the server sent before. */
bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version);
/* The server's history is behind the versions it sent before. The first time suspects the watch cache: returns false,
 * and the next list asks the store itself. Returns true, and believes the server's versions from here on, when the
 * store has answered, or a MetaServer, which has nothing else. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err);

/* ---- list.c ---- */

enum hf_kube_list {
    HF_KUBE_LIST_PROVEN,    /* from a real server: items are reported; *ret_next is set ("" when complete) */
    HF_KUBE_LIST_MISSPELT,  /* a MetaServer's store answered: nothing is reported */
    HF_KUBE_LIST_BACKWARDS, /* older than earlier reports: nothing is reported */
    HF_KUBE_LIST_GARBAGE,   /* nothing is reported; *err has the reason */
};
/* Takes a LIST's body into the ledger and reports its items. */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page; `next` (taken over) is the continue token. Returns the machine's event; sets *err for HF_RF_GARBAGE. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);

/* ---- watch.c ---- */

/* Meaning of a watch's event for the machines. */
struct hf_kube_outcome {
    enum hf_rf_event event; /* HF_RF_EVENTS: none */
    uint64_t retry_after_ns;
    struct hf_err err;
    bool has_err;
    bool cloud_sign; /* MetaServer: the cloud may be back */
    bool wants_list; /* MetaServer: ask for a LIST, because only a proven one can decide */
};
/* `event` NULL: the line is not an event; `why` has the reason. */
void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome);
/* Call when a 200 answer has begun. -EBADMSG: the answer is not a watch. */
HF_MUST_USE int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response);
/* Returns the time until the stream counts as silent; 0: it does now. */
uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub);

/* ---- probe.c ---- */

enum hf_kube_proof {
    HF_KUBE_DOUBTFUL,
    HF_KUBE_PROVEN,
    HF_KUBE_FROM_STORE, /* the store answered without delay, so the cloud may be in reach */
};
/* The next subscription that wants a LIST, in turn after the one that had the last. */
struct hf_kube_subscription *hf_kube_probe_next(struct hf_kube *kube);
bool hf_kube_probe_has_others(struct hf_kube *kube);
/* Sends a LIST for the next subscription. -ENOENT: there is no subscription for one. */
HF_MUST_USE int hf_kube_probe_start(struct hf_kube *kube, const struct hf_exchange_owner *owner);
/* Takes the answer to that LIST. */
enum hf_kube_proof hf_kube_probe_take(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                                      struct hf_view body, struct hf_err *err);
/* Asks whether the cloud may list the kind of kube->probed. */
HF_MUST_USE int hf_kube_probe_review(struct hf_kube *kube, const struct hf_exchange_owner *owner);
enum hf_prober_event hf_kube_probe_judge(struct hf_kube *kube, enum hf_review review, struct hf_err *err);

/* ---- dispatch.c ---- */

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg); /* arg is the subscription */
void hf_kube_silence_timer(void *arg);   /* arg is the subscription */
void hf_kube_probe_timer(void *arg);     /* arg is the hf_kube */
/* Call when the server is in reach: subscriptions that rest because it was not try again. Does nothing within
 * `at_least_ns` after the last time, or streams that the server accepts and cuts would wake each other for ever. */
void hf_kube_nudge_all(struct hf_kube *kube, uint64_t at_least_ns);
/* Behind a MetaServer: asks for the first LIST of a subscription. Its watch opens after that LIST came from the
 * cloud, not before: a watch of a kind that CloudCore may not list stops CloudCore's dynamic controller, and with it
 * the MetaServer of every node, until it may. */
void hf_kube_begin_list(struct hf_kube_subscription *sub);
void hf_kube_want_list(struct hf_kube_subscription *sub);
void hf_kube_cloud_sign(struct hf_kube *kube);
/* after a 5xx or no answer: asks if the cloud is still in reach */
void hf_kube_write_failed(struct hf_kube *kube);
void hf_kube_forget_probe(struct hf_kube_subscription *sub); /* it unsubscribes */

/* ---- subscription.c ---- */

HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const char *kind, const char *name, const char *resume,
                                         const char *const *known, const struct hf_source_sink *sink,
                                         struct hf_kube_subscription **ret_sub, struct hf_err *err);
void hf_kube_subscription_stop(struct hf_kube_subscription *sub); /* it is dead */
/* frees the subscription when no function of ours is on the stack */
void hf_kube_subscription_free(struct hf_kube_subscription *sub);
void hf_kube_subscription_turn(struct hf_kube_subscription *sub); /* does the work that was put off to this turn */
void hf_kube_subscription_refresh(struct hf_kube_subscription *sub);
void hf_kube_subscription_relist(struct hf_kube_subscription *sub);

/* ---- apply.c ---- */

struct hf_kube_delivery;
HF_MUST_USE int hf_kube_apply(struct hf_kube *kube, const json_t *body, const char *subresource, hf_source_done *done,
                              void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_kube_apply_abandon(struct hf_delivery *delivery);
void hf_kube_apply_abandon_all(struct hf_kube *kube);
/* Ends the writes that failed without a call. */
void hf_kube_apply_turn(struct hf_kube *kube);
/* 0 when the server's answer shows what `body` wrote, else -EAGAIN. Pure. */
HF_MUST_USE int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
