/* SPDX-License-Identifier: Apache-2.0 */
/* Runs three jobs at most: `writer` owns the store while it runs (write, deliver, check); `reader` works on a snapshot;
 * `maker` fills a spare segment with zeros beside both.
 *
 *   append -> collecting batch --(writer idle)--> writing batch -> done callbacks -> next batch, else housekeeping */
#include "spool/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { KEEP_EVERY = 32, BATCH_KEPT_BYTES = 256 << 10, BATCH_KEPT_RECORDS = 1024 };
#define WRITE_AGAIN_NS HF_NS_PER_S       /* delay after a failure to start the writer's task */
#define MAKE_AGAIN_NS (10 * HF_NS_PER_S) /* delay after a failure to make a spare segment */

struct waiter {
    void (*done)(void *arg, int r, uint64_t sequence);
    void *arg;
    uint32_t tag;
    size_t offset, n; /* place of the payload in the batch's bytes */
};

/* Records on their way to the disk. */
struct append_batch {
    struct waiter *waiters;
    size_t n, cap;
    uint64_t unix_ns; /* time of its first record */
    struct hf_buf bytes;
};

enum spool_task { WRITER_IDLE, WRITER_WRITE, WRITER_KEEP };

struct spool_writer {
    struct hf_job job;
    enum spool_task task;
    struct hf_spool_store *store;
    const struct hf_clock_ops *clock;
    struct append_batch batch;
    struct hf_spool_record *records; /* one for each record of the batch */
    size_t first, count;             /* the part of the batch in the current write */
    size_t stored;                   /* records of `count` that are durable */
    uint64_t deliver;                /* 0: nothing to deliver */
    uint64_t delivered_before;       /* the cursor before the job */
    bool adopt, check;               /* a spare is ready; files seem to be missing */
    int made;
    uint64_t took_ns;
    int r;
    struct hf_err err;
};

struct spare_maker {
    struct hf_job job;
    bool busy, made; /* made: the store does not have it yet */
    struct hf_spool_spare spare;
    uint64_t not_before_ns;
    int r;
};

struct spool_reader {
    struct hf_job job;
    bool busy;
    const struct hf_spool_store_params *where; /* file system and folder */
    struct hf_spool_extent *extents;
    size_t n_extents, cap_extents;
    uint64_t durable;
    struct hf_spool_place place;
    struct hf_spool_read read;
    void (*done)(void *arg, int r, const struct hf_spool_read *read);
    void *arg;
    int r;
    struct hf_err err;
};

struct hf_spool {
    struct hf_spool_params params;
    char *dir;
    struct hf_spool_store *store;
    struct append_batch collecting;
    struct spool_writer writer;
    struct spool_reader reader;
    struct spare_maker maker;
    uint64_t deliver;            /* as the caller asked */
    uint64_t durable;            /* last sequence that readers may see */
    struct hf_spool_stats stats; /* these and the extents are as of the writer's last job */
    struct hf_spool_extent *extents;
    size_t n_extents, cap_extents;
    struct hf_spool_state state;
    struct hf_timer *soon; /* runs the writer's task on the loop, in its next turn; or tries again to start one */
    bool is_soon;          /* the timer is armed to run the task */
    uint64_t usual_write_ns;
    unsigned writes_unkept; /* writes since housekeeping was due */
    bool closing;
    void (*ended)(void *arg); /* called when the spool is freed */
    void *ended_arg;
    bool calling;                  /* inside a callback: freeing waits until it returns */
    bool gone;                     /* files seem to be missing: the writer checks */
    uint64_t unreadable_ns;        /* since when reads lack what the medium does not give back; 0: they lack nothing */
    uint64_t given_up;             /* reads up to this sequence lack it for good */
    bool failing;                  /* the last call of params.failing() passed an error */
    bool keep_failed;              /* housekeeping failed: wait for the next write or delivery */
    struct hf_spool_losses losses; /* gaps that reads found behind the cursor */
    uint64_t untold;               /* lost records among dropped ones, which params.dropped() does not know yet */
};

