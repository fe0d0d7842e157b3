/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether a subscription lists, watches or waits next; kube/api/dispatch.c performs its effects. A round
 * collects all objects, from BEGIN_ROUND to END_ROUND or DROP_ROUND; only its END_ROUND may show what is gone. */
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
    HF_RF_START,  /* begin without a resourceVersion */
    HF_RF_RESUME, /* begin from a resourceVersion */
    HF_RF_TIMER,
    HF_RF_ACCEPTED, /* a watch got 2xx */
    HF_RF_FILLED,   /* the WatchList is complete */
    HF_RF_PAGE,     /* a page of a LIST came, more follow */
    HF_RF_LISTED,   /* the last page came */
    HF_RF_REFUSED,  /* 400, 422 */
    /* 410, also in the stream; after an outage also if another subscription got 410 */
    HF_RF_EXPIRED,
    HF_RF_DENIED,       /* first 401 since a watch stayed open */
    HF_RF_DENIED_AGAIN, /* each further 401 */
    /* untrusted certificate, or a web page instead of a watch */
    HF_RF_DISTRUST,
    HF_RF_FORBIDDEN, /* 403 */
    HF_RF_MISSING,   /* 404 */
    HF_RF_BUSY,      /* 408, 429 or 5xx */
    HF_RF_LINK_AWAY, /* no route, no answer, silence */
    /* connection refused, reset or cut, or any other error */
    HF_RF_SERVER_AWAY,
    HF_RF_ENDED,       /* the stream ended without an error, 10 seconds or more after it was accepted */
    HF_RF_ENDED_EARLY, /* as HF_RF_ENDED, but sooner */
    HF_RF_GARBAGE,     /* unusable answer */
    HF_RF_BACKWARDS,   /* an older resourceVersion came, or a list is wanted */
    HF_RF_NUDGE,       /* the server may be reachable again */
    HF_RF_STOP,
    HF_RF_EVENTS,
};

enum hf_rest { HF_REST_NONE, HF_REST_LINK, HF_REST_SERVER, HF_REST_BUSY, HF_REST_DENIED, HF_REST_RELIST, HF_REST_SOON };

/* in order of execution, except that SET_TIMER follows DROP_ROUND */
enum hf_rf_effect {
    HF_RF_CLOSE = 1 << 0,
    HF_RF_DROP_ROUND = 1 << 1,
    HF_RF_REPORT_LOST = 1 << 2,
    HF_RF_REPORT_PROVEN = 1 << 3,
    HF_RF_END_ROUND = 1 << 4, /* report what is gone, `synced`, and the resourceVersion */
    /* a resumed watch stayed open: report `synced` */
    HF_RF_SYNCED = 1 << 5,
    HF_RF_REAUTH = 1 << 6,
    HF_RF_BEGIN_ROUND = 1 << 7,
    HF_RF_LIST = 1 << 8,
    HF_RF_NEXT_PAGE = 1 << 9,
    HF_RF_ASK = 1 << 10,       /* request a WatchList */
    HF_RF_WATCH = 1 << 11,     /* request a watch from the last resourceVersion */
    HF_RF_SET_TIMER = 1 << 12, /* after delay_ns; without this effect the timer stops */
};

struct hf_rf_limits {
    uint64_t retry_cap_ns;
    /* time in which a fleet reconnects; HF_RF_SPREAD_MAX_NS at most */
    uint64_t spread_ns;
    /* MetaServer: the reflector only watches; the prober sends LISTs */
    bool only_watch;
    uint64_t fill_ns; /* time for a WatchList; 0: HF_RF_FILL_NS */
};

#define HF_RF_SPREAD_NS (10 * HF_NS_PER_S) /* for a fleet of unknown size */
#define HF_RF_SPREAD_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_DENIED_CAP_NS (300 * HF_NS_PER_S)
#define HF_RF_RETRY_AFTER_MAX_NS (300 * HF_NS_PER_S)
#define HF_RF_FLOOR_NS (100 * HF_NS_PER_MS)
#define HF_RF_ANSWER_NS (30 * HF_NS_PER_S) /* longest time until a watch's answer begins */
/* time for a complete WatchList, of a node and of a fleet's client; extended while objects come */
#define HF_RF_FILL_NS (20 * HF_NS_PER_S)
#define HF_RF_FLEET_FILL_NS (300 * HF_NS_PER_S)

/* Begins with zeros. */
struct hf_reflector {
    enum hf_rf_state state;
    enum hf_rest resting;
    /* use LIST, as after a failed WatchList, maybe of another kind */
    bool no_watchlist;
    bool unsettled;   /* the watch resumed, and `synced` is not reported yet */
    unsigned denials; /* 401s since a watch stayed open */
    unsigned broken_fills;
    uint64_t accepted_ns;
    /* failures in a row, by sort */
    unsigned failures, unreached, relists;
};

struct hf_rf_step {
    /* false: the event changes nothing, and the timer runs on */
    bool taken;
    unsigned effects;
    uint64_t delay_ns;
};

/* Pass DENIED and ENDED, never their special forms DENIED_AGAIN and ENDED_EARLY. */
struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng);

/* `status`: not 2xx, or a Status object's code. */
enum hf_rf_event hf_reflector_event_of_status(int status);
/* The errno for lost contact: EPERM (401), EACCES (403), ENOENT (404), ECONNABORTED (407, a proxy), EREMCHG (redirect
 * or 511), else EBUSY. */
int hf_kube_status_errno(int status);
enum hf_rf_event hf_reflector_event_of_error(int r);

const char *hf_reflector_state_name(enum hf_rf_state state);
const char *hf_reflector_event_name(enum hf_rf_event event);
HF_MUST_USE int hf_reflector_print(struct hf_buf *out);
