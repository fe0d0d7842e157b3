/* SPDX-License-Identifier: Apache-2.0 */
/* Everything happens in the pump: a part that changes a state calls it, and it does all that is possible now and
 * arms one timer for the next time. A turn reports due drops, starts requests, moves the cursors over what is
 * delivered, starts a load, and frees what an idle outlet does not need. Calls from within only ask for another
 * turn; after MAX_TURNS the pump continues in the loop's next iteration.
 *
 * Room: the spool reports neither that it deleted a segment nor that another program freed space, so while a caller
 * waits for room, the timer looks every ROOM_CHECK_NS.
 *
 * The end: requests and credentials go at once, the spools and the loader's job end by themselves, and the last of
 * them frees the outlet and calls gone().
 *
 * Each part calls only parts to its right: outlet -> outlet_load -> outlet_send -> outlet_creds, outlet_lane ->
 * outlet_drops, outlet_metrics -> outlet_config. One whose state changed calls hf_outlet_config_pump(); outlet.c
 * decides what follows. */
#include "telemetry/sink/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/look.h"
#include "telemetry/sink/outlet_load.h"

enum { URGENT_SHARE = 8, MAX_TURNS = 64, ENOUGH_RECENT = 8192 };

#define KEEP_CONNECTIONS_NS (15 * HF_NS_PER_S)
#define ROOM_CHECK_NS (100 * HF_NS_PER_MS)

/* Guards the pump against calls from within itself. */
enum pump_state { PUMP_IDLE, PUMP_RUNNING, PUMP_AGAIN, PUMP_CLOSED };

enum rest_state { REST_BUSY, REST_WAITING, REST_DONE };

struct hf_outlet {
    struct hf_outlet_config config;
    struct hf_outlet_metrics metrics;
    struct hf_outlet_drops drops;
    struct hf_outlet_lane lanes[HF_LANES];
    struct hf_outlet_sender sender;
    struct hf_outlet_loader loader;
    struct hf_timer *tick;
    enum pump_state pump;
    enum rest_state rest;
    uint64_t idle_since_ns; /* WAITING */
    bool want_room;         /* an append found no room: call room() when there is some again */
    /* an owner was over its share: call room() when share_changes() has grown */
    bool want_share;
    uint64_t changes_before;
    void (*room)(void *arg);
    void *arg;
    size_t n_ending; /* spools and jobs that still end */
    void (*gone)(void *arg);
    void *gone_arg;
};

static struct hf_outlet_state state_of(const struct hf_outlet *outlet);

/* ---- appending --------------------------------------------------------------------------------------------------- */

static uint64_t share_changes(const struct hf_outlet *outlet)
{
    uint64_t changes = 0;

    for (size_t i = 0; i < HF_LANES; i++)
        changes += outlet->lanes[i].shares.changes;
    return changes;
}

/* The caller waits for room() after this answer, so the timer must look for room: the spool reports neither that it
 * deleted a segment nor that another program freed space on the disk. */
bool hf_outlet_has_room(struct hf_outlet *outlet, enum hf_lane lane, size_t n)
{
    if (hf_outlet_lane_has_room(&outlet->lanes[lane], n))
        return true;
    if (!outlet->want_room)
        hf_timer_arm(outlet->config.env.sched, outlet->tick, 0);
    outlet->want_room = true;
    return false;
}

bool hf_outlet_allows(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, size_t n)
{
    if (hf_outlet_lane_allows(&outlet->lanes[lane], owner, n))
        return true;
    outlet->changes_before = share_changes(outlet);
    outlet->want_share = true;
    return false;
}

int hf_outlet_append(struct hf_outlet *outlet, enum hf_lane lane, uint64_t owner, uint32_t tag, struct hf_view line,
                     struct hf_receipt *receipt)
{
    if (line.n > HF_EVENT_MAX_TEXT)
        return -E2BIG;
    int r = hf_outlet_lane_append(&outlet->lanes[lane], owner, tag, line, receipt);
    outlet->want_room = outlet->want_room || r == -EAGAIN;
    return r;
}

static int report_drop(struct hf_outlet *outlet, const struct hf_spool_dropped *dropped, struct hf_receipt *receipt)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    int r = hf_outlet_drops_format(&outlet->config, dropped, &line);

    if (r < 0)
        return r;
    return hf_outlet_append(outlet, HF_LANE_URGENT, hf_shares_agent(),
                            hf_event_tag(HF_SOURCE_AGENT, HF_SEVERITY_WARNING), hf_buf_view(&line), receipt);
}

