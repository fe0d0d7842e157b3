/* SPDX-License-Identifier: Apache-2.0 */
/* The machine is the table: for each state and event the next state, the reason to rest there, and the effects. A cell
 * that is not there means that the event changes nothing. The macros are rows that several states share.
 *
 * What the table cannot hold is around it in hf_reflector_step(), in this order: sharpen() tells the special forms of
 * an event apart, remember() updates the counts, begin() chooses how a round begins, rest_ns() the length of a rest, or
 * wait_for_it() the deadline of a request. Every rest and every request has a timer; WATCHING has one only until the
 * stream counts as settled.
 *
 * Each sort of failure has its own back-off, because a server that returns goes through several of them in a row. All
 * counts end when a watch has settled, and not when it is accepted: a server that accepts and ends each stream must not
 * be asked without a rest.
 *
 *               .-------------------- resting-list <---- expired (410), a round that broke -----.
 *              v    timer                                                                     |
 *     idle > asking > filling > watching  <=>  resting-watch > opening > watching ------------'
 *              |  refused        ^   ended: at once, cut: after a rest                        ^
 *              `> listing > opening                                                           |
 *     idle ------------------------ resume from a stored resourceVersion ------> opening -----'
 *
 *   asking         has requested a WatchList (KEP-3157); if refused, listing and opening from then on
 *   filling        receives the objects of a WatchList
 *   listing        has sent a LIST (resource.h), or that of a further page
 *   opening        has requested a watch from the last resourceVersion
 *   watching       the server has accepted the watch
 *   resting-list   no request is open; a new round begins after the delay
 *   resting-watch  no request is open; the watch resumes after the delay
 *
 * Rests (enum hf_rest):
 *
 *   link    No route or answer: probably the node's own link. A back-off with full jitter; a nudge ends it.
 *   server  Refused, reset, closed, or has just returned and answered 403, 408, 429 or 5xx. All nodes see it:
 *           until a random moment within spread_ns, not before Retry-After, or a nudge. Behind a MetaServer:
 *           a back-off.
 *   busy    408, 429 or 5xx. A back-off, at least Retry-After (at most HF_RF_RETRY_AFTER_MAX_NS) and, if spread_ns is
 *           above HF_RF_SPREAD_NS, at least a random time of up to a quarter of the difference.
 *   denied  403 or 404, 401 more than once, or a LIST answered with 400 or 422. A back-off of up to 5 minutes.
 *   relist  410, an older version, or the client wants a new list. Until a random moment within half of spread_ns;
 *           after three in a row a back-off.
 *   soon    The stream ended too early, an unusable answer, an untrusted certificate, or a watch answered with 400 or
 *           422. A back-off. */
#include "kube/rules/reflector.h"

#include <assert.h>
#include <errno.h>

#define HF_RF_BASE_NS HF_NS_PER_S
#define HF_RF_EARLY_NS (10 * HF_NS_PER_S)
/* A watch that stays open for so long is a success: failures are forgotten, and a resume is `synced`. */
#define HF_RF_SETTLE_NS HF_NS_PER_S

/* A cell: the next state, the reason to rest there, the effects. The pseudo state BEGIN is ASKING, or LISTING where the
 * server does not do WatchList, or OPENING where the prober does the rounds. */
enum { BEGIN = HF_RF_STATES, STAY };

enum { MANY_RELISTS = 3, MANY_BROKEN_FILLS = 2 };

enum {
    LOST = HF_RF_REPORT_LOST,
    PROVEN = HF_RF_REPORT_PROVEN,
    CLOSE = HF_RF_CLOSE,
    DROP = HF_RF_DROP_ROUND,
    END = HF_RF_END_ROUND,
    WATCH = HF_RF_WATCH,
    REAUTH = HF_RF_REAUTH,
    SYNCED = HF_RF_SYNCED,
};

struct reflector_cell {
    bool expected;
    int next;
    enum hf_rest rest;
    unsigned effects;
};

