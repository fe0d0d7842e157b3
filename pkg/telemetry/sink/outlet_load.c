/* SPDX-License-Identifier: Apache-2.0 */
/* A load takes these steps: choose (hf_outlet_load_next()), read the spool, pack and save on a worker, pass the body
 * to the sender. The order of choice: dead letters, the time of the oldest record, another batch than the one that
 * failed last if a probe needs that, then for each lane a planned batch again before a new plan.
 *
 * The border of a batch is durable before its body reaches the sender, so a batch that may have left the node is
 * sent again as the same bytes. The records of a new batch are known only after packing: the job sets the end of its
 * border before it saves. A planned batch that no longer fits (the format changed, or the load was too small) is
 * split where its body ends.
 *
 * Failures: a failed read, save or dead letter pauses the lane (or only its dead letters), and the records stay in
 * the spool. A file that has disappeared is not treated as lost before the spool has checked it. A range without
 * records is marked as done. Records with a boundary that the sink no longer has become dead letters and never leave
 * the node; a load has only such records or none, so that a batch can be split between them. */
#include "telemetry/sink/outlet_load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "telemetry/delivery/deadletter.h"
#include "telemetry/event/event.h"

enum {
    READ_RECORDS = 4096,      /* in one read of the spool */
    LINES_MAX = 2 << 20,      /* bytes of one read and of the records kept from the one before */
    LINE_OVERHEAD = 1,        /* comma or line break beside each record of a body */
    NEWEST_MAX_RECORDS = 512, /* in a batch of the newest records */
    READ_SINGLES = 64,        /* records of one read where each record is a request of its own */
};

static void job_work(struct hf_job *job);
static void job_done(struct hf_job *job, int cancelled);
static int begin(struct hf_outlet_loader *loader, enum hf_outlet_load_task task, struct hf_outlet_lane *lane,
                 struct hf_batch *batch, const struct hf_border *range);

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender)
{
    *loader = (struct hf_outlet_loader){
        .config = config, .metrics = metrics, .lanes = lanes, .sender = sender, .lines = HF_BUF_INIT(LINES_MAX)};
}

/* ---- choosing the next load -------------------------------------------------------------------------------------- */

static uint64_t average_bytes(const struct hf_outlet_lane *lane)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);

    return state.queued > 0 ? state.queued_bytes / state.queued + 1 : 1;
}

/* `passes` is true if the gap lies behind a backlog that waits for the link; the lane's unplanned bytes are then mostly
 * those of the backlog. */
static bool is_due(const struct hf_outlet_lane *lane, const struct hf_border *gap, bool passes, uint64_t now_ns)
{
    uint64_t bytes = passes ? (gap->last - gap->first + 1) * average_bytes(lane) : lane->unplanned_bytes;

    return hf_format_is_single(&lane->config->format) || gap->first <= lane->backlog_until || now_ns >= lane->due_ns ||
           bytes >= lane->config->format.max_bytes;
}

/* Narrows *gap to the newest records, about half a batch of them: after an outage they are worth most. False: the gap
 * is too small for that. */
static bool newest_gap(const struct hf_outlet_lane *lane, struct hf_border *gap)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    uint64_t n = HF_MIN(HF_MAX(lane->config->format.max_bytes / 2 / average_bytes(lane), (uint64_t)1),
                        (uint64_t)NEWEST_MAX_RECORDS);
    struct hf_border last = *gap, next = *gap;

    while (next.last < state.delivered + state.queued &&
           hf_batches_gap(&lane->batches, next.last + 1, state.delivered + state.queued, &next))
        last = next;
    if (last.last - last.first + 1 <= 2 * n)
        return false;
    gap->first = last.last - n + 1;
    gap->last = last.last;
    return true;
}

/* Begins a load for a body. If that fails, lowers *wait_until_ns to the time of the next attempt. */
static bool begin_or_wait(struct hf_outlet_loader *loader, enum hf_outlet_load_task task, struct hf_outlet_lane *lane,
                          struct hf_batch *batch, const struct hf_border *range, uint64_t *wait_until_ns)
{
    if (begin(loader, task, lane, batch, range) == 0)
        return true;
    *wait_until_ns = HF_MIN(*wait_until_ns, lane->broken_until_ns);
    return false;
}

