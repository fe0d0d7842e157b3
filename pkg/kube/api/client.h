/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/client.h - the internal header of kube/api, for the client, its subscriptions and its writes. Private to
 * pkg/kube.
 *
 * Each file in this list calls only files that come later in the list:
 *
 *     client.c        the client and its source table; the work that waits for the event loop's next iteration; the
 *                     ping to a silent server; the review of second-hand answers
 *     apply.c         server-side apply for the source table
 *     call.c          single requests to any resource (kube/call.h)
 *     subscription.c  makes and ends a subscription; performs the requests of its subscriber
 *     dispatch.c      passes events to the state machines of rules/reflector.h and rules/prober.h, and performs their
 *                     effects
 *     probe.c         behind a MetaServer, chooses the LIST to send, and judges the answer
 *     return.c        after the server was away, decides which subscription asks, and when
 *     list.c          handles the answer to a LIST
 *     watch.c         handles the events of a watch
 *     report.c        reports to the subscriber; finds answers that are older than earlier answers
 *     state.c         limits, counters and contact, for all other files
 *
 * The client detects a silent server by three means. (1) TCP keepalive finds a dead link within 50 s. (2) If the
 * connection is silent for longer than usual, the client sends a ping, because the server may accept data and do
 * nothing (rules/pulse.h). (3) If three bookmarks of one watch are missing, the client treats this watch as dead, even
 * if the connection works.
 *
 * Means 2 works best if bookmarks are evenly spread, but watches that begin together get their bookmarks together. So
 * the first watch of a subscription after a failure is short. It ends at such a moment that the bookmarks of the next
 * watch come between the bookmarks of the other watches.
 *
 * A round collects all objects of a subscription once, by a WatchList or a LIST of one or more pages
 * (rules/reflector.h). A subscriber may end its own or another subscription inside any of its callbacks. The
 * subscription is then `dead`, and the client makes no callback and no request for it any more. The event loop's next
 * iteration frees the subscription, because at the start of an iteration no function that uses the subscription is on
 * the stack. */
#pragma once

#include "base/list.h"
#include "kube/api/exchange.h"
#include "kube/api/return.h"
#include "kube/kube.h"
#include "kube/resource.h"
#include "kube/rules/ledger.h"
#include "kube/rules/origin.h"
#include "kube/rules/prober.h"
#include "kube/rules/pulse.h"
#include "kube/rules/reflector.h"
#include "kube/rules/review.h"
#include "kube/rules/watch_stream.h"
#include "web/metrics.h"

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    HF_KUBE_MAX_UNREADABLE = 1000, /* maximum number of objects that the client remembers as unreadable */
    HF_KUBE_MAX_GARBAGE = 16,      /* number of unusable lines in a row after which a stream counts as failed */
    HF_KUBE_MAX_DELIVERIES = 32,
    /* The maximum number of pages of a list is the maximum number of objects in the ledger, divided by
     * HF_KUBE_SMALL_PAGE for pages of 8 objects, and by HF_KUBE_PAGE for larger pages. Pages usually hold more objects
     * than these two numbers, so the maximum stops only a list without an end. */
    HF_KUBE_SMALL_PAGE = 5,
    HF_KUBE_PAGE = 50,
};

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S) /* time limit for a ping */
/* A slow link may need many minutes for a list: 64 kbit/s carry less than 30 MB an hour. So what counts is how long no
 * byte of a LIST's page comes, or no byte of a WatchList after the first HF_RF_FILL_NS. The limit of a WatchList is
 * shorter than the time between two bookmarks, so that a WatchList which sends bookmarks alone ends, too. */
#define HF_KUBE_LIST_IDLE_NS (60 * HF_NS_PER_S)
#define HF_KUBE_FILL_IDLE_NS (45 * HF_NS_PER_S)
#define HF_KUBE_LIST_NS (900 * HF_NS_PER_S) /* time limit for a whole page of a LIST, or for a WatchList */
/* An API server ends an answer that takes longer than its --request-timeout, usually 60 s. If an answer to a LIST
 * breaks after this time, the next list asks for pages. */