static void start_writer(struct hf_spool *spool);
static void learn_pace(struct hf_spool *spool, uint64_t took_ns);
static void free_when_quiet(struct hf_spool *spool);

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static void batch_done(struct append_batch *batch)
{
    free(batch->waiters);
    hf_buf_done(&batch->bytes);
    *batch = (struct append_batch){.bytes = HF_BUF_INIT(HF_SPOOL_PENDING_BYTES)};
}

static void batch_clear(struct append_batch *batch)
{
    /* give the memory of a burst back */
    if (batch->cap > BATCH_KEPT_RECORDS || batch->bytes.cap > BATCH_KEPT_BYTES) {
        batch_done(batch);
        return;
    }
    batch->n = 0;
    hf_buf_clear(&batch->bytes);
}

static int batch_add(struct append_batch *batch, uint32_t tag, struct hf_view payload,
                     void (*done)(void *arg, int r, uint64_t sequence), void *arg)
{
    int r = hf_array_grow(batch->waiters, batch->n, batch->cap, HF_ARRAY_ANY);
    if (r < 0)
        return r;
    size_t offset = batch->bytes.n;
    r = hf_buf_add(&batch->bytes, payload.p, payload.n);
    if (r < 0)
        return r == -E2BIG ? -EAGAIN : r;
    batch->waiters[batch->n++] =
        (struct waiter){.done = done, .arg = arg, .tag = tag, .offset = offset, .n = payload.n};
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void writer_work(struct hf_job *job)
{
    struct spool_writer *writer = hf_container_of(job, struct spool_writer, job);
    uint64_t began = hf_mono_ns(writer->clock);

    writer->r = 0;
    if (writer->adopt)
        hf_spool_store_spare_end(writer->store, writer->made);
    if (writer->check)
        writer->r = hf_spool_store_check(writer->store, &writer->err);
    if (writer->task == WRITER_WRITE)
        writer->r = hf_spool_store_write(writer->store, writer->records + writer->first, writer->count, &writer->stored,
                                         &writer->err);
    else if (writer->deliver > 0)
        writer->r = hf_spool_store_deliver(writer->store, writer->deliver, &writer->err);
    writer->took_ns = hf_mono_ns(writer->clock) - began;
}

/* Returns the number of records from `first` on that go into one write. */
static size_t part_of(const struct append_batch *batch, size_t first)
{
    size_t n = 0, bytes = 0;

    while (first + n < batch->n && n < HF_SPOOL_BATCH_RECORDS) {
        bytes += hf_spool_record_bytes(batch->waiters[first + n].n);
        if (n > 0 && bytes > HF_SPOOL_BATCH_BYTES)
            break;
        n++;
    }
    return n;
}

/* Takes the lost records out of the list of dropped ones, except for those that reads have found and told before. */
static void take_lost(struct hf_spool *spool, struct hf_spool_dropped *dropped, uint64_t delivered_before)
{
    for (; dropped->records > 0; dropped++) {
        if (dropped->tag != HF_SPOOL_TAG_LOST)
            continue;
        uint64_t counted = hf_spool_losses_counted(&spool->losses, delivered_before, spool->stats.delivered);
        dropped->records -= HF_MIN(dropped->records, counted);
        spool->untold += dropped->records;
        do
            *dropped = dropped[1];
        while ((dropped++)->records > 0);
        return;
    }
}

/* Reports lost records. Only while the writer is idle: its job may have dropped what a read did not find. */
static void tell_lost(struct hf_spool *spool)
{
    struct hf_spool_dropped lost[] = {{HF_SPOOL_TAG_LOST, 0}, {0}};

    if (spool->writer.task != WRITER_IDLE)
        return;
    lost[0].records = spool->untold + hf_spool_losses_count(&spool->losses, spool->stats.delivered);
    spool->untold = 0;
    spool->state.missing += lost[0].records;
    if (lost[0].records > 0 && spool->params.dropped != NULL && !spool->closing)
        spool->params.dropped(spool->params.arg, lost);
}

static void answer(struct hf_spool *spool, const struct spool_writer *writer, int r)
{
    struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS + 1];

    hf_spool_store_take_dropped(spool->store, dropped);
    take_lost(spool, dropped, writer->delivered_before);
    if (dropped[0].records > 0 && spool->params.dropped != NULL)
        spool->params.dropped(spool->params.arg, dropped);
    for (size_t i = writer->first; i < writer->first + writer->count && !spool->closing; i++) {
        const struct waiter *waiter = &writer->batch.waiters[i];
        int its = i < writer->first + writer->stored ? 0 : r;
        *(its == 0 ? &spool->state.accepted : its == -EAGAIN ? &spool->state.refused_full : &spool->state.failed) += 1;
        if (waiter->done != NULL)
            waiter->done(waiter->arg, its, its == 0 ? writer->records[i].sequence : 0);
    }
}

