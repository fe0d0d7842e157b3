/* One load at a time: a read of the spool, then a worker's job that puts records into their form, compresses them and, for a batch
 * that was never sent, saves where it begins and ends. What a plan read and did not use is kept for the next one, so that a backlog is
 * read once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "telemetry/sink/deadletter.h"
#include "telemetry/sink/outlet_parts.h"

enum { LINE_AROUND = 1, TAIL_MAX_RECORDS = 512, READ_SINGLES = 64 };

uint64_t hf_outlet_durable(const struct lane *lane)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);

    return state.delivered + state.queued;
}

/* ---- what comes next --------------------------------------------------------------------------------------------- */

static bool is_due(const struct lane *lane, const struct hf_border *gap, uint64_t now_ns)
{
    return hf_format_is_single(&lane->outlet->format) || gap->first <= lane->backlog_until || now_ns >= lane->due_ns ||
           lane->fresh_bytes >= lane->outlet->format.max_bytes;
}

/* After an outage what is newest says most: as many of the last records as fill half a batch, about. */
static bool newest_gap(const struct lane *lane, struct hf_border *gap)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    uint64_t size = state.queued > 0 ? state.queued_bytes / state.queued + 1 : 1;
    uint64_t n = HF_MIN(HF_MAX(lane->outlet->format.max_bytes / 2 / size, (uint64_t)1), (uint64_t)TAIL_MAX_RECORDS);
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

static bool is_outage(const struct hf_outlet *outlet, uint64_t now_ns)
{
    return outlet->breaker.state != HF_BREAKER_CLOSED ||
           (outlet->last_success_ns > 0 && outlet->failures > 0 && outlet->trouble[0] != '\0' &&
            now_ns - outlet->last_success_ns > HF_OUTLET_OUTAGE_NS);
}

static bool want_plan(struct lane *lane, bool newest, uint64_t now_ns, struct hf_border *ret_gap,
                      uint64_t *wait_until_ns)
{
    struct hf_spool_state state = hf_spool_state(lane->spool);
    struct hf_border gap;

    if (!hf_batches_may_plan(&lane->batches) ||
        !hf_batches_gap(&lane->batches, state.delivered + 1, state.delivered + state.queued, &gap))
        return false;
    /* A batch was made while these were on their way to disk: their wait begins now. */
    if (lane->due_ns == HF_NEVER)
        lane->due_ns = now_ns + hf_outlet_wait_ns(lane);
    if (!is_due(lane, &gap, now_ns)) {
        *wait_until_ns = HF_MIN(*wait_until_ns, lane->due_ns);
        return false;
    }
    lane->outlet->load.newest = newest && newest_gap(lane, &gap);
    *ret_gap = gap;
    return true;
}

static int begin(struct hf_outlet *outlet, enum load_task task, struct lane *lane, struct hf_batch *batch,
                 const struct hf_border *range);

static bool load_lane(struct hf_outlet *outlet, struct lane *lane, uint64_t now_ns, uint64_t *wait_until_ns)
{
    bool outage = is_outage(outlet, now_ns);
    struct hf_batch_choice choice = {.now_ns = now_ns,
                                     .newest = outage && lane->which == HF_LANE_URGENT,
                                     .probe = outlet->breaker.state == HF_BREAKER_HALF_OPEN};
    struct hf_border gap;

    if (lane->broken_until_ns > now_ns) {
        *wait_until_ns = HF_MIN(*wait_until_ns, lane->broken_until_ns);
        return false;
    }
    struct hf_batch *batch = hf_batches_next(&lane->batches, &choice, wait_until_ns);
    if (batch != NULL)
        return begin(outlet, LOAD_AGAIN, lane, batch, &batch->range) == 0;
    if (want_plan(lane, choice.newest, now_ns, &gap, wait_until_ns))
        return begin(outlet, LOAD_PLAN, lane, NULL, &gap) == 0;
    return false;
}