#define HF_KUBE_LIST_SLOW_NS (45 * HF_NS_PER_S)
/* time limit for a review, and for a MetaServer's LIST, which takes 10 s while the cloud is not reachable */
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)
/* if a MetaServer takes this long or longer to answer a LIST, only the right spelling of a `provable` kind proves that
 * the cloud answered (resource.h) */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)
/* time limit for a server-side apply; a MetaServer takes up to 34 s for a PATCH */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)
/* minimum time between two times at which the client empties a status into which others have written */
#define HF_KUBE_EMPTY_NS (600 * HF_NS_PER_S)
/* time during which a new watch of a MetaServer replays the MetaServer's store */
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S)
#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S) /* minimum time between two reports of PROVEN without a new Date */
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S)    /* minimum time between two calls of hf_kube_reached() with an effect */
/* A server often ends the watches of one kind for all nodes at once. So if a watch ends before its time, the
 * subscription waits for a random delay before it opens the watch again. The longest delay is HF_KUBE_REOPEN_EACH_NS
 * multiplied by the number of nodes of the fleet. The shortest delay is HF_KUBE_ENDS_NS. If during this delay another
 * watch of this node ends too early, too, the client assumes that the server shuts down. */
#define HF_KUBE_ENDS_NS (300 * HF_NS_PER_MS)
#define HF_KUBE_REOPEN_EACH_NS (20 * HF_NS_PER_MS)
/* a watch has ended before its time if it ends more than this long before its `due_ns` */
#define HF_KUBE_DUE_NS (5 * HF_NS_PER_S)
/* A review finds out if a gateway removes the header Audit-Id. The first review is HF_KUBE_REVIEW_NS after the first
 * second-hand answer. The next one follows after at least the same time again, and this minimum doubles with each
 * review that an API server answers with the header, up to HF_KUBE_REVIEW_MAX_NS. */
#define HF_KUBE_REVIEW_NS (300 * HF_NS_PER_S)
#define HF_KUBE_REVIEW_MAX_NS (3600 * HF_NS_PER_S)
/* After the store has shown that it went back to a lower revision, all subscriptions list again. For this time, further
 * such lists cause no more of that. */
#define HF_KUBE_WENT_BACK_NS (600 * HF_NS_PER_S)
#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S)        /* minimum time between two reads of the credentials */
#define HF_KUBE_SILENCE_MIN_NS (150 * HF_NS_PER_S) /* shortest silence after which a watch with bookmarks is dead */

struct hf_kube {
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries; /* server-side applies of the source table */
    struct hf_list calls;      /* every call of kube/call.h in flight, also those of the deliveries */
    bool meta;                 /* true if the server is a MetaServer, for which other rules hold */
    bool plain;                /* true if the URL is http://, without TLS */
    /* true if the server has just behaved like a MetaServer; the event loop's next iteration then sets `meta` */
    bool switch_over;
    /* true if the client sends a LIST instead of a WatchList, because the server cannot do WatchList, or may be a
     * MetaServer */
    bool no_watchlist;
    struct hf_origin origin;    /* what the answers showed about a proxy on this node that answers for the API server */
    struct hf_exchange *review; /* review of `origin` that is in flight; NULL if there is none */
    bool wants_review;          /* true if the event loop's next iteration must send a review of `origin` */
    /* monotonic time before which the client sends no review of `origin` (0 means that no second-hand answer has
     * come) */
    uint64_t review_ns;
    uint64_t review_wait_ns; /* minimum time between two reviews */
    uint64_t spread_ns;
    /* the largest number of nodes that the status of one EdgeUpdate shows as selected (0 means unknown); never above
     * the number of nodes for which the spread reaches HF_RF_SPREAD_MAX_NS */
    uint64_t fleet_nodes;
    /* timer that starts work in the loop's next iteration, because no callback may run inside a function that the
     * client's user has called */
    struct hf_timer *turn;
    /* monotonic times of the last read of the credentials, and of the last nudge that had an effect (0 means never) */
    uint64_t last_reauth_ns, last_nudge_ns;
    /* monotonic time of the last sign of life from the real server (0 means none yet) */
    uint64_t heard_ns;
    struct hf_kube_return back; /* how the subscriptions return to a server that was away */
    uint64_t empty_ns;          /* monotonic time before which the client empties no status (HF_KUBE_EMPTY_NS) */
    uint64_t went_back_ns;      /* monotonic time at which all subscriptions last had to list again (0 means never) */
    struct hf_timer *ends;      /* timer for watches that have ended before their time */