#define GO(to, what)                                                                                                   \
    {                                                                                                                  \
        true, (to), HF_REST_NONE, (what)                                                                               \
    }
#define REST(to, why, what)                                                                                            \
    {                                                                                                                  \
        true, (to), (why), (what)                                                                                      \
    }

/* Failures that end a round (or an attempt at one) the same way in ASKING, FILLING and LISTING: a new round begins
 * later. */
#define ROUND_FAILURES                                                                                                 \
    [HF_RF_EXPIRED] = REST(HF_RF_RESTING_LIST, HF_REST_RELIST, CLOSE | DROP),                                          \
    [HF_RF_DENIED] = GO(BEGIN, CLOSE | DROP | REAUTH),                                                                 \
    [HF_RF_DENIED_AGAIN] = REST(HF_RF_RESTING_LIST, HF_REST_DENIED, CLOSE | DROP | REAUTH | LOST),                     \
    [HF_RF_DISTRUST] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP | REAUTH | LOST),                           \
    [HF_RF_FORBIDDEN] = REST(HF_RF_RESTING_LIST, HF_REST_DENIED, CLOSE | DROP | LOST),                                 \
    [HF_RF_MISSING] = REST(HF_RF_RESTING_LIST, HF_REST_DENIED, CLOSE | DROP | LOST),                                   \
    [HF_RF_BUSY] = REST(HF_RF_RESTING_LIST, HF_REST_BUSY, CLOSE | DROP | LOST),                                        \
    [HF_RF_LINK_AWAY] = REST(HF_RF_RESTING_LIST, HF_REST_LINK, CLOSE | DROP | LOST),                                   \
    [HF_RF_SERVER_AWAY] = REST(HF_RF_RESTING_LIST, HF_REST_SERVER, CLOSE | DROP | LOST),                               \
    [HF_RF_GARBAGE] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP | LOST),                                     \
    [HF_RF_STOP] = GO(HF_RF_IDLE, CLOSE | DROP)

/* Failures that end a watch the same way before and after the answer: it resumes later. */
#define WATCH_FAILURES                                                                                                 \
    [HF_RF_EXPIRED] = REST(HF_RF_RESTING_LIST, HF_REST_RELIST, CLOSE),                                                 \
    [HF_RF_REFUSED] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | LOST),                                            \
    [HF_RF_DENIED] = GO(HF_RF_OPENING, CLOSE | REAUTH | WATCH),                                                        \
    [HF_RF_DENIED_AGAIN] = REST(HF_RF_RESTING_WATCH, HF_REST_DENIED, CLOSE | REAUTH | LOST),                           \
    [HF_RF_DISTRUST] = REST(HF_RF_RESTING_WATCH, HF_REST_SOON, CLOSE | REAUTH | LOST),                                 \
    [HF_RF_FORBIDDEN] = REST(HF_RF_RESTING_WATCH, HF_REST_DENIED, CLOSE | LOST),                                       \
    [HF_RF_MISSING] = REST(HF_RF_RESTING_WATCH, HF_REST_DENIED, CLOSE | LOST),                                         \
    [HF_RF_BUSY] = REST(HF_RF_RESTING_WATCH, HF_REST_BUSY, CLOSE | LOST),                                              \
    [HF_RF_LINK_AWAY] = REST(HF_RF_RESTING_WATCH, HF_REST_LINK, CLOSE | LOST),                                         \
    [HF_RF_SERVER_AWAY] = REST(HF_RF_RESTING_WATCH, HF_REST_SERVER, CLOSE | LOST),                                     \
    [HF_RF_GARBAGE] = REST(HF_RF_RESTING_WATCH, HF_REST_SOON, CLOSE | LOST), [HF_RF_STOP] = GO(HF_RF_IDLE, CLOSE)