static void write_ended(struct hf_spool *spool, int r)
{
    struct spool_writer *writer = &spool->writer;

    spool->state.batches++;
    spool->state.last_write_ns = writer->took_ns;
    spool->keep_failed = false;
    size_t stored = writer->stored;
    if (stored > 0)
        spool->durable = writer->records[writer->first + stored - 1].sequence;
    answer(spool, writer, r);
    writer->first += writer->count;
    if (writer->first == writer->batch.n) {
        batch_clear(&writer->batch);
        writer->first = 0;
    }
    writer->count = 0;
    if (stored > 0 && spool->params.readable != NULL && !spool->closing)
        spool->params.readable(spool->params.arg);
}

/* Copies the store's statistics and extents while no job uses the store. */
static int learn(struct hf_spool *spool)
{
    spool->stats = hf_spool_store_stats(spool->store);
    if (spool->cap_extents < spool->stats.segments) {
        size_t cap = HF_MAX((size_t)spool->stats.segments, (size_t)16) * 2;
        struct hf_spool_extent *extents = reallocarray(spool->extents, cap, sizeof(*extents));
        if (extents == NULL)
            return -ENOMEM;
        spool->extents = extents;
        spool->cap_extents = cap;
    }
    spool->n_extents = hf_spool_store_extents(spool->store, 0, spool->extents, spool->cap_extents);
    return 0;
}

static void note_failing(struct hf_spool *spool, int r, const struct hf_err *err)
{
    if (r == -EAGAIN || r == -ECANCELED || spool->failing == (r < 0))
        return;
    spool->failing = r < 0;
    if (spool->params.failing != NULL)
        spool->params.failing(spool->params.arg, r < 0 ? err : NULL);
}

static void writer_done(struct hf_job *job, int cancelled)
{
    struct spool_writer *writer = hf_container_of(job, struct spool_writer, job);
    struct hf_spool *spool = hf_container_of(writer, struct hf_spool, writer);
    enum spool_task task = writer->task;
    int r = cancelled ? -ECANCELED : writer->r;

    writer->task = WRITER_IDLE;
    if (spool->closing) {
        free_when_quiet(spool);
        return;
    }
    bool checked = writer->check;
    writer->delivered_before = spool->stats.delivered;
    spool->calling = true;
    if (r < 0 || task == WRITER_WRITE || writer->deliver > 0)
        note_failing(spool, r, &writer->err);
    int learned = learn(spool);
    if (!cancelled && (task == WRITER_WRITE || writer->deliver > 0))
        learn_pace(spool, writer->took_ns);
    if (task == WRITER_WRITE)
        write_ended(spool, learned < 0 ? learned : r);
    else if (r < 0)
        spool->keep_failed = true;
    tell_lost(spool);
    if (checked && spool->params.readable != NULL && !spool->closing)
        spool->params.readable(spool->params.arg); /* the check may have restored records */
    spool->calling = false;
    if (spool->closing)
        free_when_quiet(spool);
    else
        start_writer(spool);
}