bool hf_outlet_owes_drops(const struct hf_outlet *outlet)
{
    return outlet->drops.entries[0].records > 0;
}

void hf_outlet_report_drops(struct hf_outlet *outlet, struct hf_receipt *receipt)
{
    struct hf_spool_dropped *last;

    outlet->drops.due_ns = HF_NEVER;
    while ((last = hf_outlet_drops_last(&outlet->drops)) != NULL) {
        if (report_drop(outlet, last, receipt) < 0) {
            outlet->drops.due_ns = hf_mono_ns(outlet->config.env.clock) + HF_OUTLET_DROPS_WAIT_NS;
            return;
        }
        last->records = 0;
    }
}

/* ---- the pump: does all work that is possible now, then arms the timer for the next ------------------------------ */

/* A backlog that waits for the link may wait for days. */
static bool is_idle(const struct hf_outlet *outlet)
{
    for (size_t i = 0; i < HF_LANES; i++)
        if (hf_spool_state(outlet->lanes[i].spool).queued > 0 && !hf_outlet_lane_holds_all(&outlet->lanes[i]))
            return false;
    return hf_list_empty(&outlet->sender.sendings);
}

/* Frees the buffers of an idle outlet at once, its connections after some time: batches that follow each other reuse
 * them. */
static void rest(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (!is_idle(outlet)) {
        outlet->rest = REST_BUSY;
        return;
    }
    hf_outlet_load_free_idle(&outlet->loader);
    if (outlet->rest == REST_DONE)
        return;
    if (outlet->rest == REST_BUSY)
        outlet->idle_since_ns = now_ns;
    outlet->rest = REST_WAITING;
    uint64_t wait_ns = HF_MAX(3 * outlet->config.spec->batch_timeout_ns, KEEP_CONNECTIONS_NS);
    if (now_ns < outlet->idle_since_ns + wait_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, outlet->idle_since_ns + wait_ns);
        return;
    }
    outlet->rest = REST_DONE;
    hf_outlet_creds_close_idle(outlet->sender.creds);
    for (size_t i = 0; i < HF_LANES; i++)
        hf_spool_trim(outlet->lanes[i].spool);
}

/* Returns the monotonic time of the next turn. */
static uint64_t turn(struct hf_outlet *outlet)
{
    uint64_t now_ns = hf_mono_ns(outlet->config.env.clock), wait_until_ns = HF_NEVER;

    if (now_ns >= outlet->drops.due_ns)
        hf_outlet_report_drops(outlet, NULL);
    wait_until_ns = HF_MIN(wait_until_ns, outlet->drops.due_ns);
    hf_outlet_send_ready(&outlet->sender, now_ns, &wait_until_ns);
    for (size_t i = 0; i < HF_LANES; i++)
        hf_outlet_lane_settle(&outlet->lanes[i]);
    hf_outlet_load_next(&outlet->loader, now_ns, &wait_until_ns);
    rest(outlet, now_ns, &wait_until_ns);
    if (outlet->want_room) /* the spool does not report that it deleted a segment */
        wait_until_ns = HF_MIN(wait_until_ns, now_ns + ROOM_CHECK_NS);
    return wait_until_ns;
}

static void arm(struct hf_outlet *outlet, uint64_t wait_until_ns)
{
    const struct hf_sched_ops *sched = outlet->config.env.sched;
    uint64_t now_ns = hf_mono_ns(outlet->config.env.clock);

    if (wait_until_ns == HF_NEVER)
        hf_timer_disarm(sched, outlet->tick);
    else
        hf_timer_arm(sched, outlet->tick, wait_until_ns > now_ns ? wait_until_ns - now_ns : 0);
}

static void report_room(struct hf_outlet *outlet)
{
    bool room = outlet->want_room, share = outlet->want_share && share_changes(outlet) != outlet->changes_before;

    for (enum hf_lane i = 0; i < HF_LANES; i++)
        room = room && hf_outlet_has_room(outlet, i, HF_EVENT_MAX_TEXT);
    if (!room && !share)
        return;
    outlet->want_room = outlet->want_room && !room;
    outlet->want_share = outlet->want_share && !share;
    if (outlet->room != NULL)
        outlet->room(outlet->arg);
}