    struct hf_pulse pulse; /* decides when to send a ping, by how long the watches' connection is silent */
    /* random offset of the ends of watches, so that nodes whose power returned at the same time end their watches at
     * different times */
    uint64_t beat_s;
    struct hf_timer *pulse_timer;
    /* the ping in flight, a request that finds out if a silent server still works; NULL if there is none */
    struct hf_exchange *ping;

    struct hf_prober prober;
    struct hf_timer *probe_timer;
    struct hf_exchange *probe;
    uint64_t probe_ns; /* monotonic time at which the LIST in flight started */
    /* -errno of a LIST or review of the prober that failed to start (0 means none); the event loop's next iteration
     * passes the failure to the prober */
    int probe_error;
    bool reviews_watch; /* true if the request in flight is a review that precedes the LIST of `probed` */
    /* subscription for which the client sent the last LIST or review, which may still be in flight; NULL if there was
     * none, or if the subscriber has unsubscribed */
    struct hf_kube_subscription *probed;
    /* behind a MetaServer, the contact that the client last reported to all subscribers */
    enum { HF_KUBE_UNREPORTED, HF_KUBE_REPORTED_PROVEN, HF_KUBE_REPORTED_LOST } reported;

    struct hf_metric_family *m_requests, *m_events, *m_doubts, *m_errors;
    struct hf_metric *m_contact;
};

struct hf_kube_subscription {
    struct hf_subscription handle;
    struct hf_list link;
    struct hf_kube *kube;
    const struct hf_resource *resource; /* a row of resource.c, or &own for an object in a namespace */
    struct hf_resource own;
    char *own_path, *own_ns; /* what `own` borrows; NULL for a cluster-scoped kind */
    char *name;              /* name of the single object to follow; NULL means all objects of the kind */
    struct hf_source_sink sink;
    bool dead;

    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_strmap unreadable;   /* versions of the objects that cannot be parsed, by name (report.c) */
    struct hf_timer *timer;        /* timer that the reflector sets */
    struct hf_exchange *exchange;  /* LIST or watch in flight; NULL if there is none */
    struct hf_watch_stream stream; /* parser of the body of the watch */

    char version[HF_RV_TEXT]; /* resourceVersion from which the next watch resumes */
    uint64_t asked_version;   /* resourceVersion from which the open watch resumed */
    /* resourceVersion of the list in progress, which becomes `version` at the end of the round */
    char round_version[HF_RV_TEXT];
    bool version_unreported;
    char *next_page; /* continue token of the next page of the list, or NULL */
    unsigned pages;  /* number of pages received in this round */