static int prepare_records(struct spool_writer *writer)
{
    struct hf_spool_record *records = reallocarray(writer->records, writer->batch.n, sizeof(*records));

    if (records == NULL)
        return -ENOMEM;
    writer->records = records;
    for (size_t i = 0; i < writer->batch.n; i++) {
        const struct waiter *waiter = &writer->batch.waiters[i];
        records[i] =
            (struct hf_spool_record){.unix_ns = writer->batch.unix_ns,
                                     .tag = waiter->tag,
                                     .payload = {hf_buf_str(&writer->batch.bytes) + waiter->offset, waiter->n}};
    }
    return 0;
}

/* True if there is something to deliver, missing files to check for, or a spare segment to adopt; sets up the writer
 * for it. */
static bool wants_keeping(struct hf_spool *spool)
{
    struct spool_writer *writer = &spool->writer;

    writer->adopt = spool->maker.made;
    writer->made = spool->maker.r;
    writer->check = spool->gone;
    writer->deliver = spool->deliver > spool->stats.delivered ? spool->deliver : 0;
    spool->maker.made = spool->gone = false; /* both kinds of task handle these */
    return writer->adopt || writer->check || (writer->deliver > 0 && !spool->keep_failed);
}

/* Chooses the writer's next task. Housekeeping waits for a pause between writes, but not longer than KEEP_EVERY
 * writes. */
static enum spool_task next_task(struct hf_spool *spool)
{
    struct spool_writer *writer = &spool->writer;

    if (writer->batch.n == 0 && spool->collecting.n > 0) {
        struct append_batch empty = writer->batch;
        writer->batch = spool->collecting;
        spool->collecting = empty;
        if (prepare_records(writer) < 0) {
            spool->collecting = writer->batch;
            writer->batch = empty;
            return WRITER_IDLE;
        }
    }
    bool keep = wants_keeping(spool);
    if (writer->batch.n > 0 && !(keep && spool->writes_unkept >= KEEP_EVERY)) {
        writer->count = part_of(&writer->batch, writer->first);
        spool->writes_unkept += keep;
        return WRITER_WRITE;
    }
    spool->writes_unkept = 0;
    return keep ? WRITER_KEEP : WRITER_IDLE;
}

/* Makes the spare segment while nobody waits for it. */
static void maker_work(struct hf_job *job)
{
    struct spare_maker *maker = hf_container_of(job, struct spare_maker, job);

    maker->r = hf_spool_spare_make(&maker->spare, NULL);
}

static void maker_done(struct hf_job *job, int cancelled)
{
    struct spare_maker *maker = hf_container_of(job, struct spare_maker, job);
    struct hf_spool *spool = hf_container_of(maker, struct hf_spool, maker);

    maker->busy = false;
    maker->made = true;
    if (cancelled)
        maker->r = -ECANCELED;
    if (maker->r < 0)
        maker->not_before_ns = hf_mono_ns(spool->params.clock) + MAKE_AGAIN_NS;
    if (spool->closing)
        free_when_quiet(spool);
    else
        start_writer(spool);
}

/* Call only while the writer is idle: it uses the store. */
static void start_maker(struct hf_spool *spool)
{
    struct spare_maker *maker = &spool->maker;

    if (maker->busy || maker->made || hf_mono_ns(spool->params.clock) < maker->not_before_ns ||
        !hf_spool_store_spare_begin(spool->store, &maker->spare))
        return;
    maker->busy = hf_job_submit(spool->params.sched, &maker->job) == 0;
    if (!maker->busy)
        hf_spool_store_spare_end(spool->store, -ECANCELED);
}

/* On a fast disk the way to a worker and back takes about as long as the write. A check for missing files may copy a
 * segment, so it always goes to a worker. */
static bool is_quick(const struct hf_spool *spool)
{
    return !spool->writer.check && spool->usual_write_ns < spool->params.inline_below_ns;
}