/* Starts a plan if the lane has records without a batch that begin at `choice->from`, and they are due. */
static bool plan(struct hf_outlet_loader *loader, struct hf_outlet_lane *lane, const struct hf_batch_choice *choice,
                 uint64_t *wait_until_ns)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    uint64_t first = HF_MAX(state.delivered + 1, choice->from), now_ns = choice->now_ns;
    bool passes = first > state.delivered + 1;
    struct hf_border gap;

    if (passes)
        first = HF_MAX(state.delivered + 1, hf_batches_pass_from(&lane->batches, first));
    if (!(passes ? hf_batches_may_pass(&lane->batches, choice->from) : hf_batches_may_plan(&lane->batches)) ||
        !hf_batches_gap(&lane->batches, first, state.delivered + state.queued, &gap))
        return false;
    if (lane->due_ns == HF_NEVER) /* these reached the disk after the last plan: their wait begins now */
        lane->due_ns = now_ns + hf_outlet_lane_wait_ns(lane);
    if (!is_due(lane, &gap, passes, now_ns)) {
        *wait_until_ns = HF_MIN(*wait_until_ns, lane->due_ns);
        return false;
    }
    loader->newest = choice->newest && newest_gap(lane, &gap);
    loader->live = choice->from > 0;
    return begin_or_wait(loader, HF_OUTLET_LOAD_PLAN, lane, NULL, &gap, wait_until_ns);
}

static bool load_lane(struct hf_outlet_loader *loader, struct hf_outlet_lane *lane, uint64_t now_ns,
                      uint64_t *wait_until_ns)
{
    bool outage = hf_outlet_send_is_outage(loader->sender, now_ns);
    struct hf_batch_choice choice = {.now_ns = now_ns,
                                     .newest = outage && lane->which == HF_LANE_URGENT,
                                     .probe = loader->sender->breaker.state == HF_BREAKER_HALF_OPEN,
                                     .from = hf_outlet_lane_from(lane, now_ns, wait_until_ns)};

    if (lane->broken_until_ns > now_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, lane->broken_until_ns);
        return false;
    }
    struct hf_batch *batch = hf_batches_next(&lane->batches, &choice, wait_until_ns);
    if (batch != NULL)
        return begin_or_wait(loader, HF_OUTLET_LOAD_AGAIN, lane, batch, &batch->range, wait_until_ns);
    return plan(loader, lane, &choice, wait_until_ns);
}

/* Loads a probe other than the batch that failed last: one never tried, otherwise the one that failed longest ago. */
static bool load_another(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns)
{
    struct hf_batch_choice choice = {.now_ns = now_ns, .probe = true, .other = true};
    struct hf_batch *best = NULL;
    struct hf_outlet_lane *best_lane = NULL;

    for (size_t i = 0; i < HF_LANES; i++) {
        struct hf_outlet_lane *lane = &loader->lanes[i];
        if (lane->broken_until_ns > now_ns)
            continue;
        choice.newest = lane->which == HF_LANE_URGENT;
        choice.from = hf_outlet_lane_from(lane, now_ns, wait_until_ns);
        if (plan(loader, lane, &choice, wait_until_ns))
            return true;
        struct hf_batch *batch = hf_batches_next(&lane->batches, &choice, wait_until_ns);
        if (batch != NULL && (best == NULL || batch->failed_ns < best->failed_ns)) {
            best = batch;
            best_lane = lane;
        }
    }
    return best != NULL && begin_or_wait(loader, HF_OUTLET_LOAD_AGAIN, best_lane, best, &best->range, wait_until_ns);
}

static struct hf_batch *find_refused(const struct hf_outlet_lane *lane)
{
    for (size_t i = 0; i < lane->batches.n; i++)
        if (lane->batches.items[i]->phase == HF_BATCH_REFUSED)
            return lane->batches.items[i];
    return NULL;
}

