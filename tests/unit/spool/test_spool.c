/* SPDX-License-Identifier: Apache-2.0 */
/* The queue on a loop of virtual time: group commit, order, back-pressure, reading beside writing, freeing in the middle. */
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>

#include "spool/look.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

enum { SEGMENT = 64 << 10 };

struct world {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_simfs *fs;
    struct hf_spool *spool;
    struct hf_spool_params params;
    uint64_t acked, refused, last_sequence;
    uint64_t got, got_last, next;
    bool out_of_order, reading, free_in_callback;
    struct failing *failing;
};

static void world_init(struct world *world, uint64_t seed, uint64_t max_bytes)
{
    *world = (struct world){.loop = hf_simloop_new(seed), .fs = hf_simfs_new(), .next = 1};
    world->proc = hf_simproc_new(world->loop, "node");
    world->params = (struct hf_spool_params){
        .store = {.fs = hf_simfs_ops(world->fs),
                  .rng = hf_simproc_rand(world->proc),
                  .dir = "/spool",
                  .segment_bytes = SEGMENT,
                  .max_bytes = max_bytes},
        .clock = hf_simproc_clock(world->proc),
        .sched = hf_simproc_sched(world->proc),
        .inline_below_ns = seed % 2 == 1 ? HF_NS_PER_MS : 0,
        .arg = world,
    };
    ck_assert_int_eq(hf_spool_new(&world->params, &world->spool, NULL), 0);
}

static void world_done(struct world *world)
{
    hf_spool_free(world->spool);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    ck_assert_uint_eq(hf_simproc_jobs(world->proc), 0);
    ck_assert_uint_eq(hf_simfs_open_fds(world->fs), 0);
    hf_simproc_free(world->proc);
    hf_simfs_free(world->fs);
    hf_simloop_free(world->loop);
}

static void acknowledged(void *arg, int r, uint64_t sequence)
{
    struct world *world = arg;

    if (r < 0) {
        world->refused++;
    } else {
        world->acked++;
        world->out_of_order |= sequence <= world->last_sequence;
        world->last_sequence = sequence;
    }
    if (world->free_in_callback && world->spool != NULL) {
        hf_spool_free(world->spool);
        world->spool = NULL;
    }
}

static int append(struct world *world, size_t n)
{
    char payload[4096];

    memset(payload, 'x', sizeof(payload));
    return hf_spool_append(world->spool, 1, (struct hf_view){payload, n}, acknowledged, world);
}

static void have_read(void *arg, int r, const struct hf_spool_read *read)
{
    struct world *world = arg;

    ck_assert_int_eq(r, 0);
    world->reading = false;
    for (size_t i = 0; i < read->n; i++) {
        ck_assert_uint_eq(read->records[i].sequence, world->next);
        world->next++;
        world->got++;
    }
    if (read->n > 0)
        hf_spool_deliver(world->spool, world->next - 1);
}

START_TEST(appends_share_syncs_and_keep_order)
{
    struct world world;

    world_init(&world, (uint64_t)_i, 64 * SEGMENT);
    for (unsigned i = 0; i < 2000; i++) {
        ck_assert_int_eq(append(&world, 100), 0);
        if (i % 50 == 0)
            (void)hf_simloop_run_for(world.loop, HF_NS_PER_MS / 2);
    }
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    struct hf_spool_state state = hf_spool_state(world.spool);
    ck_assert_uint_eq(world.acked, 2000);
    ck_assert(!world.out_of_order);
    ck_assert_uint_eq(state.accepted, 2000);
    ck_assert_uint_lt(state.batches, 200);
    ck_assert_uint_eq(state.queued, 2000);
    ck_assert_uint_eq(state.pending_records, 0);
    world_done(&world);
}
END_TEST

