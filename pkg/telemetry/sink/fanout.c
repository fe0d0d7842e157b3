/* SPDX-License-Identifier: Apache-2.0 */
/* If a sink fails to store an event, the fanout keeps fingerprints of the event for the sinks that have stored it,
 * so that the next offer stores it only in the others. After a restart it takes the newest ids from the spools: if a
 * power cut left an event in only one spool, the other sinks still store it when its sender offers it again. */
#include "telemetry/sink/fanout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "telemetry/sink/pending.h"
#include "telemetry/sink/shares.h"

#define HF_FANOUT_AGAIN_NS (30 * HF_NS_PER_S)

enum { TROUBLE = 160 };

struct fanout_sink {
    struct hf_outlet *outlet; /* NULL: not open */
    uint64_t salt;            /* an id's fingerprint XOR this salt records "stored by this sink" */
    char trouble[TROUBLE];    /* cause why it is not open; "" */
    /* since when the disk does not give back some of its files; 0: it does, or they were not tried */
    uint64_t unreadable_ns;
};

struct hf_fanout {
    struct hf_fanout_params params;
    const struct hf_telemetry_env *env; /* params.env */
    const struct hf_telemetry *spec;
    uint64_t sink_bytes; /* disk space of each sink */
    struct fanout_sink sinks[HF_TELEMETRY_MAX_SINKS];
    size_t n;
    size_t blocked;  /* 1 + index of the closed sink that the last event would need; 0: none */
    bool over_share; /* the last event's owner had no room left of its share */
    struct hf_pending *pending;
    struct hf_timer *again;
    struct hf_buf line; /* scratch */
    char made_id[80];   /* id given to the last event without one */
    uint64_t sequence;  /* the last one given */
};

/* ---- which sinks stored an event --------------------------------------------------------------------------------- */

static uint64_t kept_by(const struct fanout_sink *sink, uint64_t fingerprint)
{
    return fingerprint ^ sink->salt;
}

/* Some sink failed to store the event: forgets its id, but records the sinks that stored it. */
static void lost(void *arg, uint64_t fingerprint, uint32_t kept)
{
    struct hf_fanout *fanout = arg;

    hf_ids_forget(fanout->params.ids, fingerprint);
    for (size_t i = 0; i < fanout->n; i++)
        if ((kept >> i & 1) != 0)
            (void)!hf_ids_add(fanout->params.ids, kept_by(&fanout->sinks[i], fingerprint));
    if (fanout->params.lost != NULL)
        fanout->params.lost(fanout->params.arg);
}

static bool known(void *arg, uint64_t fingerprint)
{
    const struct hf_fanout *fanout = arg;

    return hf_ids_contains(fanout->params.ids, fingerprint);
}

static void idle(void *arg)
{
    const struct hf_fanout *fanout = arg;

    fanout->params.idle(fanout->params.arg);
}

static uint32_t missing_sinks(const struct hf_fanout *fanout, uint64_t fingerprint, uint32_t sinks)
{
    for (size_t i = 0; i < fanout->n; i++)
        if ((sinks >> i & 1) != 0 && hf_ids_contains(fanout->params.ids, kept_by(&fanout->sinks[i], fingerprint)))
            sinks &= ~(1u << i);
    return sinks;
}

struct recent_lines {
    struct hf_fanout *fanout;
    const struct fanout_sink *sink;
};