    unsigned garbage; /* number of unusable lines in a row in the watch stream */
    /* -errno of a call that failed to start; the event loop's next iteration passes the failure to the reflector */
    int start_error;
    bool calm;         /* true if the last watch ended without an error */
    bool served_once;  /* true if the server has ever answered a list of this subscription, or accepted a watch */
    bool ended;        /* true if the watch has ended before its time, and the reflector has not got this event yet */
    uint64_t due_ns;   /* monotonic time at which the server should end the watch */
    uint64_t asked_ns; /* monotonic time at which the last LIST or watch started */
    /* if `ended`: monotonic time at which to open the watch again, unless another watch ends too early meanwhile */
    uint64_t reopen_ns;
    bool small; /* true if a page of 100 objects was too large or too slow, so that the list uses pages of 8 objects */
    /* true if the server's watch cache answered with an old state, or with a list that was too large or too slow, so
     * that the next list must come from the server's store */
    bool exact;
    /* true if the next list that begins must come from the server's store, and reports all objects whatever their
     * versions; its round is `doubtful` */
    bool anew;
    /* true if a line of the watch was longer than the limit, so that a WatchList cannot name its object */
    bool too_long;
    bool contradicted; /* true if the round in progress has an object in an older version than was reported before */
    bool doubtful;     /* true if the round in progress must not report any object as gone */
    /* true if the last round was `doubtful`, so that the ledger may hold objects that no longer exist; the next
     * hf_kube_subscription_refresh() then lists again */
    bool confirm;
    bool twice;         /* true if one more list follows the next one (hf_kube_restored()) */
    bool wants_probe;   /* behind a MetaServer, true if the subscription wants a LIST that the cloud answers */
    bool relist;        /* true if the subscriber wants a complete list that has not begun */
    bool reported_some; /* true if the subscription has reported an object since the last round began */
    /* Behind a MetaServer, true if the cloud has answered a LIST of this subscription. A later review sets the field to
     * false if it shows that the cloud is reachable, and that only the MetaServer answers this LIST. */
    bool served;
    bool begun; /* behind a MetaServer, true if the subscription has requested its first LIST */
    /* behind a MetaServer, for an object in a namespace: true if a review has shown that CloudCore may watch the
     * kind */
    bool may_watch;
    bool barred; /* behind a MetaServer, true if the cloud may not list this kind, or does not have this kind */
    /* Behind a MetaServer, true if the cloud may list the kind but the MetaServer's store answered the last LIST. If
     * this happens twice in a row, the subscription becomes `barred`. */
    bool unexplained;
    bool refreshed; /* true if the event loop's next iteration must report contact and version */
    bool contact_reported, was_lost;
    enum hf_contact_kind contact; /* contact that the client last reported to this subscriber */

    /* behind a MetaServer, monotonic time until which the stream replays the MetaServer's store */
    uint64_t replay_until_ns;
    uint64_t contact_ns;          /* monotonic time of the last report of contact */
    uint64_t heard_ns;            /* monotonic time of the last byte of the watch stream */
    uint64_t bookmark_ns, gap_ns; /* monotonic time of the last bookmark, and the longest time between two bookmarks */
    struct hf_timer *silence;     /* timer that ends a silent watch; it runs from the second bookmark on */
};

/* ---- state.c ---- */

uint64_t hf_kube_now_ns(const struct hf_kube *kube);
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
/* Returns true if the subscription requests only the metadata of its objects (PartialObjectMetadata). */
bool hf_kube_wants_metadata(const struct hf_kube_subscription *sub);
void hf_kube_arm_turn(struct hf_kube *kube);
/* Reads the credentials again, unless the last read was less than HF_KUBE_REAUTH_NS ago. Several subscriptions may get
 * a 401 at the same moment, and then need only one read. */
void hf_kube_reauth(struct hf_kube *kube);
/* Call this function when a call has ended because its answer is second-hand (kube/rules/origin.h). The first such
 * answer sets the time of the first review. A second-hand answer after this time makes the event loop's next iteration
 * send the review. The function does nothing if the address of the server is one of YurtHub's. */
void hf_kube_second_hand(struct hf_kube *kube);
/* Call this function when the server has behaved like a MetaServer. `sign` describes the behavior for the log. */
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* Returns the next subscription after `sub` that is not dead, or the first if `sub` is NULL. Returns NULL at the
 * end. */
struct hf_kube_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_kube_subscription *sub);
/* Records that an EdgeUpdate selects this number of nodes, which may all return to the server together. The spread is
 * then at least HF_KUBE_SPREAD_EACH_NS multiplied by this number, but at most HF_RF_SPREAD_MAX_NS. Does nothing in the
 * controller, because no other controller returns together with it. */
void hf_kube_learn_fleet(struct hf_kube *kube, uint64_t nodes);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
/* Counts the event in the metric of errors, if the event is an error. */
void hf_kube_count_error(struct hf_kube *kube, const char *kind, enum hf_rf_event event);
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_heard(struct hf_kube *kube); /* Call this function when bytes of a watch arrive. */
/* Call this function when the real server gives a sign of life. */
void hf_kube_alive(struct hf_kube *kube);
void hf_kube_set_contact(struct hf_kube *kube, bool proven); /* Sets the metric of contact to `proven`. */

/* ---- report.c: a dead subscription gets no reports ---- */

void hf_kube_report_refused(struct hf_kube_subscription *sub, const char *what, const struct hf_err *err);
void hf_kube_report_contact(struct hf_kube_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                            const struct hf_err *err);
/* Reports contact behind a MetaServer. Reports LOST to all subscribers, but PROVEN only to those subscribers whose own
 * LIST the cloud has answered. */
