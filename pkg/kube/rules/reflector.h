/* kube/rules/reflector.h - a state machine that decides the next step of one subscription (list, watch or wait). It
 * sends no request and sets no timer. kube/api/dispatch.c performs the effects and passes their results to the machine
 * as events. Private to pkg/kube.
 *
 *              .-------------------- resting-list <---- expired (410), a round that broke -----.
 *              v    timer                                                                     |
 *     idle > asking > filling > watching  <=>  resting-watch > opening > watching ------------'
 *              |  refused        ^   ended: at once, cut: after a rest                        ^
 *              `> listing > opening                                                           |
 *     idle ------------------------ resume from a stored resourceVersion ------> opening -----'
 *
 *   asking         has requested a WatchList (KEP-3157), a watch that begins with everything that exists. If the server
 *                  refuses WatchList, the machine uses listing and opening from then on.
 *   filling        receives the objects of a WatchList
 *   listing        has sent a LIST with resourceVersion=0, which the server's watch cache answers; follows pages
 *   opening        has requested a watch from the last resourceVersion
 *   watching       the server has accepted the watch
 *   resting-list   no request is open; a new round begins after the delay
 *   resting-watch  no request is open; the watch resumes from the last resourceVersion after the delay
 *
 * A round collects all objects that exist. It lasts from BEGIN_ROUND to END_ROUND or DROP_ROUND. Only a round that
 * reached END_ROUND may show that an object is gone.
 *
 * The length of a rest (the delay in the resting states) depends on its reason (enum hf_rest):
 *   link    no route or no answer, because our own link is down. Back-off with full jitter; a nudge ends the rest.
 *   server  the server refused, reset or closed the connection. All nodes notice at the same time, so the rest ends
 *           at a random moment within spread_ns; a nudge ends it earlier.
 *   busy    429 or 5xx. Back-off, and at least Retry-After if the server sent one.
 *   denied  a 403, a 404 or a repeated 401. Back-off up to 5 minutes, because somebody must act first.
 *   relist  410. A random moment within half of spread_ns, so that the lists of a fleet do not come together.
 *   soon    a stream that ended too early, an unusable answer, or an untrusted certificate. Back-off.
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
    HF_RF_RESUME,   /* with a resourceVersion to resume from */
    HF_RF_TIMER,    /* the delay is over */
    HF_RF_ACCEPTED, /* the server answered a watch with 200 */
    HF_RF_FILLED,   /* WatchList: the server has sent everything that existed */
    HF_RF_PAGE,     /* a page of a list came, and more pages follow */
    HF_RF_LISTED,   /* the last page of a list came */
    HF_RF_REFUSED,  /* 400, 422: the server does not understand the request */
    HF_RF_EXPIRED,  /* 410, as the status or as an error in the stream */
    HF_RF_DENIED,   /* 401, the first in a row */
    HF_RF_DENIED_AGAIN,
    HF_RF_DISTRUST,    /* TLS: we do not trust the server's certificate */
    HF_RF_FORBIDDEN,   /* 403 */
    HF_RF_MISSING,     /* 404: the kind does not exist (yet) */
    HF_RF_BUSY,        /* 429, 5xx */
    HF_RF_LINK_AWAY,   /* no route, no answer, silence */
    HF_RF_SERVER_AWAY, /* refused, reset, cut */
    HF_RF_ENDED,       /* the stream ended in good order after a while */
    HF_RF_ENDED_EARLY, /* the stream ended in good order, but within HF_RF_EARLY_NS */
    HF_RF_GARBAGE,     /* an unusable answer */
    HF_RF_BACKWARDS,   /* the stream sent a resourceVersion older than an earlier one */
    HF_RF_NUDGE,       /* the server may be reachable again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* Effects, in the order in which kube/api/dispatch.c, the shell, performs them, except for the timer. */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,         /* cancel the call that is open */
    HF_RF_DROP_ROUND = 1 << 1,    /* forget the pages of the broken round */
    HF_RF_REPORT_LOST = 1 << 2,   /* contact */
    HF_RF_REPORT_PROVEN = 1 << 3, /* contact */
    HF_RF_END_ROUND = 1 << 4,     /* report objects that are gone, synced, and the version */
    HF_RF_SYNCED = 1 << 5,        /* report synced: the server accepted the resumed watch and did not end it at once */
    HF_RF_REAUTH = 1 << 6,        /* read credentials again */
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* WatchList */
    HF_RF_WATCH = 1 << 11,     /* open a watch from the last resourceVersion */
    HF_RF_SET_TIMER = 1 << 12, /* send TIMER after delay_ns; a step without this effect stops the timer */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns; /* longest back-off; > 0 */
    uint64_t spread_ns;    /* time over which a fleet's reconnections are spread, at most HF_RF_SPREAD_MAX_NS */
    bool only_watch;       /* MetaServer: only keep a watch open, because the prober does the rounds */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S) /* while the size of the fleet is unknown */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_BASE_NS HF_NS_PER_S
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS) /* shortest rest */
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S)  /* deadline for the beginning of a watch's answer */
#define HF_RF_SETTLE_NS HF_NS_PER_S         /* a resumed watch that lives this long counts as accepted */
#define HF_RF_FILL_NS (60 * HF_NS_PER_S)    /* deadline for the end of a WatchList's objects */
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S)   /* a stream that ends sooner counts as ended early */

/* Zero the struct before START or RESUME. The shell reads `state` and `resting`; only the machine uses the other
 * fields, except no_watchlist. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    /* the server does not support WatchList; the shell may set it after a refusal for another kind */
    bool no_watchlist;
    bool unsettled;        /* the watch has resumed, and `synced` has not been reported since */
    unsigned denials;      /* number of 401 in a row */
    unsigned broken_fills; /* WatchLists in a row that the server accepted and ended with 429 or 5xx */
    uint64_t accepted_ns;
    /* Numbers of failures in a row, for the back-offs. There is one number for each sort of failure, so that
     * failures of one sort do not lengthen the waits after another. A server that has just started causes several sorts
     * of failure, one after the other. */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    bool taken;       /* false if the state does not expect this event; nothing changed then, and a timer continues */
    unsigned effects; /* enum hf_rf_effect */
    uint64_t delay_ns;
};

/* Takes one event. `retry_after_ns` is the server's Retry-After, or 0. An event that the state does not expect changes
 * nothing. Never pass DENIED_AGAIN or ENDED_EARLY: pass DENIED or ENDED, and the machine derives these forms. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* Converts an HTTP status (not 2xx), or the code of a Status in the stream, to an event. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* Converts a failed call (negative errno of loop/http.h) to an event. */
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
/* Appends the table of states and events as text, for people and for tests/golden. */
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