static void on_soon(void *arg)
{
    struct hf_spool *spool = arg;
    bool has_task = spool->is_soon;

    spool->is_soon = false;
    if (spool->closing)
        return;
    if (!has_task) {
        spool->calling = true;
        tell_lost(spool);
        spool->calling = false;
        if (spool->closing) {
            free_when_quiet(spool);
            return;
        }
        start_writer(spool);
        return;
    }
    writer_work(&spool->writer.job);
    writer_done(&spool->writer.job, 0);
}

static void start_writer(struct hf_spool *spool)
{
    struct spool_writer *writer = &spool->writer;
    const struct hf_sched_ops *sched = spool->params.sched;

    if (writer->task != WRITER_IDLE || spool->calling)
        return;
    start_maker(spool);
    writer->task = next_task(spool);
    if (writer->task == WRITER_IDLE) {
        if (spool->collecting.n > 0) /* no memory */
            hf_timer_arm(sched, spool->soon, WRITE_AGAIN_NS);
        return;
    }
    writer->stored = 0;
    if (is_quick(spool)) {
        spool->is_soon = true;
        hf_timer_arm(sched, spool->soon, 0);
    } else if (hf_job_submit(sched, &writer->job) < 0) {
        writer->task = WRITER_IDLE;
        spool->maker.made = writer->adopt;
        spool->gone = writer->check;
        hf_timer_arm(sched, spool->soon, WRITE_AGAIN_NS);
    }
}

/* Averages the time that a write or a save of the cursor takes. One stall sends the next few to a worker, repeated
 * stalls all of them. */
static void learn_pace(struct hf_spool *spool, uint64_t took_ns)
{
    uint64_t seen = HF_MIN(took_ns, 8 * spool->params.inline_below_ns), usual = spool->usual_write_ns;

    spool->usual_write_ns = usual == HF_NEVER ? seen : usual - usual / 8 + seen / 8;
}

int hf_spool_append(struct hf_spool *spool, uint32_t tag, struct hf_view payload,
                    void (*done)(void *arg, int r, uint64_t sequence), void *arg)
{
    if (!hf_spool_fits(spool->params.store.segment_bytes, payload.n))
        return -E2BIG;
    if (spool->closing || spool->collecting.n >= HF_SPOOL_PENDING_RECORDS)
        return -EAGAIN;
    if (spool->collecting.n == 0)
        spool->collecting.unix_ns = hf_unix_ns(spool->params.clock);
    int r = batch_add(&spool->collecting, tag, payload, done, arg);
    if (r < 0)
        return r;
    start_writer(spool);
    return 0;
}

