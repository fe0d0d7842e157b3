/* SPDX-License-Identifier: Apache-2.0 */
/* A state machine: does one subscription list, watch or wait next? Private to pkg/kube. Pure; kube/api/dispatch.c
 * performs its effects, and passes their results to it as events.
 *
 * A round collects all objects, from BEGIN_ROUND to END_ROUND or DROP_ROUND. Only END_ROUND may show that an object is
 * gone. A rest is a delay whose length depends on its reason (enum hf_rest):
 *
 *   link    No route or no answer: probably this node's own link. A back-off with full jitter; a nudge ends it.
 *   server  Refused, reset, closed, or has just returned and answered 403, 408, 429 or 5xx. All nodes see this at once:
 *           until a random moment within spread_ns, not before Retry-After, or a nudge. Behind a MetaServer:
 *           a back-off.
 *   busy    408, 429 or 5xx. A back-off, at least Retry-After (at most HF_RF_RETRY_AFTER_MAX_NS) and, if spread_ns is
 *           above HF_RF_SPREAD_NS, at least a random time of up to a quarter of the difference.
 *   denied  403 or 404, 401 more than once, or a LIST answered with 400 or 422. A back-off of up to 5 minutes.
 *   relist  410, an older version, or the client wants a new list. Until a random moment within half of spread_ns;
 *           after three in a row a back-off.
 *   soon    The stream ended too early, an unusable answer, an untrusted certificate, or a watch answered with 400 or
 *           422. A back-off. */
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
    HF_RF_START,  /* no resourceVersion to resume from */
    HF_RF_RESUME, /* with one */
    HF_RF_TIMER,
    HF_RF_ACCEPTED, /* 200 to a watch */
    HF_RF_FILLED,   /* all of a WatchList */
    HF_RF_PAGE,     /* more follow */
    HF_RF_LISTED,   /* the last page */
    HF_RF_REFUSED,  /* 400, 422: not understood */
    /* 410, also in the stream; or another subscription's after the server was away */
    HF_RF_EXPIRED,
    HF_RF_DENIED,       /* first 401 since a watch stayed open */
    HF_RF_DENIED_AGAIN, /* any further */
    /* untrusted certificate, or a web page for a watch */
    HF_RF_DISTRUST,
    HF_RF_FORBIDDEN, /* 403 */
    HF_RF_MISSING,   /* 404: no such kind yet */
    HF_RF_BUSY,      /* 408, 429 or 5xx */
    HF_RF_LINK_AWAY, /* no route, no answer, silence */
    /* refused, reset, cut, or any other failure */
    HF_RF_SERVER_AWAY,
    HF_RF_ENDED,       /* without error, after HF_RF_EARLY_NS */
    HF_RF_ENDED_EARLY, /* before that */
    HF_RF_GARBAGE,     /* unusable */
    HF_RF_BACKWARDS,   /* an older resourceVersion, or the client wants a list */
    HF_RF_NUDGE,       /* maybe reachable again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* dispatch.c: in the order of bits, but SET_TIMER directly after DROP_ROUND. */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,      /* the request */
    HF_RF_DROP_ROUND = 1 << 1, /* pages of the broken round */
    HF_RF_REPORT_LOST = 1 << 2,
    HF_RF_REPORT_PROVEN = 1 << 3, /* by the API server */
    HF_RF_END_ROUND = 1 << 4,     /* what is gone, `synced`, resourceVersion */
    /* the resumed watch was accepted and not ended at once */
    HF_RF_SYNCED = 1 << 5,
    HF_RF_REAUTH = 1 << 6, /* the credentials */
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* WatchList */
    HF_RF_WATCH = 1 << 11,     /* from the last resourceVersion */
    HF_RF_SET_TIMER = 1 << 12, /* after delay_ns; a step without it stops the timer */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns; /* above 0 */
    /* of a fleet's reconnections; at most HF_RF_SPREAD_MAX_NS */
    uint64_t spread_ns;
    /* behind a MetaServer: keeps a watch open; the prober sends LISTs */
    bool only_watch;
    uint64_t fill_ns; /* all of a WatchList; 0: HF_RF_FILL_NS */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S) /* unknown fleet */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_RETRY_AFTER_MAX_NS (300 * HF_NS_PER_S) /* at most */
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS)          /* rest, at least */
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S)           /* begin of the answer to a watch */
/* A watch open so long is a success: failures are forgotten, and a resume is `synced`. */
#define HF_RF_SETTLE_NS HF_NS_PER_S
/* All of a WatchList: node, fleet. dispatch.c holds TIMER back while objects come. */
#define HF_RF_FILL_NS (60 * HF_NS_PER_S)
#define HF_RF_FLEET_FILL_NS (300 * HF_NS_PER_S)
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S) /* a shorter stream */

/* Zeroed before START or RESUME. kube/api/ reads `state` and `resting`, and sets no_watchlist alone. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    /* the server refused a WatchList, maybe of another kind */
    bool no_watchlist;
    bool unsettled;   /* RESUME, and no `synced` since */
    unsigned denials; /* 401s since a watch stayed open for HF_RF_SETTLE_NS */
    /* WatchLists in a row accepted, then 408, 429 or 5xx */
    unsigned broken_fills;
    uint64_t accepted_ns; /* last */
    /* In a row, for back-offs, by sort: a server that has just started causes several, and one must not lengthen
     * another's. */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    /* false: not in this state; nothing changes, a timer runs on */
    bool taken;
    unsigned effects; /* enum hf_rf_effect */
    uint64_t delay_ns;
};

/* `retry_after_ns`: or 0. Pass DENIED and ENDED, never DENIED_AGAIN or ENDED_EARLY. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* The event for an HTTP status that is not 2xx, or for a Status object's code. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* The error of lost contact: EPERM (401), EACCES (403), ENOENT (404), ECONNABORTED (407, a proxy), EREMCHG (redirect or
 * 511: no API server), else EBUSY. */
int hf_kube_status_errno(int status);
/* The event for a failed call's -errno. */
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
/* For people and tests/golden. */
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