static const struct reflector_cell table[HF_RF_STATES][HF_RF_EVENTS] =
    {
        [HF_RF_IDLE] =
            {
                [HF_RF_START] = GO(BEGIN, 0),
                [HF_RF_RESUME] = GO(HF_RF_OPENING, WATCH),
            },
        [HF_RF_ASKING] =
            {
                [HF_RF_ACCEPTED] = GO(HF_RF_FILLING, PROVEN),
                [HF_RF_TIMER] = REST(HF_RF_RESTING_LIST, HF_REST_LINK, CLOSE | DROP | LOST),
                [HF_RF_REFUSED] = GO(HF_RF_LISTING, CLOSE | HF_RF_LIST),
                [HF_RF_ENDED] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP | LOST),
                [HF_RF_ENDED_EARLY] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP | LOST),
                ROUND_FAILURES,
            },
        [HF_RF_FILLING] =
            {
                [HF_RF_FILLED] = GO(HF_RF_WATCHING, END),
                [HF_RF_TIMER] = GO(HF_RF_LISTING, CLOSE | DROP | HF_RF_BEGIN_ROUND | HF_RF_LIST),
                [HF_RF_REFUSED] = GO(HF_RF_LISTING, CLOSE | DROP | HF_RF_BEGIN_ROUND | HF_RF_LIST),
                [HF_RF_ENDED] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP),
                [HF_RF_ENDED_EARLY] = REST(HF_RF_RESTING_LIST, HF_REST_SOON, CLOSE | DROP),
                ROUND_FAILURES,
            },
        [HF_RF_LISTING] =
            {
                [HF_RF_PAGE] = GO(HF_RF_LISTING, PROVEN | HF_RF_NEXT_PAGE),
                [HF_RF_LISTED] = GO(HF_RF_OPENING, PROVEN | END | WATCH),
                [HF_RF_REFUSED] = REST(HF_RF_RESTING_LIST, HF_REST_DENIED, CLOSE | DROP | LOST),
                ROUND_FAILURES,
            },
        [HF_RF_OPENING] =
            {
                [HF_RF_ACCEPTED] = GO(HF_RF_WATCHING, PROVEN),
                [HF_RF_TIMER] = REST(HF_RF_RESTING_WATCH, HF_REST_LINK, CLOSE | LOST),
                [HF_RF_ENDED] = REST(HF_RF_RESTING_WATCH, HF_REST_SOON, CLOSE | LOST),
                [HF_RF_ENDED_EARLY] = REST(HF_RF_RESTING_WATCH, HF_REST_SOON, CLOSE | LOST),
                WATCH_FAILURES,
            },
        [HF_RF_WATCHING] =
            {
                [HF_RF_TIMER] = GO(STAY, SYNCED),
                [HF_RF_ENDED] = GO(HF_RF_OPENING, CLOSE | WATCH),
                [HF_RF_ENDED_EARLY] = REST(HF_RF_RESTING_WATCH, HF_REST_SOON, CLOSE),
                [HF_RF_BACKWARDS] = REST(HF_RF_RESTING_LIST, HF_REST_RELIST, CLOSE),
                WATCH_FAILURES,
            },
        [HF_RF_RESTING_LIST] =
            {
                [HF_RF_TIMER] = GO(BEGIN, 0),
                [HF_RF_NUDGE] = GO(BEGIN, 0),
                [HF_RF_LINK_AWAY] = REST(HF_RF_RESTING_LIST, HF_REST_LINK, LOST),
                [HF_RF_SERVER_AWAY] = REST(HF_RF_RESTING_LIST, HF_REST_SERVER, LOST),
                [HF_RF_STOP] = GO(HF_RF_IDLE, 0),
            },
        [HF_RF_RESTING_WATCH] =
            {
                [HF_RF_TIMER] = GO(HF_RF_OPENING, WATCH),
                [HF_RF_NUDGE] = GO(HF_RF_OPENING, WATCH),
                [HF_RF_EXPIRED] = REST(HF_RF_RESTING_LIST, HF_REST_RELIST, 0),
                [HF_RF_LINK_AWAY] = REST(HF_RF_RESTING_WATCH, HF_REST_LINK, LOST),
                [HF_RF_SERVER_AWAY] = REST(HF_RF_RESTING_WATCH, HF_REST_SERVER, LOST),
                [HF_RF_STOP] = GO(HF_RF_IDLE, 0),
            },
};

