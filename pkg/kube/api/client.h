/* kube/api/client.h - what the parts of the API client share: the client, its subscriptions and deliveries. Private to pkg/kube.
 *
 *     client.c   making and ending, the source table, limits, contact, what is put off to the next turn of the loop
 *     watcher.c  one subscription: does what reflector.c decides
 *     list.c     its lists: from an answer to what exists
 *     watch.c    its open watch: from bytes to what changed
 *     tell.c     what it tells its sink, and what it doubts
 *     meta.c     behind a MetaServer: does what prober.c decides, and asks what review.c says
 *     apply.c    server-side apply
 *
 * Silence is found in three ways. A dead link by the connection's own keepalive (50 s). A server that is there and does nothing
 * by the rhythm of bookmarks on the connection (pulse.h), which a question confirms. Watches that begin at the same moment have
 * their bookmarks at the same moment, so the first watch after trouble is short, and each ends where the next one's bookmarks
 * come in its turn. One stream that is dead among living ones by three missing bookmarks of its own.
 *
 * A sink may unsubscribe, itself or others, from inside any of its callbacks: a subscription is then `dead` (nothing of it is
 * called or runs any more) and is freed at the beginning of the next turn, when nothing of ours is on the stack. */
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
#include "kube/rules/stream.h"
#include "web/metrics.h"

enum {
    HF_KUBE_MAX_LIST_BYTES = 16 << 20,
    HF_KUBE_MAX_LIST_NODES = 2000000,
    HF_KUBE_MAX_GARBAGE = 16, /* unusable lines in a row before a stream is given up */
    HF_KUBE_MAX_DELIVERIES = 32,
    HF_KUBE_MAX_PAGES = 400,  /* of a hundred objects: above the ledger's bound */
    HF_KUBE_MAX_SMALL = 4000, /* of eight */
};

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S)
#define HF_KUBE_KEEPALIVE_NS (50 * HF_NS_PER_S) /* a dead connection is found within this */
#define HF_KUBE_LIST_NS (60 * HF_NS_PER_S)      /* a whole page */
#define HF_KUBE_PROBE_NS (15 * HF_NS_PER_S)     /* a MetaServer's LIST: 10 s when the cloud is away */
#define HF_KUBE_LATE_NS (5 * HF_NS_PER_S)       /* a list that took this long came from the store */
#define HF_KUBE_APPLY_NS (40 * HF_NS_PER_S)     /* a MetaServer takes up to 34 s for a PATCH */
#define HF_KUBE_REPLAY_NS (2 * HF_NS_PER_S)     /* a MetaServer's watch replays its store first */
#define HF_KUBE_CONTACT_NS (60 * HF_NS_PER_S)   /* contact that goes on is told this often at most */
#define HF_KUBE_NUDGE_NS (5 * HF_NS_PER_S)
#define HF_KUBE_REAUTH_NS (5 * HF_NS_PER_S)        /* credentials are not read more often than this */
#define HF_KUBE_SILENCE_MIN_NS (150 * HF_NS_PER_S) /* where bookmarks come: three of them missing */

struct hf_kube {
    struct hf_kube_params p;
    struct hf_source_ops ops;
    struct hf_list subscriptions;
    struct hf_list deliveries;
    bool meta;         /* the rules of a MetaServer hold */
    bool plain;        /* http://, no TLS */
    bool switch_over;  /* it has just been recognised: in the next turn */
    bool no_watchlist; /* the server refused it */
    uint64_t spread_ns;
    struct hf_timer *turn;                  /* what must not happen inside a caller's call */
    uint64_t last_reauth_ns, last_nudge_ns; /* 0: never */
    uint64_t heard_ns;                      /* last sign of life of the real server; 0: none yet */

    struct hf_pulse pulse; /* of the one connection that all watches share */
    uint64_t beat_s;       /* random: nodes that got their power back together do not end their watches together */
    struct hf_timer *pulse_timer;
    struct hf_exchange *ping; /* a question whether the server is still there */

    struct hf_prober prober;
    struct hf_timer *probe_timer;
    struct hf_exchange *probe;
    uint64_t probe_ns;                                                    /* when it was asked */
    struct hf_subscription *probed;                                       /* NULL: unsubscribed meanwhile */
    enum { HF_KUBE_UNTOLD, HF_KUBE_TOLD_PROVEN, HF_KUBE_TOLD_LOST } told; /* to all, behind a MetaServer */