void hf_kube_report_contact_to_all(struct hf_kube *kube, enum hf_contact_kind kind, const struct hf_err *err);
/* Call this function, behind a MetaServer, when the cloud has answered the LIST of this subscription. */
void hf_kube_report_served(struct hf_kube_subscription *sub);
void hf_kube_set_version(struct hf_kube_subscription *sub, const char *resource_version);
/* Reports the resourceVersion to the subscriber, if it has changed since the last report. */
void hf_kube_report_version(struct hf_kube_subscription *sub);
void hf_kube_report_synced(struct hf_kube_subscription *sub);
void hf_kube_report_gone(void *arg, const char *name); /* `arg` is the subscription. */
void hf_kube_report_upsert(struct hf_kube_subscription *sub, json_t *object);
/* Reports an object that cannot be parsed. `version` is its resourceVersion (0 means unknown). If the client remembers
 * this version as unreadable (HF_KUBE_MAX_UNREADABLE), the function does not report it again. */
void hf_kube_report_unreadable(struct hf_kube_subscription *sub, const char *name, uint64_t version,
                               const struct hf_err *err);
/* If the object was unreadable, reports that it no longer is. */
void hf_kube_report_readable(struct hf_kube_subscription *sub, const char *name);
/* Call this function at the end of a complete round. If an unreadable object was not in the list, reports that it is no
 * longer unreadable. */
void hf_kube_report_readable_rest(struct hf_kube_subscription *sub);
/* Returns true if this version of the object was reported as unreadable. */
bool hf_kube_is_unreadable(const struct hf_kube_subscription *sub, const char *name, uint64_t version);
/* Counts and logs an answer that is unusable or older than earlier answers, and reports it to the subscriber as
 * refused. `reason` is the label in metrics. */
void hf_kube_report_doubt(struct hf_kube_subscription *sub, const char *reason, const char *what,
                          const struct hf_err *err);
/* Returns true if `version`, the version of a list or bookmark, is older than a version that the server sent before.
 * Behind a MetaServer, compares `version` only with the last list that the cloud answered. */
bool hf_kube_is_older(const struct hf_kube_subscription *sub, uint64_t version);
/* Call this function when the server has sent a version that is older than earlier versions. The function reports this
 * as a doubt, and sets *err. At the first call, the reason may be an old watch cache, so the function returns false and
 * the next list comes from the server's store. If the store itself sent the old version, or if the server is a
 * MetaServer, the function returns true, and the client accepts the lower versions from then on. The round in progress
 * then reports no object as gone. If the store itself sent the old version, all other subscriptions list again. */
bool hf_kube_believe_older(struct hf_kube_subscription *sub, const char *what, uint64_t version, struct hf_err *err);
/* Makes the subscription list from the server's store, and report all objects again, whatever their versions: the store
 * has a lower revision than before, and a watch that resumed from a higher one is deaf. */
void hf_kube_list_anew(struct hf_kube_subscription *sub);
/* Call this function at the end of a round that is `contradicted`: its list is not older than earlier answers, but has
 * an object in an older version. One history cannot show both, so the server continues from a restored backup, or an
 * old watch cache answered. The next list comes from the server's store. If this one came from there (`exact`), all
 * subscriptions list anew. */
void hf_kube_doubt_history(struct hf_kube_subscription *sub, bool exact);

/* ---- list.c ---- */

enum hf_kube_list {
    /* the API server itself answered, and the items are reported; *ret_next is the continue token, or ""; the caller
     * frees *ret_next */
    HF_KUBE_LIST_PROVEN,
    /* A MetaServer's store answered, and no item is reported. Either the list kind has the wrong upper and lower case;
     * or the client is behind a MetaServer, the kind is not `provable`, and the list has no resourceVersion. */
    HF_KUBE_LIST_MISSPELT,
    HF_KUBE_LIST_BACKWARDS, /* the list is older than earlier answers, and no item is reported */
    HF_KUBE_LIST_GARBAGE,   /* the list is unusable for the reason in *err, and no item is reported */
};
/* Adds the items of a LIST's body to the ledger. Reports each item that the subscriber does not have in this version.
 * Parses each item by itself, and reports an item that cannot be parsed as unreadable. If even the name of an item is
 * unreadable, an object that seems to be absent may be this item, so the end of this list reports no object as gone. */
