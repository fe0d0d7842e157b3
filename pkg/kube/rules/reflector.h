/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/reflector.h - a state machine that decides the next step of one subscription: list, watch or wait. The
 * machine itself sends no request and sets no timer; kube/api/dispatch.c performs the effects that the machine returns,
 * and passes their results to the machine as events. Private to pkg/kube.
 *
 *              .-------------------- resting-list <---- expired (410), a round that broke -----.
 *              v    timer                                                                     |
 *     idle > asking > filling > watching  <=>  resting-watch > opening > watching ------------'
 *              |  refused        ^   ended: at once, cut: after a rest                        ^
 *              `> listing > opening                                                           |
 *     idle ------------------------ resume from a stored resourceVersion ------> opening -----'
 *
 *   asking         has requested a WatchList (KEP-3157), which is a watch that begins with all objects that exist. If
 *                  the server refuses WatchList, the machine uses listing and opening from then on.
 *   filling        receives the objects of a WatchList
 *   listing        has sent a LIST (resource.h lists the forms), or the LIST of a further page
 *   opening        has requested a watch from the last resourceVersion
 *   watching       the server has accepted the watch
 *   resting-list   no request is open; a new round begins after the delay
 *   resting-watch  no request is open; the watch resumes from the last resourceVersion after the delay
 *
 * A round collects all objects that exist. It lasts from BEGIN_ROUND to END_ROUND or DROP_ROUND. Only a round that
 * reached END_ROUND may show that an object is gone.
 *
 * A rest is the delay in a resting state. Its length depends on its reason (enum hf_rest):
 *   link    There is no route or no answer, probably because this node's own link is down. The rest is a back-off with
 *           full jitter; a nudge ends the rest.
 *   server  The server refused, reset or closed the connection; or it has just returned, and answered 403, 408, 429 or
 *           5xx. All nodes notice this at the same time, so the rest ends at a random moment within spread_ns, but not
 *           before the server's Retry-After, or earlier at a nudge. Behind a MetaServer, the rest is a back-off.
 *   busy    The server answered 408, 429 or 5xx. The rest is a back-off, and at least as long as the server's
 *           Retry-After. If spread_ns is above HF_RF_SPREAD_NS, the rest is also at least as long as a random time,
 *           between 0 and a quarter of the difference of the two. A Retry-After above HF_RF_RETRY_AFTER_MAX_NS counts
 *           as HF_RF_RETRY_AFTER_MAX_NS.
 *   denied  The server answered 403 or 404, or answered 401 more than once, or answered a LIST with 400 or 422. The
 *           rest is a back-off of up to 5 minutes, because a person must act first.
 *   relist  The server answered 410 or went back to an older version, or the client wants a new list. The rest ends at
 *           a random moment within half of spread_ns, so that the lists of a fleet do not come at the same time. After
 *           three of these rests in a row, the rest is a back-off.
 *   soon    The stream ended too early, the answer was unusable, the server's certificate is not trusted, or the server
 *           answered a watch with 400 or 422. The rest is a back-off.
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
    HF_RF_START,    /* the subscription starts without a resourceVersion to resume from */
    HF_RF_RESUME,   /* the subscription starts with a resourceVersion to resume from */
    HF_RF_TIMER,    /* the delay that the machine asked for is over */
    HF_RF_ACCEPTED, /* the server answered a watch with 200 */
    HF_RF_FILLED,   /* the server has sent all existing objects of a WatchList */
    HF_RF_PAGE,     /* a page of a list came, and more pages follow */
    HF_RF_LISTED,   /* the last page of a list came */
    HF_RF_REFUSED,  /* the server answered 400 or 422, because it does not understand the request */
    /* the server sent 410 as the status of the answer or as an error in the stream; or, after the server was away, it
     * sent 410 to another subscription */
    HF_RF_EXPIRED,
    HF_RF_DENIED,       /* the first 401 since a watch last stayed open */
    HF_RF_DENIED_AGAIN, /* any further 401 */
    /* TLS failed, because this node does not trust the server's certificate; or a web page came instead of a watch */
    HF_RF_DISTRUST,
    HF_RF_FORBIDDEN, /* the server answered 403 */
    HF_RF_MISSING,   /* the server answered 404, because the kind does not exist yet */
    HF_RF_BUSY,      /* the server answered 408, 429 or 5xx */
    HF_RF_LINK_AWAY, /* there is no route to the server, no answer, or the connection is silent */
    /* the server refused, reset or cut the connection, or the call failed in a way that has no other event */
    HF_RF_SERVER_AWAY,
    HF_RF_ENDED,       /* the stream ended without an error after HF_RF_EARLY_NS or more */
    HF_RF_ENDED_EARLY, /* the stream ended without an error, but within HF_RF_EARLY_NS */
    HF_RF_GARBAGE,     /* the server sent an unusable answer */
    HF_RF_BACKWARDS,   /* the stream sent a resourceVersion older than an earlier one, or the client wants a new list */
    HF_RF_NUDGE,       /* the server may be reachable again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* Effects. kube/api/dispatch.c performs them in the order of their bits, but SET_TIMER directly after DROP_ROUND. */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,         /* cancel the open request */
    HF_RF_DROP_ROUND = 1 << 1,    /* forget the pages of the broken round */
    HF_RF_REPORT_LOST = 1 << 2,   /* report that contact is lost */
    HF_RF_REPORT_PROVEN = 1 << 3, /* report that the API server has answered */
    HF_RF_END_ROUND = 1 << 4,     /* report the objects that are gone, then `synced`, then the resourceVersion */
    /* report `synced`, because the server accepted the resumed watch and did not end it at once */
    HF_RF_SYNCED = 1 << 5,
    HF_RF_REAUTH = 1 << 6, /* read the credentials again */
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* request a WatchList */
    HF_RF_WATCH = 1 << 11,     /* open a watch from the last resourceVersion */
    HF_RF_SET_TIMER = 1 << 12, /* pass the event TIMER after delay_ns; a step without this effect stops the timer */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns; /* maximum back-off; more than 0 */
    /* time over which the nodes of a fleet spread their reconnections; at most HF_RF_SPREAD_MAX_NS */
    uint64_t spread_ns;
    /* true behind a MetaServer; the machine then only keeps a watch open, because the prober sends the LISTs */
    bool only_watch;
    uint64_t fill_ns; /* time limit for a WatchList to send all existing objects (0 means HF_RF_FILL_NS) */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S) /* value of spread_ns while the size of the fleet is unknown */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_RETRY_AFTER_MAX_NS (300 * HF_NS_PER_S) /* longest delay that Retry-After can ask for */
#define HF_RF_BASE_NS HF_NS_PER_S
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS) /* minimum length of a rest */
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S)  /* time limit for the beginning of the answer to a watch request */
/* Time that a watch must stay open to count as a success. The machine then clears its counts of failures and, if the
 * subscription was resumed, reports `synced`. */
#define HF_RF_SETTLE_NS HF_NS_PER_S
/* Time limits for a WatchList to send all existing objects: on a node, and in a program that follows a fleet. As long
 * as objects come, kube/api/dispatch.c holds back the event TIMER. */
#define HF_RF_FILL_NS (60 * HF_NS_PER_S)
#define HF_RF_FLEET_FILL_NS (300 * HF_NS_PER_S)
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S) /* a stream that ends in less than this time has ended early */

/* The state of one machine. The caller must zero the struct before START or RESUME. kube/api/ reads `state` and
 * `resting`, and may set no_watchlist; only the machine uses the other fields. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    /* true if the server does not support WatchList; kube/api/ may set this field if the server refused a WatchList of
     * another kind */
    bool no_watchlist;
    bool unsettled;   /* true if the subscription began with RESUME, and `synced` has not been reported since then */
    unsigned denials; /* number of answers 401 since the last watch that stayed open for HF_RF_SETTLE_NS */
    /* number of WatchLists in a row that the server accepted and then ended with 408, 429 or 5xx */
    unsigned broken_fills;
    uint64_t accepted_ns; /* monotonic time of the last event ACCEPTED */
    /* Numbers of failures in a row, for the back-offs. Each sort of failure has its own number, so that failures of one
     * sort do not lengthen the back-offs after failures of another sort. A server that has just started causes several
     * sorts of failure, one after the other. */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    /* false if the state does not expect this event; the event then changes nothing, and a running timer continues */
    bool taken;
    unsigned effects; /* effects to perform, as a set of enum hf_rf_effect */
    uint64_t delay_ns;
};

/* Handles one event, and returns the effects that the caller must perform. `retry_after_ns` is the server's
 * Retry-After, or 0. An event that the state does not expect changes nothing. Do not pass DENIED_AGAIN or ENDED_EARLY:
 * pass DENIED or ENDED, and the machine chooses the right form. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* Returns the event for an HTTP status that is not 2xx, or for the code of a Status object in the stream. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* Returns the errno with which a source reports lost contact after an answer whose HTTP status is not 2xx: EPERM (401),
 * EACCES (403), ENOENT (404), ECONNABORTED (407, from a proxy), EREMCHG (a redirect or 511: an API server sends
 * neither, so another machine answers in its place), or EBUSY (any other status). */
int hf_kube_status_errno(int status);
/* Returns the event for `r`, the negative errno of a failed HTTP call. */
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
/* Appends the table of states and events as text, for people and for the comparison with a file in tests/golden. */
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