void hf_spool_deliver(struct hf_spool *spool, uint64_t sequence)
{
    spool->deliver = HF_MAX(spool->deliver, HF_MIN(sequence, spool->durable));
    spool->keep_failed = false;
    start_writer(spool);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void reader_work(struct hf_job *job)
{
    struct spool_reader *reader = hf_container_of(job, struct spool_reader, job);

    reader->r = hf_spool_read_records(reader->where->fs, reader->where->dir, reader->extents, reader->n_extents,
                                      reader->durable, &reader->place, &reader->read, &reader->err);
}

/* A card that was busy, or a loose contact: what a read does not give back now, it may give back later. */
static void be_patient(struct hf_spool *spool)
{
    struct spool_reader *reader = &spool->reader;
    uint64_t now = hf_mono_ns(spool->params.clock);

    if (reader->r < 0 && reader->r != -EIO)
        return;
    if (reader->r == 0 && !reader->read.unreadable) {
        spool->unreadable_ns = 0;
        return;
    }
    if (reader->r == 0 && reader->read.missing == 0) { /* the next read must meet the place again */
        reader->place = (struct hf_spool_place){.next = reader->place.next};
        return;
    }
    if (reader->r == 0 && reader->read.next <= spool->given_up)
        return;
    spool->unreadable_ns = spool->unreadable_ns != 0 ? spool->unreadable_ns : now;
    if (now - spool->unreadable_ns >= HF_SPOOL_UNREADABLE_NS) { /* a read that fails goes on from where it came to */
        if (reader->r == 0)
            spool->given_up = reader->read.next;
        return;
    }
    reader->place = (struct hf_spool_place){.next = 0};
    if (reader->r == 0)
        reader->r = hf_err_set(&reader->err, EIO, "read spool '%s': the disk does not give back some of it",
                               reader->where->dir);
}

static void reader_done(struct hf_job *job, int cancelled)
{
    struct spool_reader *reader = hf_container_of(job, struct spool_reader, job);
    struct hf_spool *spool = hf_container_of(reader, struct hf_spool, reader);

    reader->busy = false;
    if (spool->closing) {
        free_when_quiet(spool);
        return;
    }
    if (!cancelled)
        be_patient(spool);
    for (size_t i = 0; reader->r == 0 && !reader->read.gone && i < reader->read.gaps.n; i++)
        hf_spool_losses_add(&spool->losses, reader->read.gaps.gaps[i].from, reader->read.gaps.gaps[i].to);
    spool->gone |= reader->read.gone;
    spool->calling = true;
    tell_lost(spool);
    if (reader->r < 0 && !cancelled)
        note_failing(spool, reader->r, &reader->err);
    reader->done(reader->arg, cancelled ? -ECANCELED : reader->r, &reader->read);
    if (reader->place.next > spool->durable && !reader->busy &&
        /* the reader is at the end; the next records may take long */
        !spool->closing) {
        hf_buf_done(&reader->read.bytes);
        free(hf_steal(reader->read.records));
    }
    spool->calling = false;
    if (spool->closing)
        free_when_quiet(spool);
    else
        start_writer(spool);
}

/* The reader works on a copy, because segments come and go meanwhile. */
static int copy_extents(struct hf_spool *spool, uint64_t next)
{
    struct spool_reader *reader = &spool->reader;

    if (reader->cap_extents < spool->n_extents) {
        struct hf_spool_extent *extents = reallocarray(reader->extents, spool->n_extents, sizeof(*extents));
        if (extents == NULL)
            return -ENOMEM;
        reader->extents = extents;
        reader->cap_extents = spool->n_extents;
    }
    reader->n_extents = 0;
    for (size_t i = 0; i < spool->n_extents; i++)
        if (i + 1 == spool->n_extents || spool->extents[i + 1].first > next)
            reader->extents[reader->n_extents++] = spool->extents[i];
    return 0;
}

int hf_spool_read(struct hf_spool *spool, uint64_t next, size_t max_records, size_t max_bytes,
                  void (*done)(void *arg, int r, const struct hf_spool_read *read), void *arg)
{
    struct spool_reader *reader = &spool->reader;

    if (reader->busy)
        return -EBUSY;
    struct hf_spool_record *records = reallocarray(reader->read.records, max_records, sizeof(*records));
    if (records == NULL)
        return -ENOMEM;
    reader->read.records = records;
    reader->read.max = max_records;
    reader->read.bytes.max = HF_MAX(max_bytes, (size_t)HF_SPOOL_MAX_PAYLOAD);
    if (copy_extents(spool, next) < 0)
        return -ENOMEM;
    if (reader->place.next != next)
        reader->place = (struct hf_spool_place){.next = next};
    reader->durable = spool->durable;
    reader->done = done;
    reader->arg = arg;
    int r = hf_job_submit(spool->params.sched, &reader->job);
    reader->busy = r == 0;
    return r;
}

const char *hf_spool_stream(const struct hf_spool *spool)
{
    return hf_spool_store_stream(spool->store);
}

void hf_spool_trim(struct hf_spool *spool)
{
    if (spool->writer.task != WRITER_IDLE || spool->writer.batch.n > 0 || spool->collecting.n > 0 || spool->calling)
        return;
    batch_done(&spool->collecting);
    batch_done(&spool->writer.batch);
    free(hf_steal(spool->writer.records));
    hf_spool_store_trim(spool->store);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_spool_state hf_spool_state(const struct hf_spool *spool)
{
    struct hf_spool_state state = spool->state;

    state.store = spool->stats;
    state.delivered = HF_MAX(spool->deliver, spool->stats.delivered);
    state.queued = spool->durable - HF_MIN(state.delivered, spool->durable);
    /* the cursor on disk lags behind the one in memory */
    state.queued_bytes = state.queued > 0 ? spool->stats.waiting : 0;
    state.pending_records = spool->collecting.n + spool->writer.batch.n;
    state.pending_bytes = spool->collecting.bytes.n + spool->writer.batch.bytes.n;
    return state;
}

int hf_spool_new(const struct hf_spool_params *params, struct hf_spool **ret_spool, struct hf_err *err)
{
    _cleanup_(hf_spool_freep) struct hf_spool *spool = calloc(1, sizeof(*spool));

    if (spool == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->store.dir);
    spool->params = *params;
    batch_done(&spool->collecting);
    batch_done(&spool->writer.batch);
    if (spool->params.store.segment_bytes == 0)
        spool->params.store.segment_bytes = hf_spool_segment_bytes(params->store.max_bytes);
    spool->dir = strdup(params->store.dir);
    if (spool->dir == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->store.dir);
    spool->params.store.dir = spool->dir;
    spool->soon = hf_timer_new(params->sched, on_soon, spool);
    spool->usual_write_ns = HF_NEVER;
    if (spool->soon == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->store.dir);
    int r = hf_spool_store_open(&spool->params.store, &spool->store, err);
    if (r < 0)
        return r;
    spool->writer.job = (struct hf_job){.work = writer_work, .done = writer_done};
    spool->writer.store = spool->store;
    spool->writer.clock = params->clock;
    spool->maker.job = (struct hf_job){.work = maker_work, .done = maker_done};
    spool->reader.job = (struct hf_job){.work = reader_work, .done = reader_done};
    spool->reader.where = &spool->params.store;
    spool->reader.read.bytes = (struct hf_buf)HF_BUF_INIT(HF_SPOOL_MAX_PAYLOAD);
    r = learn(spool);
    if (r < 0)
        return hf_err_set(err, -r, "open spool '%s'", params->store.dir);
    spool->durable = spool->stats.last;
    spool->deliver = spool->stats.delivered;
    hf_spool_losses_add(&spool->losses, spool->stats.last + 1, spool->stats.last + 1 + spool->stats.lost_at_end);
    if (spool->stats.lost_at_end > 0) /* the caller learns it in the loop's next turn */
        hf_timer_arm(params->sched, spool->soon, 0);
    start_maker(spool);
    *ret_spool = hf_steal(spool);
    return 0;
}

/* Jobs use parts of the spool, so the last one to end frees it. */
static void free_when_quiet(struct hf_spool *spool)
{
    if (spool->writer.task != WRITER_IDLE || spool->reader.busy || spool->maker.busy || spool->calling)
        return;
    hf_timer_free(spool->params.sched, spool->soon);
    hf_spool_store_free(spool->store);
    batch_done(&spool->collecting);
    batch_done(&spool->writer.batch);
    free(spool->writer.records);
    free(spool->reader.extents);
    free(spool->reader.read.records);
    hf_buf_done(&spool->reader.read.bytes);
    free(spool->extents);
    free(spool->dir);
    void (*gone)(void *) = spool->ended;
    void *arg = spool->ended_arg;
    free(spool);
    if (gone != NULL)
        gone(arg);
}

void hf_spool_close(struct hf_spool *spool, void (*gone)(void *arg), void *arg)
{
    spool->ended = gone;
    spool->ended_arg = arg;
    spool->closing = true;
    if (spool->is_soon) /* this write has no promise to keep */
        spool->writer.task = WRITER_IDLE;
    free_when_quiet(spool);
}

void hf_spool_free(struct hf_spool *spool)
{
    if (spool != NULL)
        hf_spool_close(spool, NULL, NULL);
}