static bool load_dead_letter(struct hf_outlet_loader *loader, struct hf_outlet_lane *lane, uint64_t now_ns,
                             uint64_t *wait_until_ns)
{
    struct hf_batch *batch = find_refused(lane);

    if (batch == NULL)
        return false;
    if (now_ns >= lane->dead_letter_after_ns &&
        begin(loader, HF_OUTLET_LOAD_DEAD_LETTER, lane, batch, &batch->range) == 0)
        return true;
    *wait_until_ns = HF_MIN(*wait_until_ns, lane->dead_letter_after_ns);
    return false;
}

/* Once after the start: only the oldest record itself holds the time at which it was accepted. */
static bool peek(struct hf_outlet_loader *loader, struct hf_outlet_lane *lane)
{
    struct hf_border range = {.first = hf_spool_state(lane->spool).delivered + 1, .last = lane->backlog_until};

    if (lane->peeked)
        return false;
    lane->peeked = true;
    return range.first <= range.last && begin(loader, HF_OUTLET_LOAD_PEEK, lane, NULL, &range) == 0;
}

static void forget_records(struct hf_outlet_loader *loader);

/* Kept records whose lane holds them may wait for days: read them again then. */
static void forget_held(struct hf_outlet_loader *loader)
{
    if (loader->kept > 0 && hf_outlet_lane_holds(loader->lane))
        forget_records(loader);
}