enum hf_kube_list hf_kube_list_take(struct hf_kube_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                    char **ret_next, struct hf_err *err);
/* Ends a page of a list. `next` is the continue token; the function takes ownership of it. Returns the event for the
 * reflector. If this event is HF_RF_GARBAGE, also sets *err. */
enum hf_rf_event hf_kube_list_page(struct hf_kube_subscription *sub, char *next, struct hf_err *err);
void hf_kube_list_end_round(struct hf_kube_subscription *sub);
void hf_kube_list_forget_pages(struct hf_kube_subscription *sub);

/* ---- watch.c ---- */

/* The consequences of a watch event for the reflector and the prober. */
struct hf_kube_outcome {
    enum hf_rf_event event; /* event to pass to the reflector (HF_RF_EVENTS means none) */
    uint64_t retry_after_ns;
    struct hf_err err;
    bool has_err;
    bool cloud_sign; /* behind a MetaServer, true if the event is a sign that the cloud may be reachable again */
    /* behind a MetaServer, true if the client must request a LIST, because the event may come from the local store */
    bool wants_list;
};
/* Handles one event of the watch. If a line of the stream is not an event, `event` is NULL and `why` has the reason. */
void hf_kube_watch_take(struct hf_kube_subscription *sub, const struct hf_watch_event *event, const struct hf_err *why,
                        struct hf_kube_outcome *ret_outcome);
/* Call this function when an answer of status 2xx to a watch request has begun. -EBADMSG: the answer is not a watch
 * stream. -EREMCHG: the answer is HTML, such as the login page of a network. */
HF_MUST_USE int hf_kube_watch_begin(struct hf_kube_subscription *sub, const struct hf_http_response *response);
/* Returns the time in nanoseconds until the stream counts as silent, or 0 if it counts as silent now. */
uint64_t hf_kube_watch_patience_ns(const struct hf_kube_subscription *sub);

/* ---- probe.c ---- */

enum hf_kube_proof {
    HF_KUBE_DOUBTFUL,
    HF_KUBE_PROVEN,
    HF_KUBE_FROM_STORE, /* the MetaServer's store answered so fast that the cloud may be reachable */
};
/* Returns the next subscription after kube->probed that wants a LIST and may send it now, or NULL if there is none. If
 * the cloud did not answer the last LIST, only a LIST of a `provable` kind may be sent, because only such a LIST can
 * prove that the cloud answers again. */
struct hf_kube_subscription *hf_kube_probe_next(struct hf_kube *kube);
bool hf_kube_probe_has_others(struct hf_kube *kube);
/* Sends the LIST of the subscription that hf_kube_probe_next() returns, or else of any subscription to a `provable`
 * kind. If that subscription follows an object in a namespace, and no review has allowed its watch yet, sends a review
 * with `review_owner` instead. -ENOENT: there is no subscription to send a LIST for. */
HF_MUST_USE int hf_kube_probe_start(struct hf_kube *kube, const struct hf_exchange_owner *owner,
                                    const struct hf_exchange_owner *review_owner);
/* Handles the answer to the LIST that hf_kube_probe_start() sent. If the cloud answered, reports the items of the
 * list. */
enum hf_kube_proof hf_kube_probe_take(struct hf_kube_subscription *sub, int r, const struct hf_http_response *response,
                                      struct hf_view body, struct hf_err *err);
/* Sends a review (rules/review.h) of the right to list a kind. Sets *ret_exchange. */
HF_MUST_USE int hf_kube_review_start(struct hf_kube *kube, const struct hf_resource *resource,
                                     const struct hf_exchange_owner *owner, struct hf_exchange **ret_exchange);
/* Sends a review, to find out if the cloud may list the kind of kube->probed. */
HF_MUST_USE int hf_kube_probe_review(struct hf_kube *kube, const struct hf_exchange_owner *owner);
enum hf_prober_event hf_kube_probe_judge(struct hf_kube *kube, enum hf_review review, struct hf_err *err);