/* A probe that is not the batch the last one failed with: one that was never tried, else the one that failed longest ago. */
static bool load_another(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    struct hf_batch_choice choice = {.now_ns = now_ns, .probe = true, .other = true};
    struct hf_batch *best = NULL;
    struct lane *best_lane = NULL;
    struct hf_border gap;

    for (size_t i = 0; i < HF_LANES; i++) {
        struct lane *lane = &outlet->lanes[i];
        if (lane->broken_until_ns > now_ns)
            continue;
        if (want_plan(lane, lane->which == HF_LANE_URGENT, now_ns, &gap, wait_until_ns))
            return begin(outlet, LOAD_PLAN, lane, NULL, &gap) == 0;
        struct hf_batch *batch = hf_batches_next(&lane->batches, &choice, wait_until_ns);
        if (batch != NULL && (best == NULL || batch->failed_ns < best->failed_ns)) {
            best = batch;
            best_lane = lane;
        }
    }
    return best != NULL && begin(outlet, LOAD_AGAIN, best_lane, best, &best->range) == 0;
}

static bool bury_one(struct hf_outlet *outlet, struct lane *lane)
{
    for (size_t i = 0; i < lane->batches.n; i++) {
        struct hf_batch *batch = lane->batches.items[i];
        if (batch->phase == HF_BATCH_REFUSED)
            return begin(outlet, LOAD_BURY, lane, batch, &batch->range) == 0;
    }
    return false;
}

/* When the oldest one that waits was taken in is known from its record only. */
static bool peek_one(struct hf_outlet *outlet, struct lane *lane)
{
    struct hf_border range = {.first = hf_spool_state(lane->spool).delivered + 1, .last = lane->backlog_until};

    if (lane->peeked)
        return false;
    lane->peeked = true;
    return range.first <= range.last && begin(outlet, LOAD_PEEK, lane, NULL, &range) == 0;
}