void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns)
{
    const struct hf_outlet_sender *sender = loader->sender;

    if (loader->state != HF_OUTLET_LOAD_IDLE)
        return;
    forget_held(loader);
    for (size_t i = 0; i < HF_LANES; i++)
        if (load_dead_letter(loader, &loader->lanes[i], now_ns, wait_until_ns) || peek(loader, &loader->lanes[i]))
            return;
    if (!hf_outlet_send_wants_body(loader->sender, now_ns, wait_until_ns))
        return;
    if (sender->breaker.state == HF_BREAKER_HALF_OPEN && sender->evidence.try_another &&
        load_another(loader, now_ns, wait_until_ns))
        return;
    for (size_t i = 0; i < HF_LANES; i++)
        if (load_lane(loader, &loader->lanes[i], now_ns, wait_until_ns))
            return;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void forget_records(struct hf_outlet_loader *loader)
{
    loader->n = 0;
    loader->kept = 0;
    loader->kept_from = 0;
    loader->foreign = false;
    hf_buf_clear(&loader->lines);
}

static void point_at_lines(struct hf_outlet_loader *loader)
{
    size_t at = 0;

    for (size_t i = 0; i < loader->n; i++) {
        loader->records[i].payload.p = hf_buf_str(&loader->lines) + at;
        at += loader->records[i].payload.n;
    }
}

/* Ends a load without a body. r < 0: `step` names what failed; the lane, or only its dead letters, pause. */
static void fail(struct hf_outlet_loader *loader, int r, const char *step)
{
    struct hf_outlet_lane *lane = loader->lane;

    loader->state = HF_OUTLET_LOAD_IDLE;
    forget_records(loader);
    if (loader->batch != NULL && loader->task == HF_OUTLET_LOAD_AGAIN)
        loader->batch->phase = HF_BATCH_WAITING;
    if (r == 0)
        return;
    *(loader->task == HF_OUTLET_LOAD_DEAD_LETTER ? &lane->dead_letter_after_ns : &lane->broken_until_ns) =
        hf_mono_ns(loader->config->env.clock) + HF_OUTLET_BROKEN_NS;
    hf_outlet_send_set_trouble(loader->sender, "%s: %s", step, strerror(-r));
}

/* The spool has no record of the range any more (dropped or damaged): marks the range as done. */
static void skip_range(struct hf_outlet_loader *loader)
{
    if (loader->batch != NULL)
        loader->batch->phase = HF_BATCH_DONE;
    else if (loader->task == HF_OUTLET_LOAD_PLAN)
        (void)hf_batches_add(&loader->lane->batches, loader->range.first, loader->range.last, HF_BATCH_DONE);
    loader->state = HF_OUTLET_LOAD_IDLE;
    forget_records(loader);
}

/* True if the event has a compliance boundary that the sink has not, or has no longer: the policy may have changed
 * since the event was stored. The first "boundary" in quotes is that of the event, or of an attribute or a payload if
 * the event has none. */
static bool is_foreign(const struct hf_outlet_config *config, struct hf_view line)
{
    static const char member[] = "\"boundary\":\"";
    _cleanup_(hf_buf_done) struct hf_buf scratch = HF_BUF_INIT(HF_EVENT_MAX_TEXT);
    const char *own = config->sink->boundary, *at = memmem(line.p, line.n, member, sizeof(member) - 1);
    struct hf_event event;
    struct hf_view node;

    if (at == NULL)
        return false;
    at += sizeof(member) - 1;
    const struct hf_view rest = {at, line.n - (size_t)(at - line.p)};
    if (own != NULL && hf_view_starts(rest, own) && rest.n > strlen(own) && rest.p[strlen(own)] == '"')
        return false;
    return hf_event_parse(line, &event, &node, &scratch) < 0 ||
           (event.boundary.n > 0 && (own == NULL || !hf_view_eq(event.boundary, own)));
}

/* Copies the records of the range, as many as there is room for, and only foreign ones or only others. Records that the
 * spool has lost or dropped do not count as cut off. */
static int copy_records(struct hf_outlet_loader *loader, const struct hf_spool_read *read)
{
    loader->cut = read->next <= HF_MIN(loader->range.last, hf_outlet_lane_durable(loader->lane));
    for (size_t i = 0; i < read->n && read->records[i].sequence <= loader->range.last; i++) {
        bool foreign =
            loader->task != HF_OUTLET_LOAD_DEAD_LETTER && is_foreign(loader->config, read->records[i].payload);
        if (loader->n > 0 && foreign != loader->foreign) {
            loader->cut = true;
            return 0;
        }
        loader->foreign = foreign;
        int r = hf_array_grow(loader->records, loader->n, loader->cap, HF_ARRAY_ANY);
        if (r < 0)
            return r;
        r = hf_buf_add(&loader->lines, read->records[i].payload.p, read->records[i].payload.n);
        if (r == -E2BIG && loader->n > 0) {
            loader->cut = true;
            return 0;
        }
        if (r < 0)
            return r;
        loader->records[loader->n++] = read->records[i];
    }
    return 0;
}

static bool add_planned(struct hf_outlet_loader *loader, uint64_t now_ns);

/* All records that the load has read are foreign: they become dead letters, and never leave the node. A batch that has
 * others behind them is split there. */
static void refuse_foreign(struct hf_outlet_loader *loader)
{
    uint64_t now_ns = hf_mono_ns(loader->config->env.clock), last = loader->records[loader->n - 1].sequence;

    loader->packed = (struct hf_format_packed){.used = loader->n};
    if (loader->task == HF_OUTLET_LOAD_PLAN && !add_planned(loader, now_ns)) {
        fail(loader, -ENOMEM, "make a batch");
        return;
    }
    struct hf_batch *batch = loader->batch;
    bool whole = loader->task == HF_OUTLET_LOAD_PLAN || !loader->cut;
    loader->state = HF_OUTLET_LOAD_IDLE;
    forget_records(loader);
    if (!whole) {
        hf_outlet_send_refuse(loader->sender, loader->lane, batch, last, "boundary", now_ns);
        return;
    }
    (void)snprintf(batch->reason, sizeof(batch->reason), "boundary");
    (void)snprintf(batch->detail, sizeof(batch->detail), "the sink no longer has the boundary of this event");
    batch->phase = HF_BATCH_REFUSED;
}

static void start_job(struct hf_outlet_loader *loader)
{
    bool dead_letter = loader->task == HF_OUTLET_LOAD_DEAD_LETTER;

    if (loader->n == 0) {
        skip_range(loader);
        return;
    }
    if (loader->foreign) {
        refuse_foreign(loader);
        return;
    }
    if (loader->squeeze == NULL && !dead_letter)
        loader->squeeze = hf_squeeze_new(loader->config->format.encoding);
    if (loader->squeeze == NULL && !dead_letter) {
        fail(loader, -ENOMEM, "make a batch");
        return;
    }
    point_at_lines(loader);
    loader->save = !hf_format_is_single(&loader->config->format) && !dead_letter &&
                   !(loader->batch != NULL && loader->batch->saved);
    hf_batches_borders(&loader->lane->batches, loader->task == HF_OUTLET_LOAD_PLAN ? &loader->range : NULL,
                       &loader->borders);
    memcpy(loader->borders.stream, hf_spool_stream(loader->lane->spool), sizeof(loader->borders.stream));
    loader->seed = loader->config->env.rand->u64(loader->config->env.rand->ctx);
    loader->unix_ns = hf_unix_ns(loader->config->env.clock);
    loader->patient = hf_spool_is_patient(loader->dead_unreadable_ns, loader->config->env.clock);
    loader->state = HF_OUTLET_LOAD_WORKING;
    loader->job = (struct hf_job){.work = job_work, .done = job_done};
    if (hf_job_submit(loader->config->env.sched, &loader->job) < 0)
        fail(loader, -EAGAIN, "make a batch");
}

static void on_read(void *arg, int r, const struct hf_spool_read *read)
{
    struct hf_outlet_loader *loader = arg;

    if (r == 0 && loader->task == HF_OUTLET_LOAD_PEEK) {
        if (read->n > 0)
            loader->lane->oldest_unix_ns = read->records[0].unix_ns;
        loader->state = HF_OUTLET_LOAD_IDLE;
    } else if (r == 0 && read->gone) {
        /* Not lost yet: the spool checks now whether its writer has the file open. The next read finds the file, or
         * reports the loss. */
        fail(loader, -ENOENT, "read the spool");
    } else if (r < 0 || (r = copy_records(loader, read)) < 0) {
        fail(loader, r, "read the spool");
    } else {
        if (loader->n == 0 && loader->task == HF_OUTLET_LOAD_PLAN) /* skip only the part that the read covered */
            loader->range.last = HF_MIN(loader->range.last, HF_MAX(read->next, loader->range.first + 1) - 1);
        start_job(loader);
    }
    hf_outlet_config_pump(loader->config);
}

static int begin(struct hf_outlet_loader *loader, enum hf_outlet_load_task task, struct hf_outlet_lane *lane,
                 struct hf_batch *batch, const struct hf_border *range)
{
    const struct hf_format *format = &loader->config->format;
    bool use_kept = task == HF_OUTLET_LOAD_PLAN && loader->lane == lane && loader->kept > 0 &&
                    loader->kept_from == range->first && loader->records[loader->kept - 1].sequence <= range->last;
    bool single = hf_format_is_single(format);
    size_t max_records = task == HF_OUTLET_LOAD_PEEK ? 1 : single ? (size_t)READ_SINGLES : (size_t)READ_RECORDS;
    size_t max_bytes = format->max_bytes;

    if (!use_kept)
        forget_records(loader);
    loader->task = task;
    loader->lane = lane;
    loader->batch = batch;
    loader->range = *range;
    uint64_t next = loader->n > 0 ? loader->records[loader->n - 1].sequence + 1 : range->first;
    bool enough = single || loader->lines.n >= format->max_bytes || loader->n >= READ_RECORDS || next > range->last;
    loader->state = HF_OUTLET_LOAD_READING;
    if (batch != NULL && task == HF_OUTLET_LOAD_AGAIN)
        batch->phase = HF_BATCH_LOADING;
    if (loader->n > 0 && enough) {
        start_job(loader);
        return 0;
    }
    if (batch != NULL) { /* the plan may have taken kept records and those of a read */
        max_records = (size_t)HF_MIN((uint64_t)max_records, range->last - range->first + 1);
        max_bytes = LINES_MAX;
    }
    int r = hf_spool_read(lane->spool, next, max_records, max_bytes, on_read, loader);
    if (r < 0)
        fail(loader, r, "read the spool");
    return r;
}

/* ---- the job, on a worker ---------------------------------------------------------------------------------------- */

static void write_dead_letters(struct hf_outlet_loader *loader)
{
    char dir[HF_OUTLET_PATH];

    (void)snprintf(dir, sizeof(dir), "%s/dead", loader->config->dir);
    struct hf_deadletter where = {.fs = loader->config->env.fs,
                                  .dir = dir,
                                  .seed = loader->seed,
                                  .sink = loader->config->name,
                                  .reason = loader->batch->reason,
                                  .detail = loader->batch->detail,
                                  .unix_ns = loader->unix_ns,
                                  .refuse_unreadable = loader->patient};
    loader->r = hf_deadletter_add(&where, loader->records, loader->n, &loader->err);
}

static void job_work(struct hf_job *job)
{
    struct hf_outlet_loader *loader = hf_container_of(job, struct hf_outlet_loader, job);
    struct hf_format format = loader->config->format;

    loader->err = (struct hf_err){.code = 0};
    if (loader->task == HF_OUTLET_LOAD_DEAD_LETTER) {
        write_dead_letters(loader);
        return;
    }
    /* A batch that was sent once goes again as the same bytes, whatever limit the policy has now. */
    if (loader->task == HF_OUTLET_LOAD_AGAIN && loader->batch->saved)
        format.max_bytes = HF_FORMAT_MAX_BODY;
    loader->r = hf_format_pack(&format, loader->squeeze, loader->records, HF_MIN(loader->n, (size_t)READ_RECORDS),
                               &loader->packed);
    if (loader->r < 0 || !loader->save)
        return;
    /* Only now is it clear how many records the planned batch holds. */
    for (size_t i = 0; i < loader->borders.n && loader->task == HF_OUTLET_LOAD_PLAN; i++)
        if (loader->borders.items[i].first == loader->range.first)
            loader->borders.items[i].last = loader->records[loader->packed.used - 1].sequence;
    loader->r = hf_border_file_save(&loader->lane->file, &loader->borders, &loader->err);
    if (loader->r < 0)
        hf_format_packed_done(&loader->packed);
}

/* ---- the end of the job, on the loop ----------------------------------------------------------------------------- */

/* Keeps the records that a plan did not use. */
static void keep_unused(struct hf_outlet_loader *loader, size_t used)
{
    size_t bytes = 0;

    for (size_t i = 0; i < used; i++)
        bytes += loader->records[i].payload.n;
    loader->kept_from = loader->records[used - 1].sequence + 1;
    loader->n -= used;
    loader->kept = loader->n;
    memmove(loader->records, loader->records + used, loader->n * sizeof(*loader->records));
    hf_buf_consume(&loader->lines, bytes);
}

/* Updates the lane after a plan: bytes and oldest time of the records that remain without a batch, and when they are
 * due. */
static void note_planned(const struct hf_outlet_loader *loader, uint64_t now_ns)
{
    struct hf_outlet_lane *lane = loader->lane;
    struct hf_spool_state state = hf_spool_state(lane->spool);
    struct hf_border gap;
    uint64_t bytes = 0;

    for (size_t i = 0; i < loader->packed.used; i++)
        bytes += loader->records[i].payload.n + LINE_OVERHEAD;
    lane->unplanned_bytes -= HF_MIN(bytes, lane->unplanned_bytes);
    if (!loader->newest)
        lane->oldest_unix_ns = loader->records[loader->packed.used - 1].unix_ns;
    bool more = state.pending_records > 0 ||
                hf_batches_gap(&lane->batches, state.delivered + 1, state.delivered + state.queued, &gap);
    lane->due_ns = more ? now_ns + hf_outlet_lane_wait_ns(lane) : HF_NEVER;
    if (!more)
        lane->unplanned_bytes = 0;
}

/* Adds the planned batch to the lane's table; false: no memory. */
static bool add_planned(struct hf_outlet_loader *loader, uint64_t now_ns)
{
    uint64_t last = loader->records[loader->packed.used - 1].sequence;

    loader->batch = hf_batches_add(&loader->lane->batches, loader->range.first, last, HF_BATCH_LOADING);
    if (loader->batch == NULL)
        return false;
    loader->batch->live = loader->live;
    note_planned(loader, now_ns);
    return true;
}

/* The format changed since the batch was planned and now holds less, or one load does not hold the batch: splits the
 * batch where the body ends. */
static void split_batch(struct hf_outlet_loader *loader, uint64_t now_ns)
{
    uint64_t middle = loader->records[loader->packed.used - 1].sequence;

    hf_format_packed_done(&loader->packed);
    fail(loader, 0, "");
    hf_outlet_send_refuse(loader->sender, loader->lane, loader->batch, middle, "too_large", now_ns);
}

static void packed(struct hf_outlet_loader *loader, uint64_t now_ns)
{
    size_t used = loader->packed.used;
    bool planned = loader->task == HF_OUTLET_LOAD_PLAN;

    if (!planned && (used < loader->n || loader->cut)) {
        split_batch(loader, now_ns);
        return;
    }
    if (planned && !add_planned(loader, now_ns)) {
        hf_format_packed_done(&loader->packed);
        fail(loader, -ENOMEM, "make a batch");
        return;
    }
    loader->batch->saved = loader->batch->saved || loader->save;
    loader->batch->unix_ns = loader->records[0].unix_ns;
    int r = hf_outlet_send_add(loader->sender, loader->lane, loader->batch, &loader->packed, loader->records);
    if (r < 0) {
        hf_format_packed_done(&loader->packed);
        fail(loader, r, "make a batch");
        loader->batch->phase = HF_BATCH_WAITING;
        return;
    }
    loader->state = HF_OUTLET_LOAD_IDLE;
    if (planned)
        keep_unused(loader, used);
    else
        forget_records(loader);
}

static void dead_letters_written(struct hf_outlet_loader *loader)
{
    const struct hf_outlet_config *config = loader->config;

    if (loader->r < 0) { /* the records stay in the spool for another attempt */
        hf_log_err(config->env.log, HF_LOG_ERROR, "telemetry.dead_letter_not_written", "sink", config->name,
                   &loader->err);
        if (loader->r == -EIO && loader->dead_unreadable_ns == 0)
            loader->dead_unreadable_ns = hf_mono_ns(config->env.clock);
        fail(loader, loader->r, "write a dead letter");
        return;
    }
    loader->dead_unreadable_ns = 0;
    loader->dead_lettered += loader->n;
    if (loader->dead_lettered == loader->n)
        hf_outlet_config_changed(config);
    hf_metric_add(hf_metric_with(loader->metrics->dead, HF_LABELS(config->name, loader->batch->reason)), loader->n);
    hf_log(config->env.log, HF_LOG_ERROR, "telemetry.dead_letter", HF_S("sink", config->name),
           HF_S("reason", loader->batch->reason), HF_D("records", loader->n), HF_D("sequence", loader->range.first));
    loader->batch->phase = HF_BATCH_DONE;
    loader->state = HF_OUTLET_LOAD_IDLE;
    forget_records(loader);
}

static void free_buffers(struct hf_outlet_loader *loader)
{
    hf_squeeze_free(hf_steal(loader->squeeze));
    hf_buf_done(&loader->lines);
    free(hf_steal(loader->records));
    loader->cap = 0;
    loader->n = 0;
}

static void job_done(struct hf_job *job, int cancelled)
{
    struct hf_outlet_loader *loader = hf_container_of(job, struct hf_outlet_loader, job);

    if (loader->state == HF_OUTLET_LOAD_ENDING) {
        if (!cancelled && loader->task != HF_OUTLET_LOAD_DEAD_LETTER && loader->r == 0)
            hf_format_packed_done(&loader->packed);
        free_buffers(loader);
        loader->ended(loader->ended_arg);
        return;
    }
    if (cancelled)
        fail(loader, -ECANCELED, "make a batch");
    else if (loader->task == HF_OUTLET_LOAD_DEAD_LETTER)
        dead_letters_written(loader);
    else if (loader->r < 0)
        fail(loader, loader->r, loader->save ? "save the sequence range of a batch" : "make a batch");
    else
        packed(loader, hf_mono_ns(loader->config->env.clock));
    hf_outlet_config_pump(loader->config);
}

void hf_outlet_load_free_idle(struct hf_outlet_loader *loader)
{
    if (loader->state == HF_OUTLET_LOAD_IDLE && loader->kept == 0)
        free_buffers(loader);
}

void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg)
{
    if (loader->state == HF_OUTLET_LOAD_WORKING) {
        loader->state = HF_OUTLET_LOAD_ENDING;
        loader->ended = ended;
        loader->ended_arg = arg;
        return;
    }
    free_buffers(loader);
    ended(arg);
}
