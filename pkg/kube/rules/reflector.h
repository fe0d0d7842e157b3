/* kube/rules/reflector.h - what one subscription does next: list, watch, rest. Pure: no call, no clock, no timer. Private to
 * pkg/kube; kube/api/watcher.c does the effects and feeds back what came of them.
 *
 *              .-------------------- resting-list <---- expired (410), a round that broke -----.
 *              v    timer                                                                     |
 *     idle > asking > filling > watching  <=>  resting-watch > opening > watching ------------'
 *              |  refused        ^   ended: at once, cut: after a rest                        ^
 *              `> listing > opening                                                           |
 *     idle ------------------------ resume from a stored resourceVersion ------> opening -----'
 *
 * asking/filling  WatchList (KEP-3157): one stream that begins with all that exists; where the server refuses it, that is
 *                 remembered and listing/opening is used.
 * listing         LIST with resourceVersion=0, from the server's watch cache; pages are followed where the server makes some.
 * opening         a watch from the mark is asked for; watching: it was accepted.
 * resting-list    nothing is open; when the time has come everything is asked for again.
 * resting-watch   nothing is open; when the time has come the watch goes on from the mark.
 *
 * A round is a complete answer to "what exists": from FX_BEGIN_ROUND to FX_END_ROUND, or dropped. Only a round that ended
 * may say that something is gone.
 *
 * How long it rests says why it rests (enum hf_rest):
 *   link    nothing was heard (no route, silence): our own link is away; exponential backoff with full jitter, and at once when
 *           the link is said to be back
 *   server  it refused, cut or reset: the server was away, and the whole fleet knows; a random moment inside the spread
 *   busy    429, 5xx: Retry-After if given, else backoff
 *   denied  401 again, 403, 404: backoff up to 5 minutes; somebody must do something first
 *   relist  410: a random moment inside half the spread, so that a fleet's lists come apart
 *   soon    a stream that ended too early, an answer that could not be used, a certificate we do not trust: backoff */
#pragma once

#include <stdbool.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/rand.h"

enum hf_rf_state {
    HF_RF_IDLE,
    HF_RF_ASKING,
    HF_RF_FILLING,
    HF_RF_LISTING,
    HF_RF_OPENING,
    HF_RF_WATCHING,
    HF_RF_RESTING_LIST,
    HF_RF_RESTING_WATCH,
    HF_RF_STATES,
};

enum hf_rf_event {
    HF_RF_START,    /* with nothing to go on from */
    HF_RF_RESUME,   /* with a resourceVersion to go on from */
    HF_RF_TIMER,    /* the delay asked for is over */
    HF_RF_ACCEPTED, /* a watch was answered 200 */
    HF_RF_FILLED,   /* WatchList: all that existed has been sent */
    HF_RF_PAGE,     /* a page of a list, more to come */
    HF_RF_LISTED,   /* the last page */
    HF_RF_REFUSED,  /* 400, 422: not understood */
    HF_RF_EXPIRED,  /* 410, as status or in the stream */
    HF_RF_DENIED,   /* 401, the first in a row */
    HF_RF_DENIED_AGAIN,
    HF_RF_DISTRUST,    /* TLS: its certificate is not one we trust (now) */
    HF_RF_FORBIDDEN,   /* 403 */
    HF_RF_MISSING,     /* 404: the kind does not exist (yet) */
    HF_RF_BUSY,        /* 429, 5xx */
    HF_RF_LINK_AWAY,   /* no route, no answer, silence */
    HF_RF_SERVER_AWAY, /* refused, reset, cut */
    HF_RF_ENDED,       /* the stream ended in good order after a while */
    HF_RF_ENDED_EARLY, /* ... at once */
    HF_RF_GARBAGE,     /* an answer that cannot be used */
    HF_RF_BACKWARDS,   /* the stream says a resourceVersion older than one it said before */
    HF_RF_NUDGE,       /* a sign that the server is in reach again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* Done by the shell in this order. */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,         /* cancel the call that is open */
    HF_RF_DROP_ROUND = 1 << 1,    /* forget what the broken round collected */
    HF_RF_REPORT_LOST = 1 << 2,   /* contact */
    HF_RF_REPORT_PROVEN = 1 << 3, /* contact */
    HF_RF_END_ROUND = 1 << 4,     /* tell what is gone, synced, mark */
    HF_RF_SYNCED = 1 << 5,        /* resumed: the watch was accepted and not taken back */
    HF_RF_REAUTH = 1 << 6,        /* read credentials again */
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* WatchList */
    HF_RF_WATCH = 1 << 11,     /* from the mark */
    HF_RF_SET_TIMER = 1 << 12, /* TIMER in delay_ns; without it no timer is wanted */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns; /* of backoffs; > 0 */
    uint64_t spread_ns;    /* how far a fleet's returns are spread, at most HF_RF_SPREAD_MAX_NS */
    bool only_watch;       /* MetaServer: rounds are somebody else's, a watch is held open, that is all */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S)      /* when nobody said how large the fleet is */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S) /* DESIGN 8 */
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_BASE_NS HF_NS_PER_S
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS) /* no rest is shorter */
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S)  /* a watch whose answer has not begun by then will have none */
#define HF_RF_SETTLE_NS HF_NS_PER_S         /* a resumed watch that is not taken back for this long counts */
#define HF_RF_FILL_NS (60 * HF_NS_PER_S)    /* a WatchList that has no end by then will have none */
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S)   /* a stream that lived less ended early */

/* Zero is a reflector before its start. The shell reads state and resting; the rest is the machine's. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    bool no_watchlist;     /* the server does not do it; may be set by the shell, which knows from other kinds */
    bool unsettled;        /* resumed, not yet told as synced */
    unsigned denials;      /* 401 in a row */
    unsigned broken_fills; /* WatchLists in a row that were accepted and ended with 429 or 5xx */
    uint64_t accepted_ns;
    /* In a row, behind the backoffs. Apart, because a server that has just come up refuses, denies, is busy and forgets, one
     * after the other, and none of these is a reason to wait long for the next. */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    bool taken;       /* false: the state does not expect this event; nothing changed, a timer that runs goes on */
    unsigned effects; /* enum hf_rf_effect */
    uint64_t delay_ns;
};

/* One event. `retry_after_ns`: what the server asked for, 0 when it did not. An event that the state does not expect changes
 * nothing. DENIED and ENDED may be given for their sharper forms: the machine knows which it is. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* What an HTTP status or an in-stream Status code means; 2xx is not asked. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* What a failed call (negative errno of loop/http.h) means. */
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
/* The table as text, for people and for tests/golden. */
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