static const char *const state_names[HF_RF_STATES] = {
    "idle", "asking", "filling", "listing", "opening", "watching", "resting-list", "resting-watch",
};

static const char *const event_names[HF_RF_EVENTS] = {
    "start",       "resume", "timer",        "accepted", "filled",    "page",    "listed", "refused",
    "expired",     "denied", "denied-again", "distrust", "forbidden", "missing", "busy",   "link-away",
    "server-away", "ended",  "ended-early",  "garbage",  "backwards", "nudge",   "stop",
};

static const char *const rest_names[] = {"", "link", "server", "busy", "denied", "relist", "soon"};

const char *hf_reflector_state_name(enum hf_rf_state state)
{
    return state_names[state];
}

const char *hf_reflector_event_name(enum hf_rf_event event)
{
    return event_names[event];
}

/* ---- delays ------------------------------------------------------------------------------------------------------ */

static uint64_t backoff_ns(unsigned *attempts, uint64_t cap_ns, uint64_t at_least_ns, const struct hf_rand_ops *rng)
{
    struct hf_backoff backoff = {.base_ns = HF_RF_BASE_NS,
                                 .cap_ns = HF_MAX(cap_ns, HF_RF_BASE_NS),
                                 .floor_ns = HF_RF_FLOOR_NS,
                                 .attempt = *attempts};
    uint64_t delay = hf_backoff_next_ns(&backoff, rng, at_least_ns);

    *attempts = backoff.attempt;
    return delay;
}

static uint64_t within_ns(uint64_t window_ns, uint64_t at_least_ns, const struct hf_rand_ops *rng)
{
    uint64_t drawn_ns = hf_rand_below(rng, window_ns + 1);

    return HF_MAX(drawn_ns, HF_MAX(at_least_ns, HF_RF_FLOOR_NS));
}

static uint64_t rest_ns(struct hf_reflector *rf, const struct hf_rf_limits *limits, uint64_t retry_after_ns,
                        const struct hf_rand_ops *rng)
{
    uint64_t spread = HF_MIN(limits->spread_ns, HF_RF_SPREAD_MAX_NS);

    /* The request comes from whoever answers now: that server must not silence the node for longer. */
    retry_after_ns = HF_MIN(retry_after_ns, HF_RF_RETRY_AFTER_MAX_NS);
    switch (rf->resting) {
    case HF_REST_LINK:
        return backoff_ns(&rf->unreached, limits->retry_cap_ns, 0, rng);
    case HF_REST_SERVER:
        if (limits->only_watch) /* a proxy on this host: no other node reconnects with us */
            return backoff_ns(&rf->unreached, limits->retry_cap_ns, 0, rng);
        return within_ns(spread, retry_after_ns, rng);
    case HF_REST_RELIST:
        if (++rf->relists > MANY_RELISTS) /* a server that answers every list with 410 */
            return backoff_ns(&rf->failures, limits->retry_cap_ns, retry_after_ns, rng);
        return within_ns(spread / 2, 0, rng);
    case HF_REST_BUSY: { /* the more nodes there are, the more of them the server has just sent away */
        uint64_t share = spread > HF_RF_SPREAD_NS ? within_ns((spread - HF_RF_SPREAD_NS) / 4, 0, rng) : 0;
        uint64_t delay = backoff_ns(&rf->failures, limits->retry_cap_ns, retry_after_ns, rng);
        return HF_MAX(delay, share);
    }
    case HF_REST_DENIED:
        return backoff_ns(&rf->failures, HF_RF_DENIED_CAP_NS, retry_after_ns, rng);
    default:
        return backoff_ns(&rf->failures, limits->retry_cap_ns, retry_after_ns, rng);
    }
}

/* ---- the step ---------------------------------------------------------------------------------------------------- */

