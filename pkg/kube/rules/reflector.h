/* kube/rules/reflector.h - the next step of one subscription: list, watch, rest. No call, no clock, no timer:
 * kube/api/dispatch.c performs the effects and feeds back their results. Private to pkg/kube.
 *
 *              .-------------------- resting-list <---- expired (410), a round that broke -----.
 *              v    timer                                                                     |
 *     idle > asking > filling > watching  <=>  resting-watch > opening > watching ------------'
 *              |  refused        ^   ended: at once, cut: after a rest                        ^
 *              `> listing > opening                                                           |
 *     idle ------------------------ resume from a stored resourceVersion ------> opening -----'
 *
 * asking/filling  WatchList (KEP-3157): one stream that begins with everything that exists; where the server refuses
 * it,
 *                 the machine remembers that and uses listing/opening.
 * listing         LIST with resourceVersion=0, from the server's watch cache; follows pages where the server makes
 * them. opening         has asked for a watch from the last resourceVersion; watching: the server has accepted it.
 * resting-list    nothing is open; after the delay a new round begins. resting-watch   nothing is open; after the delay
 * the watch resumes from the last resourceVersion.
 *
 * A round is a complete answer to "what exists": from BEGIN_ROUND to END_ROUND, or dropped. Only a round that ended may
 * show that an object is gone.
 *
 * The length of a rest depends on its reason (enum hf_rest):
 *   link    no answer (no route, silence): our own link is away; exponential back-off with full jitter, and at once
 *           when the link is back
 *   server  refused, cut or reset: the server was away, and the whole fleet knows; a random moment inside the spread
 *   busy    429, 5xx: Retry-After if given, else back-off
 *   denied  401 again, 403, 404: back-off up to 5 minutes; somebody must act first
 *   relist  410: a random moment inside half the spread, so that a fleet's lists do not come together
 *   soon    a stream that ended too early, an unusable answer, a certificate that we do not trust: back-off
 *
 * Pure. */
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
    HF_RF_START,    /* without a resourceVersion to resume from */
    HF_RF_RESUME,   /* with one */
    HF_RF_TIMER,    /* the delay is over */
    HF_RF_ACCEPTED, /* the server answered a watch with 200 */
    HF_RF_FILLED,   /* WatchList: the server has sent everything that existed */
    HF_RF_PAGE,     /* a page of a list, more to come */
    HF_RF_LISTED,   /* the last page */
    HF_RF_REFUSED,  /* 400, 422: the server does not understand the request */
    HF_RF_EXPIRED,  /* 410, as status or in the stream */
    HF_RF_DENIED,   /* 401, the first in a row */
    HF_RF_DENIED_AGAIN,
    HF_RF_DISTRUST,    /* TLS: we do not trust its certificate (now) */
    HF_RF_FORBIDDEN,   /* 403 */
    HF_RF_MISSING,     /* 404: the kind does not exist (yet) */
    HF_RF_BUSY,        /* 429, 5xx */
    HF_RF_LINK_AWAY,   /* no route, no answer, silence */
    HF_RF_SERVER_AWAY, /* refused, reset, cut */
    HF_RF_ENDED,       /* the stream ended in good order after a while */
    HF_RF_ENDED_EARLY, /* ... at once */
    HF_RF_GARBAGE,     /* an unusable answer */
    HF_RF_BACKWARDS,   /* the stream sent a resourceVersion older than one before */
    HF_RF_NUDGE,       /* a sign that the server is in reach again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* The shell performs them in this order. */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,         /* cancel the call that is open */
    HF_RF_DROP_ROUND = 1 << 1,    /* forget the pages of the broken round */
    HF_RF_REPORT_LOST = 1 << 2,   /* contact */
    HF_RF_REPORT_PROVEN = 1 << 3, /* contact */
    HF_RF_END_ROUND = 1 << 4,     /* report what is gone, synced, the version */
    HF_RF_SYNCED = 1 << 5,        /* resumed: the server accepted the watch and did not end it at once */
    HF_RF_REAUTH = 1 << 6,        /* read credentials again */
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* WatchList */
    HF_RF_WATCH = 1 << 11,     /* open a watch from the last resourceVersion */
    HF_RF_SET_TIMER = 1 << 12, /* TIMER in delay_ns; without this effect stop the timer */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns; /* longest back-off; > 0 */
    uint64_t spread_ns;    /* time over which a fleet's reconnections are spread, at most HF_RF_SPREAD_MAX_NS */
    bool only_watch;       /* MetaServer: the prober does the rounds; only hold a watch open */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S) /* while the size of the fleet is unknown */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_BASE_NS HF_NS_PER_S
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS) /* no rest is shorter */
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S)  /* deadline for the beginning of a watch's answer */
#define HF_RF_SETTLE_NS HF_NS_PER_S         /* a resumed watch that lives this long counts as accepted */
#define HF_RF_FILL_NS (60 * HF_NS_PER_S)    /* deadline for the end of a WatchList's objects */
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S)   /* a stream that ends sooner counts as ended early */

/* Zero: a reflector before its start. The shell reads state and resting; the other fields belong to the machine. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    /* the server does not support WatchList; the shell may set it after a refusal for another kind */
    bool no_watchlist;
    bool unsettled;        /* the watch has resumed, and `synced` has not been reported since */
    unsigned denials;      /* 401 in a row */
    unsigned broken_fills; /* WatchLists in a row that the server accepted and ended with 429 or 5xx */
    uint64_t accepted_ns;
    /* Numbers of failures in a row, for the back-offs. One for each sort of failure: a server that has just started
     * refuses, denies, is busy and forgets, one after the other, and none of these is a reason to wait long after
     * the next. */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    bool taken;       /* false: the state does not expect this event; nothing changed, and a timer continues */
    unsigned effects; /* enum hf_rf_effect */
    uint64_t delay_ns;
};

/* Takes one event. `retry_after_ns`: the server's Retry-After, 0 without one. An event that the state does not expect
 * changes nothing. Give DENIED and ENDED also for their special forms: the machine finds out which one it is. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* Converts an HTTP status, or a Status in the stream, to an event; not for 2xx. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* Converts a failed call (negative errno of loop/http.h) to an event. */
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
/* Appends the table as text, for people and for tests/golden. */
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