static void pump(void *arg)
{
    struct hf_outlet *outlet = arg;
    uint64_t wait_until_ns = HF_NEVER;

    if (outlet->pump != PUMP_IDLE) {
        outlet->pump = outlet->pump == PUMP_RUNNING ? PUMP_AGAIN : outlet->pump;
        return;
    }
    outlet->pump = PUMP_AGAIN;
    for (unsigned i = 0; outlet->pump == PUMP_AGAIN && i < MAX_TURNS; i++) {
        outlet->pump = PUMP_RUNNING;
        wait_until_ns = turn(outlet);
    }
    if (outlet->pump == PUMP_AGAIN) /* continue in the loop's next turn */
        wait_until_ns = 0;
    outlet->pump = PUMP_IDLE;
    arm(outlet, wait_until_ns);
    if (outlet->config.env.metrics != NULL) {
        const struct hf_outlet_state state = state_of(outlet);
        hf_outlet_metrics_show(&outlet->metrics, &state);
    }
    report_room(outlet);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static int open_all(struct hf_outlet *outlet, const struct hf_outlet_params *params, struct hf_err *err)
{
    uint64_t urgent = HF_MAX(params->max_bytes / URGENT_SHARE, (uint64_t)HF_OUTLET_MIN_LANE_BYTES);
    const uint64_t shares[HF_LANES] = {
        [HF_LANE_URGENT] = urgent, [HF_LANE_BULK] = params->max_bytes > urgent ? params->max_bytes - urgent : 0};
    int r = hf_outlet_config_init(&outlet->config, params, err);

    if (r < 0)
        return r;
    outlet->config.pump = pump;
    outlet->config.pump_arg = outlet;
    outlet->tick = hf_timer_new(params->env->sched, pump, outlet);
    if (outlet->tick == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_outlet_metrics_register(&outlet->metrics, &outlet->config);
    r = hf_outlet_send_init(&outlet->sender, params, &outlet->config, &outlet->metrics, outlet->lanes, err);
    for (enum hf_lane i = 0; i < HF_LANES && r == 0; i++)
        r = hf_outlet_lane_open(&outlet->lanes[i], i, shares[i], &outlet->config, &outlet->metrics, &outlet->drops,
                                err);
    return r;
}

int hf_outlet_new(const struct hf_outlet_params *params, struct hf_outlet **ret_outlet, struct hf_err *err)
{
    _cleanup_(hf_outlet_freep) struct hf_outlet *outlet = calloc(1, sizeof(*outlet));

    if (outlet == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    outlet->room = params->room;
    outlet->arg = params->arg;
    outlet->drops.due_ns = HF_NEVER;
    for (size_t i = 0; i < HF_LANES; i++)
        outlet->lanes[i].file.fd = -1;
    hf_outlet_load_init(&outlet->loader, &outlet->config, &outlet->metrics, outlet->lanes, &outlet->sender);
    int r = open_all(outlet, params, err);
    if (r < 0)
        return hf_err_wrap(err, r, "sink '%s'", hf_outlet_name(params->sink));
    hf_timer_arm(params->env->sched, outlet->tick, 0);
    *ret_outlet = hf_steal(outlet);
    return 0;
}

/* The last spool or job that ended frees the outlet. */
static void part_ended(void *arg)
{
    struct hf_outlet *outlet = arg;
    void (*gone)(void *) = outlet->gone;
    void *gone_arg = outlet->gone_arg;

    if (--outlet->n_ending > 0)
        return;
    for (size_t i = 0; i < HF_LANES; i++) {
        hf_border_file_close(&outlet->lanes[i].file);
        hf_batches_done(&outlet->lanes[i].batches);
        free(outlet->lanes[i].appends);
    }
    hf_outlet_config_done(&outlet->config);
    free(outlet);
    if (gone != NULL)
        gone(gone_arg);
}

void hf_outlet_free(struct hf_outlet *outlet)
{
    if (outlet != NULL)
        hf_outlet_end(outlet, NULL, NULL);
}

void hf_outlet_end(struct hf_outlet *outlet, void (*gone)(void *arg), void *arg)
{
    const struct hf_telemetry_env *env = &outlet->config.env;

    outlet->gone = gone;
    outlet->gone_arg = arg;
    outlet->pump = PUMP_CLOSED;
    hf_outlet_send_done(&outlet->sender);
    outlet->n_ending = 2; /* the loader and this function */
    for (size_t i = 0; i < HF_LANES; i++) {
        if (outlet->lanes[i].spool != NULL)
            hf_outlet_lane_save_shares(&outlet->lanes[i]);
        struct hf_spool *spool = hf_steal(outlet->lanes[i].spool);
        outlet->n_ending += spool != NULL;
        if (spool != NULL)
            hf_spool_close(spool, part_ended, outlet);
    }
    hf_outlet_load_end(&outlet->loader, part_ended, outlet);
    hf_timer_free(env->sched, outlet->tick);
    if (outlet->config.name != NULL)
        hf_outlet_metrics_forget(&outlet->metrics, &outlet->config);
    part_ended(outlet);
}

int hf_outlet_recent(struct hf_outlet *outlet, size_t max_records, void (*each)(void *arg, struct hf_view line),
                     void *arg)
{
    const struct hf_outlet_config *config = &outlet->config;
    int r = 0;

    for (enum hf_lane i = 0; i < HF_LANES; i++) {
        char dir[HF_OUTLET_PATH];
        (void)snprintf(dir, sizeof(dir), "%s/%s", config->dir, hf_outlet_config_lane_name(i));
        int of_lane = hf_spool_recent(config->env.fs, dir, max_records, ENOUGH_RECENT, each, arg);
        if (r != -EIO && of_lane < 0)
            r = of_lane;
    }
    return r;
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

const char *hf_outlet_origin(const struct hf_outlet *outlet, char *text, size_t n)
{
    const char *url = outlet->config.url, *host = url != NULL ? strstr(url, "://") : NULL;
    size_t length = host != NULL ? strcspn(host + 3, "/?#") : 0;
    const char *user = host != NULL ? memchr(host + 3, '@', length) : NULL;

    if (host == NULL)
        (void)snprintf(text, n, "%s", "");
    else if (user == NULL)
        (void)snprintf(text, n, "%.*s", (int)(host + 3 + length - url), url);
    else
        (void)snprintf(text, n, "%.*s%.*s", (int)(host + 3 - url), url, (int)(host + 3 + length - user - 1), user + 1);
    return text;
}

static uint64_t oldest_unix_ns(const struct hf_outlet *outlet)
{
    uint64_t oldest = HF_NEVER;

    for (size_t i = 0; i < HF_LANES; i++) {
        uint64_t of_lane = hf_outlet_lane_oldest_unix_ns(&outlet->lanes[i]);
        oldest = of_lane > 0 ? HF_MIN(oldest, of_lane) : oldest;
    }
    return oldest == HF_NEVER ? 0 : oldest;
}

/* All but last_delivery_unix_ns and trouble, which metrics do not show. */
static struct hf_outlet_state state_of(const struct hf_outlet *outlet)
{
    const struct hf_outlet_counts *counts = &outlet->sender.counts;
    struct hf_outlet_state state = {.oldest_unix_ns = oldest_unix_ns(outlet),
                                    .delivered = counts->delivered,
                                    .deferred = counts->deferred,
                                    .dead_lettered = outlet->loader.dead_lettered,
                                    .attempts = counts->attempts,
                                    .failures = counts->failures,
                                    .breaker = outlet->sender.breaker.state,
                                    .concurrency = hf_aimd_concurrency(&outlet->sender.pace)};
    if (hf_outlet_lane_holds(&outlet->lanes[HF_LANE_BULK]))
        state.waiting_for = outlet->config.link->closed;

    for (size_t i = 0; i < HF_LANES; i++)
        state.lanes[i] = hf_spool_state(outlet->lanes[i].spool);
    return state;
}

void hf_outlet_link_changed(const struct hf_outlet *outlet)
{
    hf_timer_arm(outlet->config.env.sched, outlet->tick, 0);
}

static uint64_t last_delivery_unix_ns(const struct hf_outlet *outlet)
{
    const struct hf_clock_ops *clock = outlet->config.env.clock;
    uint64_t ago = hf_mono_ns(clock) - outlet->sender.last_success_ns, now = hf_unix_ns(clock);

    return outlet->sender.last_success_ns == 0 ? 0 : now - HF_MIN(ago, now);
}

struct hf_outlet_state hf_outlet_state(const struct hf_outlet *outlet)
{
    struct hf_outlet_state state = state_of(outlet);

    state.last_delivery_unix_ns = last_delivery_unix_ns(outlet);
    (void)snprintf(state.trouble, sizeof(state.trouble), "%s",
                   outlet->sender.trouble[0] != '\0' ? outlet->sender.trouble : outlet->sender.warning);
    return state;
}