/* Records the id of a line found on the disk of one sink; with several sinks, as stored by this sink only. */
static void add_recent_id(void *arg, struct hf_view line)
{
    const struct recent_lines *recent = arg;
    struct hf_fanout *fanout = recent->fanout;
    struct hf_event event;
    struct hf_view node;

    if (hf_event_parse(line, &event, &node, &fanout->line) < 0)
        return;
    /* An event with an origin has a number that its sender chose. */
    if (hf_view_eq(node, fanout->env->node) && event.origin.n == 0)
        fanout->sequence = HF_MAX(fanout->sequence, event.origin_sequence);
    uint64_t fingerprint = hf_ids_of_event(fanout->params.ids, &event);
    (void)!hf_ids_add(fanout->params.ids, fanout->n > 1 ? kept_by(recent->sink, fingerprint) : fingerprint);
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

/* Returns a number that rises with each event of this node, over restarts too: the time in microseconds, or one more
 * than the last. */
static uint64_t next_sequence(struct hf_fanout *fanout)
{
    uint64_t us = hf_unix_ns(fanout->env->clock) / 1000;

    fanout->sequence = HF_MAX(fanout->sequence + 1, us);
    return fanout->sequence;
}

static int make_line(struct hf_fanout *fanout, struct hf_event *event)
{
    const char *node = fanout->env->node;

    if (event->origin.n == 0 || event->origin_sequence == 0)
        event->origin_sequence = next_sequence(fanout);
    if (event->id.n == 0) {
        /* The random part keeps a user from posting this id first, for a receiver that compares ids only. */
        const struct hf_rand_ops *rand = fanout->env->rand;
        int n = snprintf(fanout->made_id, sizeof(fanout->made_id), "%.40s-%llx-%08x", node,
                         (unsigned long long)event->origin_sequence, (unsigned)(rand->u64(rand->ctx) >> 32));
        event->id = (struct hf_view){fanout->made_id, (size_t)n};
    }
    hf_buf_clear(&fanout->line);
    return hf_event_format(event, node, &fanout->line);
}

static enum hf_lane lane_of(const struct hf_event *event)
{
    return event->anomaly || event->kind == HF_EVENT_FINDING || event->severity >= HF_SEVERITY_ERROR ? HF_LANE_URGENT
                                                                                                     : HF_LANE_BULK;
}

/* Checks the room in all outlets before the event goes to any. The offered events bound the number of events that the
 * pipeline makes; these must not wait, because all offers would wait behind them. */
static int check_room(struct hf_fanout *fanout, enum hf_lane lane, const struct hf_event *event, uint32_t sinks)
{
    bool room = true;

    fanout->blocked = 0;
    fanout->over_share = false;
    for (size_t i = 0; i < fanout->n; i++) {
        struct hf_outlet *outlet = fanout->sinks[i].outlet;
        if ((sinks >> i & 1) == 0)
            continue;
        if (outlet != NULL && !event->derived &&
            !hf_outlet_allows(outlet, lane, hf_shares_owner(event), fanout->line.n))
            fanout->over_share = true;
        if (outlet == NULL && fanout->blocked == 0)
            fanout->blocked = i + 1;
        room = room && outlet != NULL && hf_outlet_has_room(outlet, lane, fanout->line.n);
    }
    return room && !fanout->over_share ? 0 : -EAGAIN;
}

bool hf_fanout_over_share(const struct hf_fanout *fanout)
{
    return fanout->over_share;
}

const char *hf_fanout_blocked(const struct hf_fanout *fanout, const char **ret_trouble)
{
    size_t i = fanout->blocked - 1;

    if (fanout->blocked == 0 || i >= fanout->n || fanout->sinks[i].outlet != NULL)
        return NULL;
    *ret_trouble = fanout->sinks[i].trouble;
    return hf_outlet_name(&fanout->spec->sinks[i]);
}

static int append(struct hf_fanout *fanout, size_t i, enum hf_lane lane, const struct hf_event *event,
                  struct hf_receipt *receipt)
{
    return hf_outlet_append(fanout->sinks[i].outlet, lane, hf_shares_owner(event),
                            hf_event_tag(event->source_class, event->severity), hf_buf_view(&fanout->line), receipt);
}

/* Gives each sink a share of the receipt, because it matters which of them fails. Once one sink took the event, the
 * receipt reports the failure of the others. */
static int append_to_several(struct hf_fanout *fanout, uint32_t sinks, enum hf_lane lane, const struct hf_event *event,
                             struct hf_receipt *whole)
{
    bool taken = false;
    int r = 0;

    for (size_t i = 0; i < fanout->n && r == 0; i++) {
        if ((sinks >> i & 1) == 0)
            continue;
        struct hf_receipt *share = hf_pending_share(fanout->pending, whole, (unsigned)i);
        r = share != NULL ? append(fanout, i, lane, event, share) : -ENOMEM;
        taken = taken || r == 0;
        hf_receipt_release(share, r);
    }
    hf_receipt_release(whole, r);
    return taken ? 0 : r;
}

static int append_to_one(struct hf_fanout *fanout, uint32_t sinks, enum hf_lane lane, const struct hf_event *event,
                         struct hf_receipt *receipt)
{
    int r = append(fanout, (size_t)__builtin_ctz(sinks), lane, event, receipt);

    hf_receipt_release(receipt, r);
    return r;
}

int hf_fanout_store(struct hf_fanout *fanout, struct hf_event *event, uint32_t sinks, struct hf_receipt *outer)
{
    enum hf_lane lane = lane_of(event);
    bool named = event->id.n > 0;
    int r = make_line(fanout, event);

    if (r < 0)
        return r;
    uint64_t fingerprint = hf_ids_of_event(fanout->params.ids, event);
    if (named && fanout->n > 1)
        sinks = missing_sinks(fanout, fingerprint, sinks);
    if (sinks == 0)
        return HF_FANOUT_DUPLICATE;
    r = check_room(fanout, lane, event, sinks);
    if (r < 0)
        return r;
    struct hf_receipt *receipt = hf_pending_begin(fanout->pending, fingerprint, outer);
    if (receipt == NULL)
        return -EAGAIN;
    bool one = (sinks & (sinks - 1)) == 0;
    r = one ? append_to_one(fanout, sinks, lane, event, receipt)
            : append_to_several(fanout, sinks, lane, event, receipt);
    return r < 0 ? r : HF_FANOUT_STORED;
}

int hf_fanout_follow(struct hf_fanout *fanout, const struct hf_event *event, struct hf_receipt *receipt)
{
    return hf_pending_follow(fanout->pending, hf_ids_of_event(fanout->params.ids, event), receipt);
}

size_t hf_fanout_pending(const struct hf_fanout *fanout)
{
    return hf_pending_count(fanout->pending);
}

void hf_fanout_report_drops(struct hf_fanout *fanout)
{
    for (size_t i = 0; i < fanout->n; i++) {
        struct hf_outlet *outlet = fanout->sinks[i].outlet;
        bool owes = outlet != NULL && hf_outlet_owes_drops(outlet);
        struct hf_receipt *receipt = owes ? hf_pending_begin(fanout->pending, 0, NULL) : NULL;
        if (receipt == NULL)
            continue;
        hf_outlet_report_drops(outlet, receipt);
        hf_receipt_release(receipt, 0);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void note_trouble(struct hf_fanout *fanout, size_t i, const struct hf_err *err)
{
    struct fanout_sink *sink = &fanout->sinks[i];
    char text[TROUBLE], part[96];

    (void)snprintf(text, sizeof(text), "%s", HF_CUT(140, err->cause));
    if (strcmp(text, sink->trouble) == 0)
        return; /* logged before */
    memcpy(sink->trouble, text, sizeof(text));
    (void)snprintf(part, sizeof(part), "sink %s", hf_outlet_name(&fanout->spec->sinks[i]));
    hf_log_err(fanout->env->log, HF_LOG_ERROR, "telemetry.part_failed", "part", part, err);
}

static void not_opened(struct hf_fanout *fanout, size_t i, const struct hf_err *err)
{
    struct fanout_sink *sink = &fanout->sinks[i];

    if (err->code == EIO && sink->unreadable_ns == 0)
        sink->unreadable_ns = hf_mono_ns(fanout->env->clock);
    note_trouble(fanout, i, err);
}

static void open_sink(struct hf_fanout *fanout, size_t i)
{
    const struct hf_telemetry *spec = fanout->spec;
    struct fanout_sink *sink = &fanout->sinks[i];
    struct recent_lines recent = {.fanout = fanout, .sink = sink};
    const struct hf_outlet_params params = {.env = fanout->env,
                                            .spec = spec,
                                            .sink = &spec->sinks[i],
                                            .device_key_ref = fanout->params.device_key_ref,
                                            .http = fanout->params.http,
                                            .max_bytes = fanout->sink_bytes,
                                            .refuse_unreadable =
                                                hf_spool_is_patient(sink->unreadable_ns, fanout->env->clock),
                                            .room = fanout->params.room,
                                            .arg = fanout->params.arg};
    struct hf_err err = HF_ERR_INIT;
    const char *name = hf_outlet_name(&spec->sinks[i]);

    sink->salt = hf_ids_of_sink(fanout->params.ids, hf_view_of(name));
    int r = hf_outlet_new(&params, &sink->outlet, &err);
    if (r < 0) {
        not_opened(fanout, i, &err);
        return;
    }
    r = hf_outlet_recent(sink->outlet, HF_IDS_MAX / 2 / spec->n_sinks, add_recent_id, &recent);
    if (r == -EIO && params.refuse_unreadable) {
        hf_outlet_free(hf_steal(sink->outlet));
        (void)hf_err_set(&err, EIO, "the disk does not give back the newest ids");
        not_opened(fanout, i, &err);
        return;
    }
    sink->trouble[0] = '\0';
    sink->unreadable_ns = 0;
    if (r < 0)
        hf_log(fanout->env->log, HF_LOG_WARNING, "telemetry.ids_not_read", HF_S("sink", name), HF_D("errno", -r));
}

static void open_missing(struct hf_fanout *fanout)
{
    bool all = true;

    for (size_t i = 0; i < fanout->n; i++) {
        if (fanout->sinks[i].outlet == NULL)
            open_sink(fanout, i);
        all = all && fanout->sinks[i].outlet != NULL;
    }
    if (!all)
        hf_timer_arm(fanout->env->sched, fanout->again, HF_FANOUT_AGAIN_NS);
}

static void on_again(void *arg)
{
    struct hf_fanout *fanout = arg;

    open_missing(fanout);
    fanout->params.room(fanout->params.arg);
}

void hf_fanout_open(struct hf_fanout *fanout, const struct hf_telemetry *spec, uint64_t former_bytes)
{
    uint64_t bytes = spec->buffer_max_bytes - HF_MIN(former_bytes, spec->buffer_max_bytes);

    fanout->spec = spec;
    fanout->n = spec->n_sinks;
    fanout->sink_bytes = bytes / HF_MAX(spec->n_sinks, (size_t)1);
    fanout->blocked = 0;
    memset(fanout->sinks, 0, sizeof(fanout->sinks));
    open_missing(fanout);
}

void hf_fanout_close(struct hf_fanout *fanout, void (*gone)(void *arg), void *arg)
{
    struct hf_outlet *outlets[HF_TELEMETRY_MAX_SINKS];
    size_t n = 0;

    hf_timer_disarm(fanout->env->sched, fanout->again);
    for (size_t i = 0; i < fanout->n; i++) {
        outlets[n] = hf_steal(fanout->sinks[i].outlet);
        n += outlets[n] != NULL;
    }
    fanout->n = 0;
    for (size_t i = 0; i < n; i++)
        hf_outlet_end(outlets[i], gone, arg);
}

/* ---- creation and state ------------------------------------------------------------------------------------------ */

struct hf_fanout *hf_fanout_new(const struct hf_fanout_params *params)
{
    struct hf_fanout *fanout = calloc(1, sizeof(*fanout));
    const struct hf_pending_params pending = {.lost = lost, .known = known, .idle = idle, .arg = fanout};

    if (fanout == NULL)
        return NULL;
    fanout->params = *params;
    fanout->env = params->env;
    fanout->line = (struct hf_buf)HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    fanout->pending = hf_pending_new(&pending);
    fanout->again = hf_timer_new(params->env->sched, on_again, fanout);
    if (fanout->pending == NULL || fanout->again == NULL) {
        hf_fanout_free(fanout);
        return NULL;
    }
    return fanout;
}

void hf_fanout_free(struct hf_fanout *fanout)
{
    if (fanout == NULL)
        return;
    hf_fanout_close(fanout, NULL, NULL);
    hf_pending_free(fanout->pending);
    hf_timer_free(fanout->env->sched, fanout->again);
    hf_buf_done(&fanout->line);
    free(fanout);
}

size_t hf_fanout_outlets(const struct hf_fanout *fanout)
{
    size_t n = 0;

    for (size_t i = 0; i < fanout->n; i++)
        n += fanout->sinks[i].outlet != NULL;
    return n;
}

void hf_fanout_link_changed(const struct hf_fanout *fanout)
{
    for (size_t i = 0; i < fanout->n; i++)
        if (fanout->sinks[i].outlet != NULL)
            hf_outlet_link_changed(fanout->sinks[i].outlet);
}

size_t hf_fanout_sinks(const struct hf_fanout *fanout)
{
    return fanout->n;
}

const struct hf_outlet *hf_fanout_outlet(const struct hf_fanout *fanout, size_t i, const char **ret_trouble)
{
    *ret_trouble = fanout->sinks[i].trouble;
    return fanout->sinks[i].outlet;
}