START_TEST(reads_beside_writes_and_delivers)
{
    struct world world;

    world_init(&world, (uint64_t)_i, 64 * SEGMENT);
    for (unsigned i = 0; i < 3000; i++) {
        ck_assert_int_eq(append(&world, 200 + i % 300), 0);
        if (i % 7 == 0)
            (void)hf_simloop_run_for(world.loop, HF_NS_PER_MS);
        if (!world.reading && i % 5 == 0) {
            ck_assert_int_eq(hf_spool_read(world.spool, world.next, 64, 100000, have_read, &world), 0);
            ck_assert_int_eq(hf_spool_read(world.spool, world.next, 64, 100000, have_read, &world), -EBUSY);
            world.reading = true;
        }
    }
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    while (world.next <= world.last_sequence) {
        ck_assert_int_eq(hf_spool_read(world.spool, world.next, 64, 100000, have_read, &world), 0);
        (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    }
    struct hf_spool_state state = hf_spool_state(world.spool);
    ck_assert_uint_eq(world.got, 3000);
    ck_assert_uint_eq(state.queued, 0);
    ck_assert_uint_eq(state.store.delivered, 3000);
    ck_assert_uint_eq(state.missing, 0);
    ck_assert_uint_le(state.store.segments, 2);
    world_done(&world);
}
END_TEST

START_TEST(full_is_said_and_ends)
{
    struct world world;
    int r = 0;

    world_init(&world, 1, 3 * SEGMENT);
    ck_assert_int_eq(append(&world, 4096), 0);
    ck_assert_int_eq(hf_spool_append(world.spool, 1, (struct hf_view){NULL, (size_t)SEGMENT}, NULL, NULL), -E2BIG);
    for (unsigned i = 0; r == 0 && i < 100000; i++)
        r = append(&world, 4096);
    ck_assert_int_eq(r, -EAGAIN); /* too much is waiting */
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_gt(world.refused, 0); /* and the disk is full */
    ck_assert_uint_gt(world.acked, 20);
    uint64_t acked = world.acked;
    hf_spool_deliver(world.spool, world.last_sequence);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_int_eq(append(&world, 4096), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, acked + 1);
    world_done(&world);
}
END_TEST

START_TEST(freed_at_any_moment)
{
    struct world world;

    world_init(&world, 3, 64 * SEGMENT);
    world.free_in_callback = _i % 2 == 1;
    for (unsigned i = 0; i < 40; i++)
        ck_assert_int_eq(append(&world, 2000), 0);
    ck_assert_int_eq(hf_spool_read(world.spool, 1, 64, 100000, have_read, &world), 0);
    for (int i = 0; i < _i; i++)
        (void)hf_simloop_step(world.loop);
    hf_spool_free(world.spool);
    world.spool = NULL;
    uint64_t acked = world.acked;
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, acked);
    world_done(&world);
}
END_TEST

/* The second write of a quick disk: on the loop where that is wanted, by a worker where it is not. */
START_TEST(who_writes)
{
    struct world world;
    bool on_the_loop = _i == 1;

    world_init(&world, (uint64_t)_i, 64 * SEGMENT);
    for (unsigned i = 0; i < 2; i++) {
        (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
        ck_assert_uint_eq(hf_simproc_jobs(world.proc), 0);
        ck_assert_int_eq(append(&world, 100), 0);
        ck_assert_uint_eq(hf_simproc_jobs(world.proc), i == 1 && on_the_loop ? 0 : 1);
    }
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, 2);
    world_done(&world);
}
END_TEST