    struct hf_metric_family *m_requests, *m_events, *m_doubts, *m_errors;
    struct hf_metric *m_contact;
};

struct hf_subscription {
    struct hf_list link;
    struct hf_kube *kube;
    const struct hf_resource *resource;
    char *name; /* NULL: all */
    struct hf_source_sink sink;
    bool dead;

    struct hf_reflector reflector;
    struct hf_ledger ledger;
    struct hf_timer *timer;       /* the reflector's */
    struct hf_exchange *exchange; /* list or watch */
    struct hf_stream stream;      /* of the watch */
    char mark[HF_RV_TEXT];        /* where a watch goes on */
    uint64_t asked_version;       /* the mark that the open watch was asked from */
    char round_mark[HF_RV_TEXT];  /* of the round that ends */
    char *next_page;              /* continue token, NULL none */
    unsigned pages;               /* of this round */
    unsigned garbage;             /* lines in a row */
    int start_error;              /* a call could not even be started: told to the machine in the next turn */
    bool calm;                    /* the last watch ended in good order */
    bool small;                   /* a page of the usual number of objects was too large */
    bool exact;                   /* the watch cache answered with the past: ask the store */
    bool doubtful;                /* the round that ends may not say that something is gone */
    bool confirm;                 /* ask once more, later, whether what a doubtful round lacked is gone */
    bool wants_probe;             /* MetaServer: a proven LIST */
    bool relist;                  /* a complete list is asked for, and has not begun */
    bool told_some;               /* since the last round began */
    bool served;                  /* MetaServer: a LIST of its own was proven, and none was barred since */
    bool begun;                   /* MetaServer: the first LIST was asked for */
    bool barred;                  /* MetaServer: the cloud may not list this kind, as last heard */
    bool unexplained;             /* MetaServer: it may, and the store answered: the next time says that */
    bool refreshed;               /* contact and mark are told in the next turn */
    bool mark_untold;
    bool contact_told, was_lost;
    enum hf_contact_kind contact; /* as told */
    uint64_t replay_until_ns;     /* MetaServer: the stream tells its store until then */
    uint64_t contact_ns;          /* when contact was last told */
    uint64_t heard_ns;            /* last byte of the stream */
    uint64_t bookmark_ns, gap_ns; /* last bookmark, longest time between two */
    struct hf_timer *silence;     /* runs once bookmarks are known to come */
};

/* client.c */
struct hf_rf_limits hf_kube_limits(const struct hf_kube *kube);
void hf_kube_arm_turn(struct hf_kube *kube);
void hf_kube_reauth(struct hf_kube *kube);
void hf_kube_recognise_meta(struct hf_kube *kube, const char *sign);
/* The server is in reach: those who rest because it was not, need not. Not within `at_least_ns` after the last time: streams that
 * are accepted and cut would wake each other for ever. */
void hf_kube_nudge_all(struct hf_kube *kube, uint64_t at_least_ns);
void hf_kube_count_request(struct hf_kube *kube, const char *verb, int r, const struct hf_http_response *response);
/* The next one that lives after `sub`, or the first for NULL; NULL at the end. */
struct hf_subscription *hf_kube_next(struct hf_kube *kube, const struct hf_subscription *sub);
void hf_kube_count_doubt(struct hf_kube *kube, const char *reason);
void hf_kube_count_error(struct hf_kube *kube, const char *kind,
                         enum hf_rf_event event);            /* others than errors: nothing */
void hf_kube_heard(struct hf_kube *kube);                    /* bytes of a watch came */
void hf_kube_alive(struct hf_kube *kube);                    /* the real server gave a sign of life */
void hf_kube_set_contact(struct hf_kube *kube, bool proven); /* the gauge */

/* watcher.c */
HF_MUST_USE int hf_watcher_new(struct hf_kube *kube, const char *kind, const char *name, const char *resume,
                               const char *const *known, const struct hf_source_sink *sink,
                               struct hf_subscription **ret_sub, struct hf_err *err);
void hf_watcher_stop(struct hf_subscription *sub); /* it is dead */
void hf_watcher_free(struct hf_subscription *sub); /* nothing of it is on the stack */
void hf_watcher_turn(struct hf_subscription *sub); /* what was put off */
void hf_watcher_refresh(struct hf_subscription *sub);
void hf_watcher_relist(struct hf_subscription *sub);
void hf_watcher_dispatch(struct hf_subscription *sub, enum hf_rf_event event, uint64_t retry_after_ns,
                         const struct hf_err *err);