/* ---- dispatch.c ---- */

void hf_kube_dispatch(struct hf_kube_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                      const struct hf_err *err);
void hf_kube_close_call(struct hf_kube_subscription *sub);
void hf_kube_reflector_timer(void *arg); /* `arg` is the subscription. */
void hf_kube_silence_timer(void *arg);   /* `arg` is the subscription. */
void hf_kube_probe_timer(void *arg);     /* `arg` is the hf_kube. */
/* Passes the failure in `probe_error`, if there is one, to the prober. */
void hf_kube_probe_turn(struct hf_kube *kube);
void hf_kube_ends_timer(void *arg); /* `arg` is the hf_kube. */
/* Call hf_kube_reached() when the server has answered. Subscriptions that wait because the link was away then retry now;
 * those that wait because the server was away keep their turn (return.h). No effect within HF_KUBE_NUDGE_NS of the last
 * call with one: streams that the server accepts and then closes would wake each other in a loop. hf_kube_nudge_all()
 * wakes both, and at once: for the caller who knows that the network is there again. */
void hf_kube_reached(struct hf_kube *kube);
void hf_kube_nudge_all(struct hf_kube *kube);
/* Requests the first LIST of a subscription behind a MetaServer. The watch of the subscription opens only after the
 * cloud has answered this LIST, because a watch of a kind that CloudCore may not list stops CloudCore's dynamic
 * controller. The MetaServers of all nodes then stop too, until CloudCore gets the permission. */
void hf_kube_begin_list(struct hf_kube_subscription *sub);
void hf_kube_want_list(struct hf_kube_subscription *sub);
void hf_kube_cloud_sign(struct hf_kube *kube);
/* Call this function after a write that got a 5xx or no answer. Behind a MetaServer, the function then checks if the
 * cloud is still reachable. */
void hf_kube_write_failed(struct hf_kube *kube);
void hf_kube_forget_probe(struct hf_kube_subscription *sub); /* Call this function when the subscription ends. */

/* ---- subscription.c ---- */

/* What a subscription follows. */
struct hf_kube_target {
    const char *kind;
    const char *ns;     /* namespace of the object; NULL for a cluster-scoped kind */
    const char *name;   /* NULL for all objects of the kind */
    const char *resume; /* resourceVersion to resume from, or "" */
    const char *const *known;
};
HF_MUST_USE int hf_kube_subscription_new(struct hf_kube *kube, const struct hf_kube_target *target,
                                         const struct hf_source_sink *sink, struct hf_kube_subscription **ret_sub,
                                         struct hf_err *err);
/* Marks the subscription as `dead`, and ends its request. */
void hf_kube_subscription_stop(struct hf_kube_subscription *sub);
/* Frees the subscription. Call this function only when no function that uses the subscription is on the stack. */
void hf_kube_subscription_free(struct hf_kube_subscription *sub);
/* Does the work that was left for this iteration of the event loop. */
void hf_kube_subscription_turn(struct hf_kube_subscription *sub);
void hf_kube_subscription_refresh(struct hf_kube_subscription *sub);
void hf_kube_subscription_relist(struct hf_kube_subscription *sub);

/* ---- apply.c ---- */

struct hf_kube_delivery;
HF_MUST_USE int hf_kube_apply(struct hf_kube *kube, const json_t *body, const char *subresource, hf_source_done *done,
                              void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_kube_apply_abandon(struct hf_delivery *delivery);
void hf_kube_apply_abandon_all(struct hf_kube *kube);
/* Returns 0 if the object `answer` has the status.sequence and the labels that `body` wrote; otherwise -EAGAIN.
 * Pure. */
HF_MUST_USE int hf_kube_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
/* Returns true if the status in `answer` has more than the status that `body` wrote, and another field manager owns a
 * part of it. Pure. */
bool hf_kube_apply_has_foreign(const json_t *body, const json_t *answer);

/* ---- call.c ---- */

void hf_kube_call_cancel_all(struct hf_kube *kube);
/* Calls `done` for each call that failed before its request was sent. */
void hf_kube_call_turn(struct hf_kube *kube);