START_TEST(idle_is_idle)
{
    struct world world;

    world_init(&world, 1, 64 * SEGMENT);
    ck_assert_int_eq(append(&world, 100), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    uint64_t calls = hf_simfs_calls(world.fs);
    ck_assert_uint_eq(hf_simloop_run_for(world.loop, 3600 * HF_NS_PER_S), 0);
    ck_assert_uint_eq(hf_simfs_calls(world.fs), calls);
    world_done(&world);
}
END_TEST

/* ---- failing disks ----------------------------------------------------------------------------------------------- */

struct failing {
    unsigned failures, recoveries;
    struct hf_err last;
};

static void on_failing(void *arg, const struct hf_err *err)
{
    struct world *world = arg;
    struct failing *failing = world->failing;

    if (err == NULL) {
        failing->recoveries++;
    } else {
        failing->failures++;
        failing->last = *err;
    }
}

START_TEST(a_failing_disk_is_reported_once_with_its_error)
{
    struct world world;
    struct failing failing = {0};

    world_init(&world, (uint64_t)_i, 64 * SEGMENT);
    hf_spool_free(world.spool);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    world.failing = &failing;
    world.params.failing = on_failing;
    ck_assert_int_eq(hf_spool_new(&world.params, &world.spool, NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        hf_simfs_fail_at(world.fs, 1, EIO, 0);
        ck_assert_int_eq(append(&world, 100), 0);
        (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
        ck_assert_uint_eq(world.refused, i + 1);
        ck_assert_uint_eq(failing.failures, 1);
        ck_assert_uint_eq(failing.recoveries, 0);
    }
    ck_assert_ptr_nonnull(strstr(failing.last.cause, "/spool"));
    hf_simfs_fail_at(world.fs, 0, 0, 0);
    ck_assert_int_eq(append(&world, 100), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, 1);
    ck_assert_uint_eq(failing.failures, 1);
    ck_assert_uint_eq(failing.recoveries, 1);
    world_done(&world);
}
END_TEST

struct answer {
    int r;
    size_t n;
    uint64_t missing;
    bool came;
};

static void answer(void *arg, int r, const struct hf_spool_read *read)
{
    struct answer *answer = arg;

    *answer = (struct answer){.r = r, .n = r == 0 ? read->n : 0, .missing = r == 0 ? read->missing : 0, .came = true};
}

static struct answer read_once(struct world *world)
{
    struct answer got = {.came = false};

    ck_assert_int_eq(hf_spool_read(world->spool, 1, 100, 1 << 20, answer, &got), 0);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    ck_assert(got.came);
    return got;
}

/* A card that was busy gives the records back later; one that does not for five minutes has lost them. */
START_TEST(what_the_disk_does_not_give_back_is_tried_again)
{
    struct world world;

    world_init(&world, (uint64_t)_i, 64 * SEGMENT);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(append(&world, 1000), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    hf_simfs_count_only(world.fs, HF_SIMFS_READS);
    for (unsigned i = 0; i < 3; i++) {
        hf_simfs_fail_at(world.fs, 3, EIO, 1); /* after open and header, in the content */
        ck_assert_int_eq(read_once(&world).r, -EIO);
        (void)hf_simloop_run_for(world.loop, 60 * HF_NS_PER_S);
    }
    ck_assert_uint_eq(hf_spool_state(world.spool).missing, 0);
    hf_simfs_fail_at(world.fs, 0, 0, 0);
    struct answer whole = read_once(&world);
    ck_assert(whole.r == 0 && whole.n == 20 && whole.missing == 0);
    hf_simfs_fail_at(world.fs, 3, EIO, 1); /* the five minutes begin again */
    ck_assert_int_eq(read_once(&world).r, -EIO);
    (void)hf_simloop_run_for(world.loop, HF_SPOOL_UNREADABLE_NS);
    hf_simfs_fail_at(world.fs, 3, EIO, 1);
    struct answer part = read_once(&world);
    ck_assert_int_eq(part.r, 0);
    ck_assert_uint_eq(hf_spool_state(world.spool).missing, part.missing);
    hf_simfs_fail_at(world.fs, 0, 0, 0);
    world_done(&world);
}
END_TEST

/* A disk that does not give back the bytes from bad_from to bad_until of any file. */
static const struct hf_fs_ops *sound;
static struct hf_fs_ops scratched;
static uint64_t bad_from, bad_until;

static ssize_t scratched_pread(void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    if (offset >= bad_until || offset + n <= bad_from)
        return sound->pread(ctx, fd, bytes, n, offset);
    return offset >= bad_from ? -EIO : sound->pread(ctx, fd, bytes, (size_t)(bad_from - offset), offset);
}

static void scratched_init(struct world *world, unsigned records)
{
    world_init(world, 2, 64 * SEGMENT);
    hf_spool_free(world->spool);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    sound = hf_simfs_ops(world->fs);
    scratched = *sound;
    scratched.pread = scratched_pread;
    bad_from = bad_until = 0;
    world->params.store.fs = &scratched;
    world->params.store.segment_bytes = 16 * SEGMENT;
    ck_assert_int_eq(hf_spool_new(&world->params, &world->spool, NULL), 0);
    for (unsigned i = 0; i < records; i++) {
        while (append(world, 4000) < 0)
            (void)hf_simloop_run_for(world->loop, HF_NS_PER_MS);
    }
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
}

static struct answer read_from(struct world *world, uint64_t next, size_t max_records)
{
    struct answer got = {.came = false};

    ck_assert_int_eq(hf_spool_read(world->spool, next, max_records, 1 << 20, answer, &got), 0);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    ck_assert(got.came);
    return got;
}

/* So many places at once that a read gives up: no later read begins behind them. */
START_TEST(a_disk_that_is_away_for_seconds_costs_nothing)
{
    struct world world;

    scratched_init(&world, 200);
    bad_from = 512;
    bad_until = UINT64_MAX;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(read_from(&world, 1, 100).r, -EIO);
    bad_from = bad_until = 0;
    struct answer whole = read_from(&world, 1, 100);
    ck_assert(whole.r == 0 && whole.n == 100 && whole.missing == 0);
    ck_assert_uint_eq(hf_spool_state(world.spool).missing, 0);
    world_done(&world);
}
END_TEST

/* The next record behind a write that failed says that the sequences of that write are no loss. It says nothing of what
 * the disk does not give back before it. */
START_TEST(a_jump_explains_no_unreadable_records)
{
    struct world world;

    scratched_init(&world, 12);
    hf_simfs_count_only(world.fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(world.fs, 1, EIO, 0);
    ck_assert_int_eq(append(&world, 4000), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    hf_simfs_fail_at(world.fs, 0, 0, 0);
    ck_assert_int_eq(append(&world, 4000), 0);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, 13);
    bad_from = 8192; /* the last record is the first one of its segment */
    bad_until = UINT64_MAX;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(read_from(&world, 3, 100).r, -EIO);
    bad_from = bad_until = 0;
    struct answer whole = read_from(&world, 3, 100);
    ck_assert(whole.r == 0 && whole.n == 11 && whole.missing == 0);
    world_done(&world);
}
END_TEST

/* A page that is lost for good costs its records and five minutes, once. */
START_TEST(a_lost_page_is_waited_for_once)
{
    struct world world;
    unsigned tries = 0;
    struct answer got;

    scratched_init(&world, 200);
    bad_from = 40960;
    bad_until = 45056;
    while ((got = read_from(&world, 1, 100)).r == -EIO && tries++ < 100)
        (void)hf_simloop_run_for(world.loop, 9 * HF_NS_PER_S);
    ck_assert_uint_ge(tries, 29);
    ck_assert(got.r == 0 && got.missing > 0 && got.missing < 4);
    for (unsigned i = 0; i < 3; i++) {
        got = read_from(&world, 120, 50); /* behind the page */
        ck_assert(got.r == 0 && got.n == 50 && got.missing == 0);
        got = read_from(&world, 5, 50); /* over it */
        ck_assert(got.r == 0 && got.n == 50 && got.missing > 0);
    }
    world_done(&world);
}
END_TEST

static void count_line(void *arg, struct hf_view payload)
{
    (void)payload;
    ++*(size_t *)arg;
}

/* One bad page says so, and hides only its own records. */
START_TEST(the_newest_ids_are_known_beside_a_bad_page)
{
    struct world world;
    size_t all = 0, some = 0;

    scratched_init(&world, 600);
    ck_assert_uint_gt(hf_spool_state(world.spool).store.segments, 1);
    ck_assert_int_eq(hf_spool_recent(&scratched, "/spool", 1000, 1000, count_line, &all), 0);
    ck_assert_uint_eq(all, 600);
    bad_from = 800000; /* only a full segment reaches that far */
    bad_until = 804096;
    ck_assert_int_eq(hf_spool_recent(&scratched, "/spool", 1000, 1000, count_line, &some), -EIO);
    ck_assert_msg(some > 300 && some < all, "%zu of %zu", some, all);
    bad_from = bad_until = 0;
    world_done(&world);
}
END_TEST

/* ---- what the disk loses ----------------------------------------------------------------------------------------- */

enum { LINES = 80, IN_SEGMENT = 31, READ_UP_TO = 10 };

static void harm(struct world *world, uint64_t first, size_t at, size_t n)
{
    char path[64];
    size_t size;

    (void)snprintf(path, sizeof(path), "/spool/%016llx.seg", (unsigned long long)first);
    const unsigned char *bytes = hf_simfs_get(world->fs, path, &size);
    ck_assert_ptr_nonnull(bytes);
    if (n == SIZE_MAX) {
        hf_simfs_delete(world->fs, path);
        return;
    }
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    for (size_t i = at; i < HF_MIN(at + n, size); i++)
        copy[i] = 0;
    hf_simfs_put(world->fs, path, copy, n == 0 ? 0 : size, 0600);
    free(copy);
}

static uint64_t told_lost, told_dropped;

static void count_dropped(void *arg, const struct hf_spool_dropped *dropped)
{
    (void)arg;
    for (; dropped->records > 0; dropped++)
        *(dropped->tag == HF_SPOOL_TAG_LOST ? &told_lost : &told_dropped) += dropped->records;
}

/* Opens the spool again, as the next process does. */
static void open_again(struct world *world)
{
    hf_spool_free(world->spool);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    world->params.dropped = count_dropped;
    ck_assert_int_eq(hf_spool_new(&world->params, &world->spool, NULL), 0);
    (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
}

static void append_lines(struct world *world, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(append(world, 2000), 0);
        (void)hf_simloop_run_for(world->loop, HF_NS_PER_S);
    }
}

/* Reads everything twice, in small parts, as a sender reads again what it did not deliver. */
static void read_twice(struct world *world)
{
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t next = hf_spool_state(world->spool).delivered + 1; next <= world->last_sequence; next += 7)
            (void)read_from(world, next, 9);
}

#define ENTRY(sequence) (512 + ((sequence)-1) % IN_SEGMENT * 2048)

static const struct {
    const char *what;
    uint64_t first;
    size_t at, n; /* zeros here; n 0: the file is empty; SIZE_MAX: the file is gone */
    uint64_t lost;
    uint64_t shown; /* by `holdfast spool stat` while the records wait; the same, or what is known */
} lost_cases[] = {
    {"nothing", 1, 0, 1, 0, 0}, /* the copy of the header serves */
    {"two records", 1, ENTRY(15), 4096, 2, 2},
    {"delivered records", 1, ENTRY(3), 4096, 0, 0},
    {"the last delivered and the first waiting record", 1, ENTRY(10), 4096, 1, 1},
    {"the first segment", 1, 0, SIZE_MAX, IN_SEGMENT - READ_UP_TO, IN_SEGMENT - READ_UP_TO},
    {"the first segment, emptied", 1, 0, 0, IN_SEGMENT - READ_UP_TO, IN_SEGMENT - READ_UP_TO},
    {"the first segment, zeros", 1, 0, SEGMENT, IN_SEGMENT - READ_UP_TO, IN_SEGMENT - READ_UP_TO},
    {"the middle segment", 32, 0, SIZE_MAX, IN_SEGMENT, IN_SEGMENT},
    {"the middle segment, emptied", 32, 0, 0, IN_SEGMENT, IN_SEGMENT},
    {"the middle segment's content", 32, 512, SEGMENT - 1024, IN_SEGMENT, IN_SEGMENT},
    {"the newest segment", 63, 0, SIZE_MAX, 1, 1}, /* one at least; nothing shows how many it had */
    {"the newest segment, emptied", 63, 0, 0, 1, 1},
};

START_TEST(lost_records_are_told_once)
{
    struct world world;
    struct hf_spool_found found;

    told_lost = told_dropped = 0;
    world_init(&world, 1 + (uint64_t)_i % 2, 64 * SEGMENT);
    append_lines(&world, LINES);
    hf_spool_deliver(world.spool, READ_UP_TO);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    hf_spool_free(world.spool);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    harm(&world, lost_cases[_i].first, lost_cases[_i].at, lost_cases[_i].n);
    world.spool = NULL;
    open_again(&world);
    if (lost_cases[_i].first == 63) /* no read is needed for that */
        ck_assert_uint_eq(told_lost, lost_cases[_i].lost);
    append_lines(&world, 1);
    ck_assert_int_eq(hf_spool_look(hf_simfs_ops(world.fs), "/spool", NULL, NULL, &found, NULL), 0);
    ck_assert_msg(found.missing == lost_cases[_i].shown, "%s: %ju missing", lost_cases[_i].what,
                  (uintmax_t)found.missing);
    ck_assert_int_eq(hf_spool_is_damaged(&found), strcmp(lost_cases[_i].what, "nothing") != 0 || _i == 0);
    read_twice(&world);
    ck_assert_msg(told_lost == lost_cases[_i].lost, "%s: %ju lost", lost_cases[_i].what, (uintmax_t)told_lost);
    ck_assert_uint_eq(hf_spool_state(world.spool).missing, lost_cases[_i].lost);
    ck_assert_uint_eq(told_dropped, 0);
    world_done(&world);
}
END_TEST

/* A segment that goes while the spool runs, and one that is dropped: each record counts as lost or as dropped, once. */
START_TEST(lost_while_it_runs)
{
    struct world world;
    static const struct {
        size_t at, n;
        bool reads, drops;
        uint64_t lost, dropped;
    } runs[] = {
        {0, SIZE_MAX, true, false, IN_SEGMENT - READ_UP_TO, 0},
        {ENTRY(15), 4096, true, true, 2, IN_SEGMENT - READ_UP_TO - 2},
        {ENTRY(15), 4096, false, true, 2, IN_SEGMENT - READ_UP_TO - 2},
        {ENTRY(30), 4096, false, true, 2, IN_SEGMENT - READ_UP_TO - 2},
        {ENTRY(11), 21 * 2048, false, true, IN_SEGMENT - READ_UP_TO, 0},
        {ENTRY(5), 2048, false, true, 0, IN_SEGMENT - READ_UP_TO},
    };

    told_lost = told_dropped = 0;
    world_init(&world, 1, 4 * SEGMENT);
    world.params.store.when_full = HF_SPOOL_DROP_OLDEST;
    open_again(&world);
    append_lines(&world, LINES);
    hf_spool_deliver(world.spool, READ_UP_TO);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    ck_assert_uint_eq(told_dropped, 0);
    harm(&world, 1, runs[_i].at, runs[_i].n);
    if (runs[_i].reads)
        read_twice(&world);
    for (unsigned i = 0; runs[_i].drops && i < 200 && hf_spool_state(world.spool).store.delivered == READ_UP_TO; i++)
        append_lines(&world, 1);
    ck_assert_uint_eq(told_lost, runs[_i].lost);
    ck_assert_uint_eq(told_dropped, runs[_i].dropped);
    ck_assert_uint_eq(hf_spool_state(world.spool).missing, runs[_i].lost);
    world_done(&world);
}
END_TEST

/* Gaps in any order, overlapping, more than there is room for. */
START_TEST(gaps_count_once)
{
    struct hf_spool_losses losses = {.n = 0};

    hf_spool_losses_add(&losses, 10, 20);
    hf_spool_losses_add(&losses, 5, 12);
    hf_spool_losses_add(&losses, 18, 25);
    hf_spool_losses_add(&losses, 30, 30);
    ck_assert_uint_eq(hf_spool_losses_count(&losses, 0), 20);
    hf_spool_losses_add(&losses, 1, 40);
    ck_assert_uint_eq(hf_spool_losses_count(&losses, 0), 19);
    ck_assert_uint_eq(hf_spool_losses_counted(&losses, 4, 9), 5);
    ck_assert_uint_eq(hf_spool_losses_count(&losses, 38), 0);
    hf_spool_losses_add(&losses, 1, 50);
    ck_assert_uint_eq(hf_spool_losses_count(&losses, 38), 10);
    for (uint64_t i = 0; i < 3ull * HF_SPOOL_GAPS; i++)
        hf_spool_losses_add(&losses, 100 + 2 * i, 101 + 2 * i);
    ck_assert_uint_le(losses.n, HF_SPOOL_GAPS);
    ck_assert_uint_eq(hf_spool_losses_count(&losses, 99), 3ull * HF_SPOOL_GAPS);
}
END_TEST

/* A loop that takes no jobs for a while. */
static const struct hf_sched_ops *taking;
static bool refusing;

static int refusing_submit(void *ctx, struct hf_job *job)
{
    return refusing ? -ENOMEM : taking->submit(ctx, job);
}

/* No other call comes: what was appended is written once the loop takes jobs again. */
START_TEST(a_write_that_gets_no_job_is_tried_again)
{
    struct world world;
    struct hf_sched_ops sched;

    world_init(&world, 2, 64 * SEGMENT);
    hf_spool_free(world.spool);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    taking = world.params.sched;
    sched = *taking;
    sched.submit = refusing_submit;
    world.params.sched = &sched;
    refusing = true;
    ck_assert_int_eq(hf_spool_new(&world.params, &world.spool, NULL), 0);
    ck_assert_int_eq(append(&world, 100), 0);
    ck_assert_int_eq(append(&world, 100), 0);
    (void)hf_simloop_run_for(world.loop, 10 * HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, 0);
    refusing = false;
    (void)hf_simloop_run_for(world.loop, 3 * HF_NS_PER_S);
    ck_assert_uint_eq(world.acked, 2);
    refusing = true;
    hf_spool_deliver(world.spool, world.last_sequence);
    (void)hf_simloop_run_for(world.loop, HF_NS_PER_S);
    refusing = false;
    (void)hf_simloop_run_for(world.loop, 3 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_spool_state(world.spool).store.delivered, world.last_sequence);
    world_done(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_disk_that_is_away_for_seconds_costs_nothing);
    tcase_add_test(tc, a_jump_explains_no_unreadable_records);
    tcase_add_test(tc, a_lost_page_is_waited_for_once);
    tcase_add_test(tc, the_newest_ids_are_known_beside_a_bad_page);
    tcase_add_loop_test(tc, what_the_disk_does_not_give_back_is_tried_again, 0, 2);
    tcase_add_loop_test(tc, appends_share_syncs_and_keep_order, 0, 5);
    tcase_add_loop_test(tc, reads_beside_writes_and_delivers, 0, 5);
    tcase_add_test(tc, full_is_said_and_ends);
    tcase_add_loop_test(tc, freed_at_any_moment, 0, 12);
    tcase_add_loop_test(tc, who_writes, 0, 2);
    tcase_add_test(tc, idle_is_idle);
    tcase_add_test(tc, a_write_that_gets_no_job_is_tried_again);
    tcase_add_loop_test(tc, lost_records_are_told_once, 0, (int)HF_LEN(lost_cases));
    tcase_add_loop_test(tc, lost_while_it_runs, 0, 6);
    tcase_add_test(tc, gaps_count_once);
    tcase_add_loop_test(tc, a_failing_disk_is_reported_once_with_its_error, 0, 2);
}
HF_TEST_MAIN("spool/spool", cases)