/* list.c: exchange callbacks, and the parts of them that meta.c uses. */
void hf_watcher_list_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                           const struct hf_err *why);
/* A call ended without a usable answer: `r` or the status says what that means to the machine. */
void hf_watcher_failed(struct hf_subscription *sub, int r, const struct hf_http_response *response, struct hf_view body,
                       const struct hf_err *why);
enum hf_list_answer {
    HF_LIST_PROVEN,    /* from a real server: items told, *ret_next set ("" when complete) */
    HF_LIST_MISSPELT,  /* a MetaServer's store answered: nothing told */
    HF_LIST_BACKWARDS, /* older than what was told: nothing told */
    HF_LIST_GARBAGE,   /* *err says what; nothing told */
};
/* A LIST's body into the ledger and the sink. */
enum hf_list_answer hf_watcher_take_list(struct hf_subscription *sub, struct hf_view body, uint64_t date_unix_ns,
                                         char **ret_next, struct hf_err *err);
void hf_watcher_end_round(struct hf_subscription *sub);
void hf_watcher_forget_pages(struct hf_subscription *sub);

/* watch.c: exchange callbacks, and a timer's. */
int hf_watcher_accepted(void *arg, const struct hf_http_response *response);
int hf_watcher_bytes(void *arg, const void *bytes, size_t n);
void hf_watcher_ended(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *why);
void hf_watcher_silence_fires(void *arg);

/* tell.c: nothing is said for a dead subscription. */
void hf_watcher_refused(struct hf_subscription *sub, const char *what, const struct hf_err *err);
void hf_watcher_tell_contact(struct hf_subscription *sub, enum hf_contact_kind kind, uint64_t date_unix_ns,
                             const struct hf_err *err);
void hf_watcher_set_mark(struct hf_subscription *sub, const char *resource_version);
void hf_watcher_tell_mark(struct hf_subscription *sub); /* if it has moved since it was told */
void hf_watcher_tell_synced(struct hf_subscription *sub);
void hf_watcher_tell_gone(void *arg, const char *name); /* arg is the subscription */
void hf_watcher_tell_upsert(struct hf_subscription *sub, json_t *object);
/* Count it, log it, say it to the sink. */
void hf_watcher_doubt(struct hf_subscription *sub, const char *reason, const char *what, const struct hf_err *err);
/* The server's history is behind what it told us before. The first time its cache is suspected, and the store itself is asked
 * next; true when this was the store's answer, or a MetaServer's, which has no other. */
bool hf_watcher_goes_back(struct hf_subscription *sub, const char *what, uint64_t version, struct hf_err *err);
bool hf_watcher_is_back(const struct hf_subscription *sub, uint64_t version);

/* meta.c */
/* It is new: ask for its LIST. Its watch is opened when that came from the cloud, not before: a watch of a kind that CloudCore may
 * not list stops CloudCore's dynamic controller, and with it the MetaServer of every node, until it may. */
void hf_meta_begin(struct hf_subscription *sub);
void hf_meta_want(struct hf_subscription *sub);
void hf_meta_sign(struct hf_kube *kube);
void hf_meta_tell_proven(struct hf_subscription *sub); /* its LIST came from the cloud */
void hf_meta_write_failed(struct hf_kube *kube);       /* 5xx or no answer: is the cloud still there? */
void hf_meta_forget(struct hf_subscription *sub);      /* it unsubscribes */
void hf_meta_timer(void *arg);                         /* of the prober; arg is the hf_kube */

/* apply.c */
HF_MUST_USE int hf_apply_start(struct hf_kube *kube, const json_t *body, const char *subresource,
                               void (*done)(void *arg, int r, uint64_t retry_after_ns, const json_t *answer,
                                            const struct hf_err *err),
                               void *arg, struct hf_delivery **ret_delivery, struct hf_err *err);
void hf_apply_abandon(struct hf_delivery *delivery);
void hf_apply_abandon_all(struct hf_kube *kube);
void hf_apply_turn(struct hf_kube *kube); /* answers what was refused without a call */
/* 0 when the server's answer shows what `body` wrote, else -EAGAIN. Pure. */
HF_MUST_USE int hf_apply_verify(const json_t *body, const json_t *answer, struct hf_err *err);