/* Tells the special forms of DENIED and ENDED apart. */
static enum hf_rf_event sharpen(struct hf_reflector *rf, enum hf_rf_event event, uint64_t now_ns)
{
    if (event == HF_RF_DENIED && ++rf->denials > 1)
        return HF_RF_DENIED_AGAIN;
    if (event == HF_RF_ENDED && now_ns - rf->accepted_ns < HF_RF_EARLY_NS)
        return HF_RF_ENDED_EARLY;
    return event;
}

/* Updates what the machine remembers beside its state. */
static void remember(struct hf_reflector *rf, enum hf_rf_event event, uint64_t now_ns)
{
    switch (event) {
    case HF_RF_RESUME:
        rf->unsettled = true;
        break;
    case HF_RF_ACCEPTED:
        rf->accepted_ns = now_ns;
        rf->unreached = 0;
        break;
    case HF_RF_FILLED:
    case HF_RF_LISTED:
        rf->broken_fills = 0;
        rf->unsettled = false;
        break;
    case HF_RF_REFUSED:
        rf->no_watchlist |= rf->state == HF_RF_ASKING || rf->state == HF_RF_FILLING;
        break;
    case HF_RF_BUSY: /* a server whose store cannot do WatchList accepts and ends it every time */
        rf->no_watchlist |= rf->state == HF_RF_FILLING && ++rf->broken_fills >= MANY_BROKEN_FILLS;
        break;
    case HF_RF_TIMER:
        rf->no_watchlist |= rf->state == HF_RF_FILLING;
        /* Only a stream that lives on counts as success: otherwise one that the server accepts and then ends with an
         * error event would be asked for again without a rest, for ever. */
        if (rf->state == HF_RF_WATCHING)
            rf->failures = rf->unreached = rf->relists = rf->denials = 0;
        break;
    default:
        break;
    }
}

static bool nudge_counts(const struct hf_reflector *rf)
{
    return rf->resting == HF_REST_LINK || rf->resting == HF_REST_SERVER;
}

static enum hf_rf_state begin(const struct hf_reflector *rf, const struct hf_rf_limits *limits, unsigned *effects)
{
    if (limits->only_watch) {
        *effects |= HF_RF_WATCH;
        return HF_RF_OPENING;
    }
    *effects |= HF_RF_BEGIN_ROUND | (rf->no_watchlist ? HF_RF_LIST : HF_RF_ASK);
    return rf->no_watchlist ? HF_RF_LISTING : HF_RF_ASKING;
}

static void set_timer(struct hf_rf_step *step, uint64_t delay_ns)
{
    step->effects |= HF_RF_SET_TIMER;
    step->delay_ns = delay_ns;
}

/* Sets the deadline of the step. */
static void wait_for_it(const struct hf_reflector *rf, const struct hf_rf_limits *limits, enum hf_rf_event event,
                        struct hf_rf_step *step)
{
    if (rf->state == HF_RF_ASKING || rf->state == HF_RF_OPENING)
        set_timer(step, HF_RF_ANSWER_NS);
    else if (rf->state == HF_RF_FILLING)
        set_timer(step, limits->fill_ns > 0 ? limits->fill_ns : HF_RF_FILL_NS);
    else if (event == HF_RF_ACCEPTED || event == HF_RF_FILLED)
        set_timer(step, HF_RF_SETTLE_NS);
}