void hf_outlet_load_next(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns)
{
    if (outlet->load.state != LOAD_IDLE)
        return;
    for (size_t i = 0; i < HF_LANES; i++)
        if (bury_one(outlet, &outlet->lanes[i]) || peek_one(outlet, &outlet->lanes[i]))
            return;
    if (outlet->n_ready > 0 || outlet->n_sending > hf_aimd_concurrency(&outlet->pace) ||
        !hf_outlet_may_send(outlet, now_ns, wait_until_ns))
        return;
    if (outlet->breaker.state == HF_BREAKER_HALF_OPEN && outlet->try_another &&
        load_another(outlet, now_ns, wait_until_ns))
        return;
    for (size_t i = 0; i < HF_LANES; i++)
        if (load_lane(outlet, &outlet->lanes[i], now_ns, wait_until_ns))
            return;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void forget_kept(struct load *load)
{
    load->n = 0;
    load->kept = 0;
    load->kept_from = 0;
    hf_buf_clear(&load->lines);
}

static void job_work(struct hf_job *job);
static void job_done(struct hf_job *job, int cancelled);

static void point_at_lines(struct load *load)
{
    size_t at = 0;

    for (size_t i = 0; i < load->n; i++) {
        load->records[i].payload.p = hf_buf_str(&load->lines) + at;
        at += load->records[i].payload.n;
    }
}

static void lane_broken(struct lane *lane, int r, const char *what)
{
    struct hf_outlet *outlet = lane->outlet;

    lane->broken_until_ns = hf_mono_ns(outlet->world.clock) + HF_OUTLET_BROKEN_NS;
    hf_outlet_trouble(outlet, "%s: %s", what, strerror(-r));
}

/* The load ended without a body. */
static void give_up(struct hf_outlet *outlet, int r, const char *what)
{
    struct load *load = &outlet->load;

    load->state = LOAD_IDLE;
    forget_kept(load);
    if (load->batch != NULL && load->task == LOAD_AGAIN)
        load->batch->phase = HF_BATCH_WAITING;
    if (r < 0)
        lane_broken(load->lane, r, what);
}

/* Nothing of the range is there any more (dropped, damaged): it is done with. */
static void nothing_there(struct hf_outlet *outlet)
{
    struct load *load = &outlet->load;

    if (load->batch != NULL)
        load->batch->phase = HF_BATCH_DONE;
    else if (load->task == LOAD_PLAN)
        (void)hf_batches_add(&load->lane->batches, load->range.first, load->range.last, HF_BATCH_DONE);
    load->state = LOAD_IDLE;
    forget_kept(load);
}

static int take_records(struct load *load, const struct hf_spool_read *read)
{
    for (size_t i = 0; i < read->n && read->records[i].sequence <= load->range.last; i++) {
        int r = hf_array_grow(load->records, load->n, load->cap, HF_ARRAY_ANY);
        if (r < 0)
            return r;
        r = hf_buf_add(&load->lines, read->records[i].payload.p, read->records[i].payload.n);
        if (r < 0)
            return r == -E2BIG && load->n > 0 ? 0 : r;
        load->records[load->n++] = read->records[i];
    }
    return 0;
}

static void start_work(struct hf_outlet *outlet)
{
    struct load *load = &outlet->load;
    const struct hf_sched_ops *sched = outlet->world.sched;
    struct hf_border extra = load->range;

    if (load->n == 0) {
        nothing_there(outlet);
        return;
    }
    if (load->squeeze == NULL && load->task != LOAD_BURY)
        load->squeeze = hf_squeeze_new(outlet->format.encoding);
    if (load->squeeze == NULL && load->task != LOAD_BURY) {
        give_up(outlet, -ENOMEM, "make a batch");
        return;
    }
    point_at_lines(load);
    load->save = !hf_format_is_single(&outlet->format) && load->task != LOAD_BURY &&
                 !(load->batch != NULL && load->batch->saved);
    hf_batches_borders(&load->lane->batches, load->task == LOAD_PLAN ? &extra : NULL, &load->borders);
    memcpy(load->borders.stream, hf_spool_stream(load->lane->spool), sizeof(load->borders.stream));
    load->seed = outlet->world.rand->u64(outlet->world.rand->ctx);
    load->unix_ns = hf_unix_ns(outlet->world.clock);
    load->state = LOAD_WORKING;
    load->job = (struct hf_job){.work = job_work, .done = job_done};
    if (sched->submit(sched->ctx, &load->job) < 0)
        give_up(outlet, -EAGAIN, "make a batch");
}

static void on_read(void *arg, int r, const struct hf_spool_read *read)
{
    struct hf_outlet *outlet = arg;
    struct load *load = &outlet->load;

    if (r == 0 && load->task == LOAD_PEEK) {
        if (read->n > 0)
            load->lane->oldest_unix_ns = read->records[0].unix_ns;
        load->state = LOAD_IDLE;
    } else if (r == 0 && read->gone) {
        /* Not lost yet: the spool's writer looks now whether it still has the file open. After that it is there, or known to be lost. */
        give_up(outlet, -ENOENT, "read the spool");
    } else if (r < 0 || (r = take_records(load, read)) < 0) {
        give_up(outlet, r, "read the spool");
    } else {
        if (load->n == 0 && load->task == LOAD_PLAN) /* only what was looked through is known to be empty */
            load->range.last = HF_MIN(load->range.last, HF_MAX(read->next, load->range.first + 1) - 1);
        start_work(outlet);
    }
    hf_outlet_pump(outlet);
}

static int begin(struct hf_outlet *outlet, enum load_task task, struct lane *lane, struct hf_batch *batch,
                 const struct hf_border *range)
{
    struct load *load = &outlet->load;
    bool goes_on = task == LOAD_PLAN && load->lane == lane && load->kept > 0 && load->kept_from == range->first &&
                   load->records[load->kept - 1].sequence <= range->last;
    bool single = hf_format_is_single(&outlet->format);
    size_t max_records = task == LOAD_PEEK ? 1 : single ? (size_t)READ_SINGLES : (size_t)HF_OUTLET_READ_RECORDS;

    if (!goes_on)
        forget_kept(load);
    load->task = task;
    load->lane = lane;
    load->batch = batch;
    load->range = *range;
    uint64_t next = load->n > 0 ? load->records[load->n - 1].sequence + 1 : range->first;
    bool enough =
        single || load->lines.n >= outlet->format.max_bytes || load->n >= HF_OUTLET_READ_RECORDS || next > range->last;
    load->state = LOAD_READING;
    if (batch != NULL && task == LOAD_AGAIN)
        batch->phase = HF_BATCH_LOADING;
    if (load->n > 0 && enough) {
        start_work(outlet);
        return 0;
    }
    int r = hf_spool_read(lane->spool, next, max_records, outlet->format.max_bytes, on_read, outlet);
    if (r < 0)
        give_up(outlet, r, "read the spool");
    return r;
}

/* ---- the worker's half ------------------------------------------------------------------------------------------- */

static void bury(struct hf_outlet *outlet)
{
    struct load *load = &outlet->load;
    char dir[HF_OUTLET_PATH];

    (void)snprintf(dir, sizeof(dir), "%s/dead", outlet->dir);
    struct hf_deadletter where = {.fs = outlet->world.fs,
                                  .dir = dir,
                                  .seed = load->seed,
                                  .sink = outlet->name,
                                  .reason = load->batch->reason,
                                  .detail = load->batch->detail,
                                  .unix_ns = load->unix_ns};
    load->r = hf_deadletter_add(&where, load->records, load->n, &load->err);
}

static void job_work(struct hf_job *job)
{
    struct load *load = hf_container_of(job, struct load, job);
    struct hf_outlet *outlet = hf_container_of(load, struct hf_outlet, load);

    load->err = (struct hf_err){.code = 0};
    if (load->task == LOAD_BURY) {
        bury(outlet);
        return;
    }
    struct hf_format format = outlet->format;
    /* sent once, it goes again as the same bytes, whatever the policy's limit is now */
    if (load->task == LOAD_AGAIN && load->batch->saved)
        format.max_bytes = HF_FORMAT_MAX_BODY;
    load->r = hf_format_pack(&format, load->squeeze, load->records, HF_MIN(load->n, (size_t)HF_OUTLET_READ_RECORDS),
                             &load->packed);
    if (load->r < 0 || !load->save)
        return;
    /* the border of a plan is known only now */
    for (size_t i = 0; i < load->borders.n && load->task == LOAD_PLAN; i++)
        if (load->borders.items[i].first == load->range.first)
            load->borders.items[i].last = load->records[load->packed.used - 1].sequence;
    load->r = hf_border_file_save(&load->lane->file, &load->borders, &load->err);
    if (load->r < 0)
        hf_format_packed_done(&load->packed);
}

/* ---- and back ---------------------------------------------------------------------------------------------------- */

/* Keep what a plan did not use. */
static void keep_rest(struct load *load, size_t used)
{
    size_t bytes = 0;

    for (size_t i = 0; i < used; i++)
        bytes += load->records[i].payload.n;
    load->kept_from = load->records[used - 1].sequence + 1;
    load->n -= used;
    load->kept = load->n;
    memmove(load->records, load->records + used, load->n * sizeof(*load->records));
    hf_buf_consume(&load->lines, bytes);
}

static void planned(const struct load *load, uint64_t now_ns)
{
    struct lane *lane = load->lane;
    struct hf_spool_state state = hf_spool_state(lane->spool);
    struct hf_border gap;
    uint64_t bytes = 0;

    for (size_t i = 0; i < load->packed.used; i++)
        bytes += load->records[i].payload.n + LINE_AROUND;
    lane->fresh_bytes -= HF_MIN(bytes, lane->fresh_bytes);
    if (!load->newest)
        lane->oldest_unix_ns = load->records[load->packed.used - 1].unix_ns;
    bool rest = state.pending_records > 0 ||
                hf_batches_gap(&lane->batches, state.delivered + 1, state.delivered + state.queued, &gap);
    lane->due_ns = rest ? now_ns + hf_outlet_wait_ns(lane) : HF_NEVER;
    if (!rest)
        lane->fresh_bytes = 0;
}

static struct sending *sending_new(struct hf_outlet *outlet, struct load *load)
{
    struct sending *sending = calloc(1, sizeof(*sending));

    if (sending == NULL)
        return NULL;
    sending->lane = load->lane;
    sending->batch = load->batch;
    sending->packed = load->packed;
    sending->records = load->packed.used;
    for (size_t i = 0; i < load->packed.used; i++)
        sending->raw_bytes += load->records[i].payload.n;
    if (load->packed.used > 1)
        sending->middle = load->records[load->packed.used / 2 - 1].sequence;
    sending->oldest_unix_ns = load->records[0].unix_ns;
    hf_list_append(&outlet->sendings, &sending->link);
    outlet->n_ready++;
    return sending;
}

static void have_body(struct hf_outlet *outlet, uint64_t now_ns)
{
    struct load *load = &outlet->load;
    size_t used = load->packed.used;

    if (load->task == LOAD_PLAN) {
        load->batch =
            hf_batches_add(&load->lane->batches, load->range.first, load->records[used - 1].sequence, HF_BATCH_LOADING);
        if (load->batch == NULL) {
            hf_format_packed_done(&load->packed);
            give_up(outlet, -ENOMEM, "make a batch");
            return;
        }
        planned(load, now_ns);
    } else if (used < load->n) { /* the form is another one now, and does not hold as much */
        uint64_t middle = load->records[used - 1].sequence;
        hf_format_packed_done(&load->packed);
        struct hf_batch *batch = load->batch;
        give_up(outlet, 0, "");
        hf_outlet_refuse_batch(outlet, batch, middle, "too_large", now_ns, load->lane);
        return;
    }
    load->batch->saved = load->batch->saved || load->save;
    load->batch->unix_ns = load->records[0].unix_ns;
    struct sending *sending = sending_new(outlet, load);
    if (sending == NULL) {
        hf_format_packed_done(&load->packed);
        give_up(outlet, -ENOMEM, "make a batch");
        load->batch->phase = HF_BATCH_WAITING;
        return;
    }
    load->batch->phase = HF_BATCH_READY;
    load->batch->body = sending;
    load->state = LOAD_IDLE;
    if (load->task == LOAD_PLAN)
        keep_rest(load, used);
    else
        forget_kept(load);
}

static void buried(struct hf_outlet *outlet)
{
    struct load *load = &outlet->load;

    if (load->r < 0) { /* it stays in the spool, and is buried later */
        give_up(outlet, load->r, "keep a dead letter");
        return;
    }
    outlet->dead_lettered += load->n;
    if (outlet->dead_lettered == load->n)
        hf_outlet_tell_change(outlet);
    hf_metric_add(hf_metric_with(outlet->metrics.dead, HF_LABELS(outlet->name, load->batch->reason)), load->n);
    hf_log(outlet->world.log, HF_LOG_ERROR, "telemetry.dead_letter", HF_S("sink", outlet->name),
           HF_S("reason", load->batch->reason), HF_D("records", load->n), HF_D("sequence", load->range.first));
    load->batch->phase = HF_BATCH_DONE;
    load->state = LOAD_IDLE;
    forget_kept(load);
}

static void job_done(struct hf_job *job, int cancelled)
{
    struct load *load = hf_container_of(job, struct load, job);
    struct hf_outlet *outlet = hf_container_of(load, struct hf_outlet, load);

    if (outlet->closing) {
        if (!cancelled && load->task != LOAD_BURY && load->r == 0)
            hf_format_packed_done(&load->packed);
        load->state = LOAD_IDLE;
        hf_outlet_free_when_quiet(outlet);
        return;
    }
    if (cancelled)
        give_up(outlet, -ECANCELED, "make a batch");
    else if (load->task == LOAD_BURY)
        buried(outlet);
    else if (load->r < 0)
        give_up(outlet, load->r, load->save ? "save where a batch begins" : "make a batch");
    else
        have_body(outlet, hf_mono_ns(outlet->world.clock));
    hf_outlet_pump(outlet);
}

void hf_outlet_load_rest(struct hf_outlet *outlet)
{
    struct load *load = &outlet->load;

    if (load->state != LOAD_IDLE || load->kept > 0)
        return;
    hf_squeeze_free(hf_steal(load->squeeze));
    hf_buf_done(&load->lines);
    free(hf_steal(load->records));
    load->cap = 0;
    load->n = 0;
}

void hf_outlet_load_done(struct hf_outlet *outlet)
{
    outlet->load.kept = 0;
    outlet->load.state = LOAD_IDLE;
    hf_outlet_load_rest(outlet);
}