struct hf_rf_step hf_reflector_step(struct hf_reflector *rf, enum hf_rf_event event, const struct hf_rf_limits *limits,
                                    uint64_t now_ns, uint64_t retry_after_ns, const struct hf_rand_ops *rng)
{
    struct hf_rf_step step = {.effects = 0};

    if (!table[rf->state][event].expected || (event == HF_RF_NUDGE && !nudge_counts(rf)))
        return step;
    step.taken = true;
    event = sharpen(rf, event, now_ns);
    const struct reflector_cell *cell = &table[rf->state][event];
    step.effects = cell->effects;
    remember(rf, event, now_ns);
    rf->resting = cell->rest;
    if (cell->next == BEGIN)
        rf->state = begin(rf, limits, &step.effects);
    else if (cell->next != STAY)
        rf->state = (enum hf_rf_state)cell->next;
    if (cell->rest != HF_REST_NONE)
        set_timer(&step, rest_ns(rf, limits, retry_after_ns, rng));
    else
        wait_for_it(rf, limits, event, &step);
    assert((rf->resting != HF_REST_NONE) == (rf->state == HF_RF_RESTING_LIST || rf->state == HF_RF_RESTING_WATCH));
    assert((step.effects & END) == 0 || event == HF_RF_FILLED || event == HF_RF_LISTED);
    if ((step.effects & SYNCED) != 0 && !rf->unsettled)
        step.effects &= ~(unsigned)SYNCED;
    if ((step.effects & SYNCED) != 0)
        rf->unsettled = false;
    return step;
}

enum hf_rf_event hf_reflector_event_of_status(int status)
{
    switch (status) {
    case 400:
    case 422:
        return HF_RF_REFUSED;
    case 401:
        return HF_RF_DENIED;
    case 403:
        return HF_RF_FORBIDDEN;
    case 404:
        return HF_RF_MISSING;
    case 410:
        return HF_RF_EXPIRED;
    case 408:
    case 429:
        return HF_RF_BUSY;
    default:
        return status >= 500 ? HF_RF_BUSY : HF_RF_GARBAGE;
    }
}

int hf_kube_status_errno(int status)
{
    switch (status) {
    case 401:
        return EPERM;
    case 403:
        return EACCES;
    case 404:
        return ENOENT;
    case 407:
        return ECONNABORTED;
    case 511:
        return EREMCHG;
    default:
        return status >= 300 && status < 400 ? EREMCHG : EBUSY;
    }
}

enum hf_rf_event hf_reflector_event_of_error(int r)
{
    switch (r) {
    case -EDESTADDRREQ:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENETDOWN:
    case -ETIMEDOUT:
        return HF_RF_LINK_AWAY;
    case -EKEYREJECTED:
    case -EREMCHG:
        return HF_RF_DISTRUST;
    case -E2BIG:
    case -EBADMSG:
        return HF_RF_GARBAGE;
    default:
        return HF_RF_SERVER_AWAY;
    }
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static int print_effects(unsigned effects, struct hf_buf *out)
{
    static const char *const names[] = {"close",  "drop-round", "lost",        "proven", "end-round",
                                        "synced", "reauth",     "begin-round", "list",   "next-page",
                                        "ask",    "watch",      "timer"};
    int r = 0;

    for (unsigned i = 0; r == 0 && i < HF_LEN(names); i++)
        if ((effects & 1u << i) != 0)
            r = hf_buf_addf(out, " %s", names[i]);
    return r;
}

static int print_cell(enum hf_rf_state state, enum hf_rf_event event, struct hf_buf *out)
{
    const struct reflector_cell *cell = &table[state][event];
    const char *next = cell->next == BEGIN  ? "(begin)"
                       : cell->next == STAY ? state_names[state]
                                            : state_names[cell->next];

    if (!cell->expected)
        return 0;
    int r = hf_buf_addf(out, "%-14s %-13s -> %-14s%s%s;", state_names[state], event_names[event], next,
                        cell->rest != HF_REST_NONE ? " rest " : "", rest_names[cell->rest]);
    if (r == 0)
        r = print_effects(cell->effects, out);
    return r == 0 ? hf_buf_add_str(out, "\n") : r;
}

int hf_reflector_print(struct hf_buf *out)
{
    int r =
        hf_buf_add_str(out, "# (begin): asking, or listing where the server does not do WatchList, or opening behind "
                            "a MetaServer\n");

    for (int state = 0; r == 0 && state < HF_RF_STATES; state++)
        for (int event = 0; r == 0 && event < HF_RF_EVENTS; event++)
            r = print_cell((enum hf_rf_state)state, (enum hf_rf_event)event, out);
    return r;
}
