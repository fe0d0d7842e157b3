/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a file system that loses power, fills up and fails at any call: nothing acknowledged is lost, nothing
 * is read twice, order holds. */
#include "spool/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "spool/look.h"
#include "spool/reader.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simwalk.h"

enum { SEGMENT = 64 << 10, BATCHES = 24, PER_BATCH = 5, LARGE_BATCH = 20, READ_MAX = 4096 };

static uint64_t next_random(void *ctx)
{
    uint64_t *state = ctx;

    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ (*state >> 29);
}

struct bench {
    struct hf_simfs *fs;
    uint64_t random;
    struct hf_rand_ops rng;
    struct hf_spool_store *store;
    uint64_t max_bytes, segment_bytes, reserve_bytes;
    enum hf_spool_full when_full;
    uint64_t used;
    bool refuse_unreadable, only_drops;
    unsigned per_batch;
    uint64_t sequences[BATCHES * LARGE_BATCH + 2 * PER_BATCH]; /* of items acknowledged; 0: not */
};

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){
        .fs = hf_simfs_new(), .random = 7, .max_bytes = 64 * SEGMENT, .segment_bytes = SEGMENT, .per_batch = PER_BATCH};
    bench->rng = (struct hf_rand_ops){&bench->random, next_random};
}

static int bench_open(struct bench *bench)
{
    struct hf_spool_store_params params = {
        .fs = hf_simfs_ops(bench->fs),
        .rng = &bench->rng,
        .dir = "/spool",
        .segment_bytes = bench->segment_bytes,
        .max_bytes = bench->max_bytes,
        .reserve_bytes = bench->reserve_bytes,
        .when_full = bench->when_full,
        .used = bench->used,
        .refuse_unreadable = bench->refuse_unreadable,
        .only_drops = bench->only_drops,
    };

    return hf_spool_store_open(&params, &bench->store, NULL);
}

static void bench_close(struct bench *bench)
{
    hf_spool_store_free(bench->store);
    bench->store = NULL;
}

static void bench_done(struct bench *bench)
{
    bench_close(bench);
    ck_assert_uint_eq(hf_simfs_open_fds(bench->fs), 0);
    hf_simfs_free(bench->fs);
}

/* A payload says which item it is; lengths vary so that records end anywhere. */
static struct hf_view item_payload(unsigned item, char *text, size_t n)
{
    int used = snprintf(text, n, "item-%u-", item);
    size_t length = (size_t)used + item * 37 % 97 * 20;

    memset(text + used, 'a' + (int)(item % 26), length - (size_t)used);
    return (struct hf_view){text, length};
}

static int write_batch(struct bench *bench, unsigned first, unsigned n)
{
    char text[PER_BATCH * 8][4096];
    struct hf_spool_record records[PER_BATCH * 8];

    for (unsigned i = 0; i < n; i++)
        records[i] = (struct hf_spool_record){
            .tag = i % 3, .unix_ns = 1, .payload = item_payload(first + i, text[i], sizeof(text[i]))};
    size_t done;
    int r = hf_spool_store_write(bench->store, records, n, &done, NULL);
    ck_assert(r < 0 || done == n);
    for (unsigned i = 0; i < n && first + i < HF_LEN(bench->sequences); i++)
        bench->sequences[first + i] = i < done ? records[i].sequence : 0;
    return r;
}

/* Read all there is from `next` on; seen[item] counts. Returns the last sequence read. */
static uint64_t read_all(struct bench *bench, uint64_t next, unsigned *seen, unsigned max_items, uint64_t *ret_missing)
{
    struct hf_spool_extent extents[256];
    struct hf_spool_record records[READ_MAX];
    struct hf_spool_read read = {.records = records, .max = 7, .bytes = HF_BUF_INIT(20000)};
    struct hf_spool_place place = {.next = next};
    unsigned previous = 0;
    bool any = false;

    *ret_missing = 0;
    do {
        size_t n = hf_spool_store_extents(bench->store, place.next, extents, HF_LEN(extents));
        ck_assert_int_eq(hf_spool_read_records(hf_simfs_ops(bench->fs), "/spool", extents, n, 0, &place, &read, NULL),
                         0);
        *ret_missing += read.missing;
        for (size_t i = 0; i < read.n; i++) {
            unsigned item = 0;
            char text[4096];
            ck_assert_int_eq(sscanf(read.records[i].payload.p, "item-%u-", &item), 1);
            ck_assert_uint_lt(item, max_items);
            struct hf_view want = item_payload(item, text, sizeof(text));
            ck_assert_uint_eq(want.n, read.records[i].payload.n);
            ck_assert_mem_eq(want.p, read.records[i].payload.p, want.n);
            ck_assert_msg(!any || item > previous, "item %u after %u", item, previous);
            previous = item;
            any = true;
            seen[item]++;
        }
    } while (read.n > 0);
    hf_buf_done(&read.bytes);
    return place.next - 1;
}

START_TEST(what_is_written_is_read_in_order_once)
{
    struct bench bench;
    unsigned seen[BATCHES * PER_BATCH] = {0};
    uint64_t missing;

    bench_init(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    for (unsigned b = 0; b < BATCHES; b++)
        ck_assert_int_eq(write_batch(&bench, b * PER_BATCH, PER_BATCH), 0);
    ck_assert_uint_gt(hf_spool_store_stats(bench.store).segments, 1);
    uint64_t last = read_all(&bench, 1, seen, HF_LEN(seen), &missing);
    ck_assert_uint_eq(last, HF_LEN(seen));
    ck_assert_uint_eq(missing, 0);
    for (size_t i = 0; i < HF_LEN(seen); i++)
        ck_assert_uint_eq(seen[i], 1);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, last - 2, NULL), 0);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, last + 1, NULL), -EINVAL);
    bench_close(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    struct hf_spool_stats stats = hf_spool_store_stats(bench.store);
    ck_assert_uint_eq(stats.delivered, last - 2);
    ck_assert_uint_eq(stats.next, last + 1);
    ck_assert_uint_le(stats.segments, 2);
    bench_done(&bench);
}
END_TEST

static uint64_t payload_bytes(unsigned from, unsigned until)
{
    uint64_t bytes = 0;
    char text[4096];

    for (unsigned i = from; i < until; i++)
        bytes += item_payload(i, text, sizeof(text)).n;
    return bytes;
}

static void check_waiting(struct bench *bench, uint64_t wanted, unsigned percent)
{
    uint64_t waiting = hf_spool_store_stats(bench->store).waiting;

    ck_assert_msg(waiting <= wanted + wanted * percent / 100 && waiting + wanted * percent / 100 >= wanted,
                  "%" PRIu64 " bytes wait, not %" PRIu64, waiting, wanted);
}

START_TEST(what_waits_is_known_in_bytes)
{
    enum { ITEMS = BATCHES * LARGE_BATCH };
    struct bench bench;

    bench_init(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    for (unsigned b = 0; b < BATCHES; b++)
        ck_assert_int_eq(write_batch(&bench, b * LARGE_BATCH, LARGE_BATCH), 0);
    ck_assert_uint_gt(hf_spool_store_stats(bench.store).segments, 5);
    check_waiting(&bench, payload_bytes(0, ITEMS), 0);
    bench_close(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    check_waiting(&bench, payload_bytes(0, ITEMS), 4); /* what alignment and ends of segments take */
    for (unsigned delivered = 50; delivered < ITEMS; delivered += 50) {
        ck_assert_int_eq(hf_spool_store_deliver(bench.store, delivered, NULL), 0);
        check_waiting(&bench, payload_bytes(delivered, ITEMS), 10);
    }
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, ITEMS, NULL), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).waiting, 0);
    bench_done(&bench);
}
END_TEST

/* A spare segment, at once. */
static int prepare(struct hf_spool_store *store)
{
    struct hf_spool_spare spare;

    if (!hf_spool_store_spare_begin(store, &spare))
        return 0;
    int r = hf_spool_spare_make(&spare, NULL);
    hf_spool_store_spare_end(store, r);
    return r;
}

/* Writes, delivers now and then, until the file system stops. Returns how many items were tried. */
static unsigned workload(struct bench *bench)
{
    unsigned item = 0;

    for (unsigned b = 0; b < BATCHES && !hf_simfs_stopped(bench->fs); b++) {
        (void)!write_batch(bench, item, bench->per_batch);
        item += bench->per_batch;
        if (b % 7 == 6)
            (void)!hf_spool_store_deliver(bench->store, hf_spool_store_stats(bench->store).next - 12, NULL);
        if (b % 5 == 4)
            (void)!prepare(bench->store);
    }
    return item;
}

/* After the accident: everything acknowledged is there or was delivered, once, and the store goes on. */
static void check_after(struct bench *bench, unsigned items, const char *what, uint64_t at, const char *stream)
{
    unsigned seen[HF_LEN(bench->sequences)] = {0};
    uint64_t missing;

    ck_assert_msg(bench_open(bench) == 0, "%s %" PRIu64 ": cannot be opened", what, at);
    uint64_t delivered = hf_spool_store_stats(bench->store).delivered;
    ck_assert_msg(write_batch(bench, items, PER_BATCH) == 0, "%s %" PRIu64 ": cannot go on", what, at);
    (void)read_all(bench, delivered + 1, seen, items + PER_BATCH, &missing);
    /* A receiver that has some of it knows it by this name; nothing that nobody was promised counts as lost. */
    if (stream != NULL && delivered > 0) {
        ck_assert_msg(strcmp(stream, hf_spool_store_stream(bench->store)) == 0, "%s %" PRIu64 ": renamed", what, at);
        ck_assert_msg(missing == 0, "%s %" PRIu64 ": %" PRIu64 " missing", what, at, missing);
    }
    for (unsigned i = 0; i < items + PER_BATCH; i++) {
        ck_assert_msg(seen[i] <= 1, "%s %" PRIu64 ": item %u read %u times", what, at, i, seen[i]);
        if (bench->sequences[i] > delivered)
            ck_assert_msg(seen[i] == 1, "%s %" PRIu64 ": item %u was acknowledged and is gone", what, at, i);
    }
    bench_close(bench);
}

static uint64_t free_bytes(struct bench *bench)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(bench->fs);
    int fd = fs->openat(fs->ctx, AT_FDCWD, "/spool", O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    struct statvfs st = {.f_bavail = 0};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fs->fstatvfs(fs->ctx, fd, &st), 0);
    (void)fs->close(fs->ctx, fd);
    return (uint64_t)st.f_bavail * st.f_frsize;
}

/* A disk that is far smaller than max_bytes: the reserve stays free, and then the spool is full. Somebody else fills
 * the disk: the spool takes nothing more, and goes on when there is room again. */
START_TEST(disk_reserve)
{
    static const char other[3 * SEGMENT];
    struct bench bench;
    int r = 0;

    bench_init(&bench);
    bench.reserve_bytes = 3 * SEGMENT;
    bench.when_full = _i == 0 ? HF_SPOOL_BLOCK : HF_SPOOL_DROP_OLDEST;
    hf_simfs_mkdir(bench.fs, "/spool", 0700);
    hf_simfs_set_limit(bench.fs, "/spool", 12 * SEGMENT);
    ck_assert_int_eq(bench_open(&bench), 0);
    for (unsigned i = 0; r == 0 && i < 200; i++) {
        r = write_batch(&bench, PER_BATCH * i, PER_BATCH * 4);
        ck_assert_uint_ge(free_bytes(&bench), bench.reserve_bytes);
        ck_assert_int_eq(prepare(bench.store), 0);
        ck_assert_uint_ge(free_bytes(&bench), bench.reserve_bytes);
    }
    struct hf_spool_stats stats = hf_spool_store_stats(bench.store);
    ck_assert_uint_ge(stats.bytes, 7 * SEGMENT);
    ck_assert_int_eq(r, _i == 0 ? -EAGAIN : 0);
    ck_assert_uint_eq(stats.poisoned, 0);
    if (_i == 0) {
        ck_assert_int_eq(hf_spool_store_deliver(bench.store, stats.last, NULL), 0);
        hf_simfs_put(bench.fs, "/other", other, sizeof(other), 0600);
        for (r = 0; r == 0;)
            r = write_batch(&bench, 0, PER_BATCH * 4); /* the segments that the spool has already */
        ck_assert_int_eq(r, -EAGAIN);
        hf_simfs_delete(bench.fs, "/other");
        ck_assert_int_eq(hf_spool_store_deliver(bench.store, hf_spool_store_stats(bench.store).last, NULL), 0);
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    }
    bench_done(&bench);
}
END_TEST

/* With room for all, and with so little that each new segment is an old one. */
static const struct {
    uint64_t max_bytes;
    enum hf_spool_full when_full;
    unsigned per_batch;
} rooms[] = {{64 * SEGMENT, HF_SPOOL_BLOCK, PER_BATCH},
             {3 * SEGMENT, HF_SPOOL_BLOCK, LARGE_BATCH},
             {3 * SEGMENT, HF_SPOOL_DROP_OLDEST, LARGE_BATCH}};

static const uint64_t segment_sizes[] = {SEGMENT, 4 * SEGMENT};

START_TEST(power_cut_at_every_call)
{
    struct hf_simwalk walk = {.name = (const char *[]){"cuts", "cuts, full", "cuts, dropping"}[_i]};

    while (hf_simwalk_next(&walk)) {
        uint64_t at = walk.at;
        bool stopped = true;
        for (uint64_t luck = 0; luck < 3 && stopped; luck++) {
            struct bench bench;
            unsigned items = 0;

            bench_init(&bench);
            bench.max_bytes = rooms[_i].max_bytes;
            bench.when_full = rooms[_i].when_full;
            bench.per_batch = rooms[_i].per_batch;
            hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
            hf_simfs_stop_at(bench.fs, at);
            char stream[HF_SPOOL_STREAM_TEXT] = "";
            if (bench_open(&bench) == 0) {
                (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
                items = workload(&bench);
            }
            stopped = hf_simwalk_saw(&walk, bench.fs);
            bench_close(&bench);
            hf_simfs_power_cut(bench.fs, at * 31 + luck);
            hf_simfs_stop_at(bench.fs, 0);
            check_after(&bench, items, "cut at call", at, stream);
            bench_done(&bench);
        }
    }
}
END_TEST

/* The disk's journal goes, as after an error: what was acknowledged before and after that is there when it is mounted
 * again. */
START_TEST(journal_lost_at_every_call)
{
    const char *name = _i == 0 ? "journal lost" : "journal lost, large segments";

    for (uint64_t at = hf_walk_next(name, 0);; at = hf_walk_next(name, at)) {
        for (uint64_t luck = 0; luck < 3; luck++) {
            struct bench bench;
            unsigned items = 0;

            bench_init(&bench);
            bench.segment_bytes = segment_sizes[_i];
            bench.max_bytes = 64 * segment_sizes[_i];
            bench.per_batch = LARGE_BATCH;
            hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
            hf_simfs_lose_journal_at(bench.fs, at);
            if (bench_open(&bench) == 0)
                items = workload(&bench);
            bool lost = hf_simfs_journal_lost(bench.fs);
            bench_close(&bench);
            hf_simfs_power_cut(bench.fs, at * 31 + luck);
            check_after(&bench, items, "journal lost at call", at, NULL);
            bench_done(&bench);
            if (!lost)
                return;
        }
    }
}
END_TEST

/* What a killed process left is known to whoever opens next, who may tell its sender that it is kept: no power cut
 * takes it then. */
START_TEST(what_was_read_at_open_stays)
{
    struct hf_simwalk walk = {.name = "killed"};

    while (hf_simwalk_next(&walk)) {
        uint64_t at = walk.at;
        struct bench bench;
        unsigned before[HF_LEN(bench.sequences)] = {0}, after[HF_LEN(bench.sequences)] = {0}, items = 0;
        uint64_t missing;

        bench_init(&bench);
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(bench.fs, at);
        if (bench_open(&bench) == 0)
            items = workload(&bench);
        (void)hf_simwalk_saw(&walk, bench.fs);
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        hf_simfs_stop_at(bench.fs, 0);
        ck_assert_int_eq(bench_open(&bench), 0);
        uint64_t next = hf_spool_store_stats(bench.store).delivered + 1;
        (void)read_all(&bench, next, before, HF_LEN(before), &missing);
        bench_close(&bench);
        hf_simfs_power_cut(bench.fs, at);
        ck_assert_int_eq(bench_open(&bench), 0);
        (void)read_all(&bench, next, after, HF_LEN(after), &missing);
        for (unsigned i = 0; i < items; i++)
            ck_assert_msg(before[i] == after[i], "kill at call %" PRIu64 ": item %u was there", at, i);
        bench_done(&bench);
    }
}
END_TEST

/* A process is killed while it saves the cursor, and the power goes while the next one opens the spool: the cursor does
 * not go back behind one that was reported as durable. */
START_TEST(the_cursor_survives_a_kill_and_then_a_power_cut)
{
    for (uint64_t kill_at = 1; kill_at <= 2; kill_at++) /* the write, the sync */
        for (uint64_t cut_at = 1;; cut_at++) {
            bool stopped = false;
            for (uint64_t luck = 0; luck < 20; luck++) {
                struct bench bench;
                bench_init(&bench);
                hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
                ck_assert_int_eq(bench_open(&bench), 0);
                ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
                ck_assert_int_eq(hf_spool_store_deliver(bench.store, bench.sequences[0], NULL), 0);
                hf_simfs_stop_at(bench.fs, kill_at);
                ck_assert_int_lt(hf_spool_store_deliver(bench.store, bench.sequences[1], NULL), 0);
                bench_close(&bench);
                hf_simfs_kill(bench.fs);
                hf_simfs_stop_at(bench.fs, cut_at);
                (void)bench_open(&bench);
                bench_close(&bench);
                stopped = hf_simfs_stopped(bench.fs);
                hf_simfs_power_cut(bench.fs, luck);
                ck_assert_int_eq(bench_open(&bench), 0);
                uint64_t delivered = hf_spool_store_stats(bench.store).delivered;
                ck_assert_msg(delivered >= bench.sequences[0],
                              "kill at %" PRIu64 ", cut at %" PRIu64 ", luck %" PRIu64 ": delivered %" PRIu64, kill_at,
                              cut_at, luck, delivered);
                bench_done(&bench);
            }
            if (!stopped)
                break;
        }
}
END_TEST

/* A process is killed while it saves the cursor, and the power goes while the next one, which only drops, drops a
 * segment: the cursor does not go back behind one that was reported as durable. */
START_TEST(the_cursor_survives_a_kill_and_then_a_power_cut_in_a_drop)
{
    bool stopped = true;

    for (uint64_t cut_at = 1; stopped; cut_at++)
        for (uint64_t luck = 0; luck < 100; luck++) {
            struct bench bench;
            bench_init(&bench);
            ck_assert_int_eq(bench_open(&bench), 0);
            while (hf_spool_store_stats(bench.store).segments < 2)
                ck_assert_int_eq(write_batch(&bench, 0, LARGE_BATCH), 0);
            ck_assert_int_eq(hf_spool_store_deliver(bench.store, 3, NULL), 0);
            hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
            hf_simfs_stop_at(bench.fs, 2); /* the sync */
            ck_assert_int_lt(hf_spool_store_deliver(bench.store, 4, NULL), 0);
            bench_close(&bench);
            hf_simfs_kill(bench.fs);
            bench.only_drops = true;
            ck_assert_int_eq(bench_open(&bench), 0);
            hf_simfs_stop_at(bench.fs, cut_at);
            (void)!hf_spool_store_drop_oldest(bench.store, NULL);
            bench_close(&bench);
            stopped = hf_simfs_stopped(bench.fs);
            hf_simfs_power_cut(bench.fs, luck);
            ck_assert_int_eq(bench_open(&bench), 0);
            uint64_t delivered = hf_spool_store_stats(bench.store).delivered;
            ck_assert_msg(delivered >= 3, "cut at %" PRIu64 ", luck %" PRIu64 ": delivered %" PRIu64, cut_at, luck,
                          delivered);
            bench_done(&bench);
        }
}
END_TEST

/* Somebody deletes the cursor, and a call fails while it is made again: once the save succeeds when it is tried again,
 * the cursor is on the disk, and so is its name. */
START_TEST(a_cursor_that_is_made_again_is_durable)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct bench bench;
        bench_init(&bench);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
        hf_simfs_delete(bench.fs, "/spool/cursor");
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(bench.fs, n, EIO, 1);
        failed = hf_spool_store_deliver(bench.store, bench.sequences[1], NULL) < 0;
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        ck_assert_int_eq(hf_spool_store_deliver(bench.store, bench.sequences[1], NULL), 0);
        bench_close(&bench);
        hf_simfs_power_cut(bench.fs, HF_SIMFS_LOSE_ALL);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_msg(hf_spool_store_stats(bench.store).delivered == bench.sequences[1],
                      "error at call %" PRIu64 ": delivered %" PRIu64, n, hf_spool_store_stats(bench.store).delivered);
        bench_done(&bench);
    }
}
END_TEST

/* A process that was killed after a sync that failed: the records are in the page cache, and Linux takes the pages for
 * clean. Whoever reads them from now on must not lose them. */
START_TEST(what_a_failed_sync_left_in_the_cache_is_durable_once_read)
{
    for (uint64_t at = 1;; at++) {
        struct bench bench;
        unsigned before[2 * PER_BATCH] = {0}, after[2 * PER_BATCH] = {0};
        uint64_t missing;

        bench_init(&bench);
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
        hf_simfs_fail_at(bench.fs, at, EIO, 0);
        bool failed = write_batch(&bench, PER_BATCH, PER_BATCH) < 0;
        failed = hf_spool_store_deliver(bench.store, bench.sequences[1], NULL) < 0 || failed;
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        ck_assert_int_eq(bench_open(&bench), 0);
        uint64_t delivered = hf_spool_store_stats(bench.store).delivered;
        (void)read_all(&bench, 1, before, HF_LEN(before), &missing);
        bench_close(&bench);
        hf_simfs_power_cut(bench.fs, at);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_uint_eq(hf_spool_store_stats(bench.store).delivered, delivered);
        (void)read_all(&bench, 1, after, HF_LEN(after), &missing);
        for (unsigned i = 0; i < HF_LEN(before); i++)
            ck_assert_msg(before[i] == after[i], "errors from call %" PRIu64 ": item %u was there", at, i);
        bench_done(&bench);
        if (!failed)
            return;
    }
}
END_TEST

static const int codes[] = {EIO, ENOSPC};

START_TEST(error_at_every_call)
{
    struct hf_simwalk walk = {.name = (const char *[]){"errors", "full", "errors, dropping", "full, dropping"}[_i]};

    while (hf_simwalk_next(&walk)) {
        uint64_t at = walk.at;
        struct bench bench;
        unsigned items = 0;

        bench_init(&bench);
        /* not the second one: a segment given up is one that it cannot spare */
        bench.max_bytes = rooms[_i / 2 * 2].max_bytes;
        bench.when_full = rooms[_i / 2 * 2].when_full;
        bench.per_batch = rooms[_i / 2 * 2].per_batch;
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(bench.fs, at, codes[_i % 2], 1);
        if (bench_open(&bench) == 0)
            items = workload(&bench);
        (void)hf_simwalk_saw(&walk, bench.fs);
        bench_close(&bench);
        hf_simfs_fail_at(bench.fs, 0, EIO, 1);
        hf_simfs_power_cut(bench.fs, at);
        check_after(&bench, items, "error at call", at, NULL);
        bench_done(&bench);
    }
}
END_TEST

/* What a failed write leaves in a file counts neither now nor after a restart: its sender has heard of the failure,
 * and has sent the same again. */
static void fail_some(uint64_t at, uint64_t times, int code, bool *ret_failed)
{
    enum { ITEMS = 8 * PER_BATCH };
    unsigned before[ITEMS] = {0}, after[ITEMS] = {0};
    uint64_t missing;
    struct bench bench;

    bench_init(&bench);
    hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    hf_simfs_fail_at(bench.fs, at, code, times);
    for (unsigned i = 1; i < 4; i++)
        (void)!write_batch(&bench, i * PER_BATCH, PER_BATCH);
    *ret_failed = hf_simfs_failed(bench.fs) > 0;
    hf_simfs_fail_at(bench.fs, 0, 0, 0);
    for (unsigned i = 4; i < 8; i++)
        ck_assert_int_eq(write_batch(&bench, i * PER_BATCH, PER_BATCH), 0);
    (void)read_all(&bench, 1, before, ITEMS, &missing);
    for (unsigned i = 0; i < ITEMS; i++)
        ck_assert_msg((before[i] == 1) == (bench.sequences[i] != 0), "%lu errors at call %lu: item %u",
                      (unsigned long)times, (unsigned long)at, i);
    bench_close(&bench);
    hf_simfs_kill(bench.fs);
    ck_assert_int_eq(bench_open(&bench), 0);
    (void)read_all(&bench, 1, after, ITEMS, &missing);
    for (unsigned i = 0; i < ITEMS; i++)
        ck_assert_msg(before[i] == after[i], "%lu errors at call %lu: item %u is read %u times, and was read %u times",
                      (unsigned long)times, (unsigned long)at, i, after[i], before[i]);
    bench_done(&bench);
}

START_TEST(what_a_failed_write_left_is_never_read)
{
    static const uint64_t times[] = {1, 2, 3, 4, 6, 9};

    for (size_t i = 0; i < HF_LEN(times); i++) {
        bool failed = true;
        for (uint64_t at = 1; failed; at++)
            fail_some(at, times[i], codes[_i], &failed);
    }
}
END_TEST

/* A disk on which no record reaches the medium: writes of records fail, or their syncs. */
static const struct hf_fs_ops *sound;
static struct hf_fs_ops broken;
static bool break_writes, unsynced_record;
static unsigned break_syncs; /* number of the next syncs of records that fail */

static ssize_t broken_pwrite(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    bool record = n >= HF_SPOOL_RECORD_HEADER && hf_spool_record_begins(bytes);

    if (record && break_writes)
        return -EIO;
    unsynced_record = unsynced_record || record;
    return sound->pwrite(ctx, fd, bytes, n, offset);
}

static int broken_fdatasync(void *ctx, int fd)
{
    bool record = unsynced_record;

    unsynced_record = false;
    if (!record || break_syncs == 0)
        return sound->fdatasync(ctx, fd);
    break_syncs--;
    return -EIO;
}

static void broken_open(struct bench *bench)
{
    const struct hf_spool_store_params params = {
        .fs = &broken, .rng = &bench->rng, .dir = "/spool", .segment_bytes = SEGMENT, .max_bytes = 4 * SEGMENT};

    break_writes = unsynced_record = false;
    break_syncs = 0;
    ck_assert_int_eq(hf_spool_store_open(&params, &bench->store, NULL), 0);
}

static void broken_init(struct bench *bench)
{
    bench_init(bench);
    sound = hf_simfs_ops(bench->fs);
    broken = *sound;
    broken.pwrite = broken_pwrite;
    broken.fdatasync = broken_fdatasync;
    broken_open(bench);
}

static int count_segment(void *arg, const char *name, unsigned char type)
{
    (void)type;
    *(uint64_t *)arg += strlen(name) == 20 && strcmp(name + 16, ".seg") == 0;
    return 0;
}

static uint64_t count_segments(const struct bench *bench)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(bench->fs);
    uint64_t n = 0;
    int fd = fs->openat(fs->ctx, AT_FDCWD, "/spool", O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    ck_assert_int_eq(fs->list(fs->ctx, fd, count_segment, &n), 0);
    (void)fs->close(fs->ctx, fd);
    return n;
}

/* Writes that fail again and again leave no files, and no gap that looks like a loss. */
START_TEST(failed_writes_leave_no_files)
{
    unsigned before[12 * PER_BATCH] = {0}, after[12 * PER_BATCH] = {0};
    uint64_t missing;
    struct bench bench;

    broken_init(&bench);
    ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    break_writes = _i == 0;
    break_syncs = _i == 1 ? UINT_MAX : 0;
    for (unsigned i = 1; i < 11; i++)
        ck_assert_int_lt(write_batch(&bench, i * PER_BATCH, PER_BATCH), 0);
    break_writes = false;
    break_syncs = 0;
    ck_assert_int_eq(write_batch(&bench, 11 * PER_BATCH, PER_BATCH), 0);
    (void)read_all(&bench, 1, before, HF_LEN(before), &missing);
    ck_assert_uint_eq(missing, 0);
    ck_assert_uint_eq(count_segments(&bench), hf_spool_store_stats(bench.store).segments);
    char stream[HF_SPOOL_STREAM_TEXT];
    (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
    bench_close(&bench);
    hf_simfs_power_cut(bench.fs, HF_SIMFS_LOSE_ALL);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_str_eq(hf_spool_store_stream(bench.store), stream);
    (void)read_all(&bench, 1, after, HF_LEN(after), &missing);
    ck_assert_uint_eq(missing, 0);
    ck_assert_mem_eq(before, after, sizeof(before));
    bench_done(&bench);
}
END_TEST

/* A write fails for good, the process dies while it begins the next segment, and the first sync of the next process
 * fails: the empty segment goes, and what it said of the failed write is still known after another restart. */
START_TEST(what_a_failed_write_left_is_not_read_after_an_empty_segment_goes)
{
    bool stopped = true;

    for (uint64_t n = 1; stopped; n++) {
        unsigned before[4 * PER_BATCH] = {0}, after[4 * PER_BATCH] = {0};
        struct bench bench;
        uint64_t missing;

        broken_init(&bench);
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
        break_syncs = 2;
        ck_assert_int_lt(write_batch(&bench, PER_BATCH, PER_BATCH), 0);
        hf_simfs_stop_at(bench.fs, n);
        (void)!write_batch(&bench, 2 * PER_BATCH, PER_BATCH);
        stopped = hf_simfs_stopped(bench.fs);
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        broken_open(&bench);
        break_syncs = 1;
        ck_assert_int_eq(write_batch(&bench, 3 * PER_BATCH, PER_BATCH), 0);
        (void)read_all(&bench, 1, before, HF_LEN(before), &missing);
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        broken_open(&bench);
        (void)read_all(&bench, 1, after, HF_LEN(after), &missing);
        for (unsigned i = 0; i < HF_LEN(before); i++)
            ck_assert_msg(before[i] == after[i],
                          "stop at call %" PRIu64 ": item %u is read %u times, and was read %u times", n, i, after[i],
                          before[i]);
        bench_done(&bench);
    }
}
END_TEST

/* A process dies after a sync that failed, and the next one has an error at each call of its opening: what that one
 * reads stays, or is in another stream. */
START_TEST(an_error_while_opening_loses_nothing_that_is_read)
{
    bool hit = true;

    for (uint64_t n = 1; hit; n++) {
        unsigned before[3 * PER_BATCH] = {0}, after[3 * PER_BATCH] = {0};
        char stream[HF_SPOOL_STREAM_TEXT] = "";
        struct bench bench;
        uint64_t missing;

        bench_init(&bench);
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
        ck_assert_int_eq(prepare(bench.store), 0);
        hf_simfs_fail_at(bench.fs, 2, EIO, 0); /* the sync */
        ck_assert_int_lt(write_batch(&bench, PER_BATCH, PER_BATCH), 0);
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        hf_simfs_fail_at(bench.fs, n, codes[_i], 1);
        int r = bench_open(&bench);
        hit = hf_simfs_failed(bench.fs) > 0;
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        if (r == 0) {
            (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
            (void)read_all(&bench, 1, before, HF_LEN(before), &missing);
            bench_close(&bench);
        }
        hf_simfs_power_cut(bench.fs, HF_SIMFS_LOSE_ALL);
        ck_assert_int_eq(bench_open(&bench), 0);
        (void)read_all(&bench, 1, after, HF_LEN(after), &missing);
        bool same = strcmp(stream, hf_spool_store_stream(bench.store)) == 0;
        for (unsigned i = 0; r == 0 && same && i < HF_LEN(before); i++)
            ck_assert_msg(before[i] <= after[i], "error at call %" PRIu64 ": item %u is gone", n, i);
        bench_done(&bench);
    }
}
END_TEST

/* The disk does not give back a place of the last write, but does so when asked again: opening refuses, or loses
 * nothing. */
START_TEST(a_read_that_fails_once_at_open_costs_nothing)
{
    enum { ITEMS = LARGE_BATCH };
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        unsigned seen[ITEMS + PER_BATCH] = {0};
        struct bench bench;
        uint64_t missing;

        bench_init(&bench);
        bench.refuse_unreadable = true;
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, 0, ITEMS), 0);
        bench_close(&bench);
        hf_simfs_count_only(bench.fs, HF_SIMFS_READS);
        hf_simfs_fail_at(bench.fs, n, EIO, 1);
        int r = bench_open(&bench);
        failed = hf_simfs_failed(bench.fs) > 0;
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        if (r < 0)
            ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, ITEMS, PER_BATCH), 0);
        (void)read_all(&bench, 1, seen, HF_LEN(seen), &missing);
        for (unsigned i = 0; i < HF_LEN(seen); i++)
            ck_assert_msg(seen[i] == 1, "error at call %" PRIu64 ": item %u is read %u times", n, i, seen[i]);
        bench_done(&bench);
    }
}
END_TEST

/* Without a cursor on the disk, the next process would send under new keys what has been delivered. */
START_TEST(a_full_disk_does_not_stop_the_cursor)
{
    char stream[HF_SPOOL_STREAM_TEXT];
    struct bench bench;

    bench_init(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
    ck_assert_int_eq(prepare(bench.store), 0);
    hf_simfs_set_limit(bench.fs, "/", 1); /* nothing may grow */
    ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, bench.sequences[1], NULL), 0);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, bench.sequences[2], NULL), 0);
    bench_close(&bench);
    hf_simfs_power_cut(bench.fs, 3);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_str_eq(hf_spool_store_stream(bench.store), stream);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).delivered, bench.sequences[2]);
    bench_done(&bench);
}
END_TEST

START_TEST(full_blocks_or_drops_the_oldest)
{
    struct bench bench;
    struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS + 1];
    unsigned item = 0;
    int r = 0;

    bench_init(&bench);
    bench.max_bytes = 3 * SEGMENT;
    ck_assert_int_eq(bench_open(&bench), 0);
    while (r == 0 && item < 2000) {
        r = write_batch(&bench, item, PER_BATCH);
        item += PER_BATCH;
    }
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_uint_le(hf_spool_store_stats(bench.store).bytes, bench.max_bytes);
    /* Delivering makes room. */
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, hf_spool_store_stats(bench.store).next - 1, NULL), 0);
    ck_assert_int_eq(write_batch(&bench, item, PER_BATCH), 0);
    bench_close(&bench);

    bench.when_full = HF_SPOOL_DROP_OLDEST;
    ck_assert_int_eq(bench_open(&bench), 0);
    uint64_t before = hf_spool_store_stats(bench.store).delivered, total = 0;
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_int_eq(write_batch(&bench, item, PER_BATCH), 0);
        item += PER_BATCH;
    }
    ck_assert_uint_le(hf_spool_store_stats(bench.store).bytes, bench.max_bytes);
    hf_spool_store_take_dropped(bench.store, dropped);
    for (size_t i = 0; dropped[i].records > 0; i++) {
        ck_assert_uint_lt(dropped[i].tag, 3);
        total += dropped[i].records;
    }
    ck_assert_uint_eq(total, hf_spool_store_stats(bench.store).delivered - before);
    ck_assert_uint_gt(total, 0);
    hf_spool_store_take_dropped(bench.store, dropped);
    ck_assert_uint_eq(dropped[0].records, 0);
    bench_done(&bench);
}
END_TEST

START_TEST(damage_costs_what_it_covers)
{
    for (unsigned round = 0; round < 40; round++) {
        struct bench bench;
        unsigned seen[BATCHES * PER_BATCH + PER_BATCH] = {0}, gone = 0;
        uint64_t missing;
        size_t n;

        bench_init(&bench);
        bench.random = round;
        ck_assert_int_eq(bench_open(&bench), 0);
        for (unsigned b = 0; b < BATCHES; b++)
            ck_assert_int_eq(write_batch(&bench, b * PER_BATCH, PER_BATCH), 0);
        bench_close(&bench);
        const char *path = "/spool/0000000000000001.seg";
        const unsigned char *bytes = hf_simfs_get(bench.fs, path, &n);
        ck_assert_ptr_nonnull(bytes);
        unsigned char *copy = malloc(n);
        memcpy(copy, bytes, n);
        size_t at = 64 + next_random(&bench.random) % (n - 6000), span = 1 + next_random(&bench.random) % 5000;
        for (size_t i = 0; i < span; i++)
            copy[at + i] ^= 0x55;
        hf_simfs_put(bench.fs, path, copy, n, 0600);
        free(copy);
        ck_assert_int_eq(bench_open(&bench), 0);
        (void)read_all(&bench, 1, seen, HF_LEN(seen), &missing);
        for (unsigned i = 0; i < BATCHES * PER_BATCH; i++)
            gone += seen[i] == 0;
        ck_assert_uint_eq(gone, missing);
        ck_assert_msg(gone <= 14, "%zu damaged bytes cost %u records", span, gone);
        bench_done(&bench);
    }
}
END_TEST

START_TEST(lost_files_are_survived)
{
    static const char *const victims[] = {"/spool/cursor", "/spool/0000000000000001.seg", "/spool/spare.seg"};
    struct bench bench;
    unsigned seen[BATCHES * PER_BATCH + PER_BATCH] = {0};
    uint64_t missing;

    bench_init(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    for (unsigned b = 0; b < BATCHES; b++)
        ck_assert_int_eq(write_batch(&bench, b * PER_BATCH, PER_BATCH), 0);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, 3, NULL), 0);
    bench_close(&bench);
    if (_i == 3)
        hf_simfs_put(bench.fs, "/spool/0000000000000001.seg", "rubbish", 7, 0600);
    else
        hf_simfs_delete(bench.fs, victims[_i]);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_int_eq(write_batch(&bench, BATCHES * PER_BATCH, PER_BATCH), 0);
    (void)read_all(&bench, hf_spool_store_stats(bench.store).delivered + 1, seen, HF_LEN(seen), &missing);
    for (unsigned i = BATCHES * PER_BATCH; i < HF_LEN(seen); i++)
        ck_assert_uint_eq(seen[i], 1);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).damaged, _i == 3);
    bench_done(&bench);
}
END_TEST

static const struct {
    const char *gone; /* "*": all but the stream's own file */
    bool renewed;
} wiped[] = {
    {NULL, false}, {"/spool/spare.seg", false}, {"/spool/stream", true}, {"/spool/cursor", true}, {"last", true},
    {"*", true},
};

/* A receiver knows records by stream and sequence: whatever was taken away, no pair of them is given a second time. */
START_TEST(a_stream_never_gives_a_sequence_twice)
{
    struct bench bench;
    char before[HF_SPOOL_STREAM_TEXT], path[128];

    bench_init(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    (void)snprintf(before, sizeof(before), "%s", hf_spool_store_stream(bench.store));
    ck_assert_uint_eq(strspn(before, "0123456789abcdef"), 32);
    for (unsigned b = 0; b < BATCHES; b++)
        ck_assert_int_eq(write_batch(&bench, b * PER_BATCH, PER_BATCH), 0);
    uint64_t next = hf_spool_store_stats(bench.store).next;
    struct hf_spool_extent extents[64];
    size_t n = hf_spool_store_extents(bench.store, 0, extents, HF_LEN(extents));
    ck_assert_uint_gt(n, 1);
    bench_close(&bench);
    bool all = wiped[_i].gone != NULL && strcmp(wiped[_i].gone, "*") == 0;
    for (size_t i = 0; i < n; i++) {
        hf_spool_segment_path("/spool", extents[i].first, path, sizeof(path));
        if (all || (i + 1 == n && wiped[_i].gone != NULL && strcmp(wiped[_i].gone, "last") == 0))
            hf_simfs_delete(bench.fs, path);
    }
    if (all)
        hf_simfs_delete(bench.fs, "/spool/cursor");
    else if (wiped[_i].gone != NULL && wiped[_i].gone[0] == '/')
        hf_simfs_delete(bench.fs, wiped[_i].gone);
    ck_assert_int_eq(bench_open(&bench), 0);
    bool same = strcmp(before, hf_spool_store_stream(bench.store)) == 0;
    ck_assert_int_eq(same, !wiped[_i].renewed);
    if (same)
        ck_assert_uint_eq(hf_spool_store_stats(bench.store).next, next);
    bench_close(&bench);
    bench.used = next + 100;
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).next, next + 101);
    bench_done(&bench);
}
END_TEST

static void fill(struct bench *bench, unsigned batches)
{
    bench_init(bench);
    ck_assert_int_eq(bench_open(bench), 0);
    for (unsigned b = 0; b < batches; b++)
        ck_assert_int_eq(write_batch(bench, b * PER_BATCH, PER_BATCH), 0);
}

/* Change bytes of a file on the medium. */
static void flip(struct bench *bench, const char *path, size_t at, size_t n)
{
    size_t size;
    const unsigned char *bytes = hf_simfs_get(bench->fs, path, &size);
    ck_assert_ptr_nonnull(bytes);
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    for (size_t i = at; i < at + n; i++)
        copy[i] ^= 0x55;
    hf_simfs_put(bench->fs, path, copy, size, 0600);
    free(copy);
}

static unsigned count_gone(struct bench *bench, unsigned items)
{
    unsigned seen[BATCHES * PER_BATCH + 2 * PER_BATCH] = {0}, gone = 0;
    uint64_t missing;

    (void)read_all(bench, 1, seen, HF_LEN(seen), &missing);
    for (unsigned i = 0; i < items; i++)
        gone += seen[i] == 0;
    return gone;
}

START_TEST(one_header_is_enough)
{
    struct bench bench;

    fill(&bench, BATCHES);
    bench_close(&bench);
    flip(&bench, "/spool/0000000000000001.seg", _i == 0 ? 0 : SEGMENT - 512, 100);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).mended, _i == 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).damaged, 0);
    ck_assert_uint_eq(count_gone(&bench, BATCHES * PER_BATCH), 0);
    bench_done(&bench);
}
END_TEST

/* In the last segment damage looks much like a torn write, but what was synced later tells them apart. */
START_TEST(damage_in_the_last_segment_costs_what_it_covers)
{
    for (size_t at = 512; at < 5000; at += 321) {
        struct bench bench;
        fill(&bench, 4); /* 15 KB in one segment */
        bench_close(&bench);
        flip(&bench, "/spool/0000000000000001.seg", at, 1);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_uint_eq(hf_spool_store_stats(bench.store).torn, 0);
        ck_assert_uint_eq(hf_spool_store_stats(bench.store).next, 4 * PER_BATCH + 1);
        ck_assert_uint_le(count_gone(&bench, 4 * PER_BATCH), 1);
        bench_done(&bench);
    }
}
END_TEST

/* Two writes; the second one loses its first record on the medium, and then looks like a torn one. */
static void tear(struct bench *bench)
{
    struct hf_spool_extent extent;

    bench_init(bench);
    ck_assert_int_eq(bench_open(bench), 0);
    ck_assert_int_eq(write_batch(bench, 0, PER_BATCH), 0);
    ck_assert_uint_eq(hf_spool_store_extents(bench->store, 0, &extent, 1), 1);
    ck_assert_int_eq(write_batch(bench, PER_BATCH, PER_BATCH), 0);
    bench_close(bench);
    flip(bench, "/spool/0000000000000001.seg", extent.end, HF_SPOOL_RECORD_HEADER);
}

/* The records of a write that looks torn may have left the node, so their sequences are used up, also for a process
 * that opens the spool after one that wrote nothing. */
START_TEST(a_torn_write_uses_up_its_sequences)
{
    for (unsigned opens = 1; opens <= 3; opens++) {
        char stream[HF_SPOOL_STREAM_TEXT];
        struct bench bench;

        tear(&bench);
        uint64_t used = bench.sequences[2 * PER_BATCH - 1];
        for (unsigned i = 0; i < opens; i++) {
            bench_close(&bench);
            ck_assert_int_eq(bench_open(&bench), 0);
            ck_assert_uint_eq(hf_spool_store_stats(bench.store).torn, 1);
            if (i > 0)
                ck_assert_str_eq(hf_spool_store_stream(bench.store), stream);
            (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
        }
        ck_assert_int_eq(write_batch(&bench, 2 * PER_BATCH, PER_BATCH), 0);
        ck_assert_uint_gt(bench.sequences[2 * PER_BATCH], used);
        bench_done(&bench);
    }
}
END_TEST

/* So it does if the process ends in the next write, by a kill (0) or with the power (1). */
START_TEST(a_cut_behind_a_torn_write_gives_no_sequence_twice)
{
    bool stopped = true;

    for (uint64_t n = 1; stopped; n++) {
        char stream[HF_SPOOL_STREAM_TEXT];
        struct bench bench;

        tear(&bench);
        uint64_t used = bench.sequences[2 * PER_BATCH - 1];
        ck_assert_int_eq(bench_open(&bench), 0);
        (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
        ck_assert_int_eq(prepare(bench.store), 0);
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(bench.fs, n);
        (void)!write_batch(&bench, 2 * PER_BATCH, PER_BATCH);
        stopped = hf_simfs_stopped(bench.fs);
        hf_simfs_stop_at(bench.fs, 0);
        bench_close(&bench);
        if (_i == 0)
            hf_simfs_kill(bench.fs);
        else
            hf_simfs_power_cut(bench.fs, n);
        ck_assert_int_eq(bench_open(&bench), 0);
        ck_assert_int_eq(write_batch(&bench, 3 * PER_BATCH, PER_BATCH), 0);
        ck_assert_msg(bench.sequences[3 * PER_BATCH] > used || strcmp(stream, hf_spool_store_stream(bench.store)) != 0,
                      "call %" PRIu64 ": %" PRIu64 " again, up to %" PRIu64 " were used", n,
                      bench.sequences[3 * PER_BATCH], used);
        bench_done(&bench);
    }
}
END_TEST

/* No read returns a record of a torn write, not even if the next write fails at some call. */
START_TEST(what_a_torn_write_left_is_never_read)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        unsigned before[4 * PER_BATCH] = {0}, after[4 * PER_BATCH] = {0};
        struct bench bench;
        uint64_t missing;

        tear(&bench);
        ck_assert_int_eq(bench_open(&bench), 0);
        hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(bench.fs, n, EIO, _i == 0 ? 1 : 3);
        (void)!write_batch(&bench, 2 * PER_BATCH, PER_BATCH);
        failed = hf_simfs_failed(bench.fs) > 0;
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        ck_assert_int_eq(write_batch(&bench, 3 * PER_BATCH, PER_BATCH), 0);
        (void)read_all(&bench, 1, before, HF_LEN(before), &missing);
        bench_close(&bench);
        hf_simfs_kill(bench.fs);
        ck_assert_int_eq(bench_open(&bench), 0);
        (void)read_all(&bench, 1, after, HF_LEN(after), &missing);
        for (unsigned i = 0; i < HF_LEN(before); i++) {
            bool torn = i >= PER_BATCH && i < 2 * PER_BATCH;
            ck_assert_msg(before[i] == after[i] && (before[i] == 1) == (!torn && bench.sequences[i] != 0),
                          "error at call %" PRIu64 ": item %u is read %u and %u times", n, i, before[i], after[i]);
        }
        bench_done(&bench);
    }
}
END_TEST

START_TEST(a_medium_that_cannot_be_read_costs_what_it_covers)
{
    struct bench bench;
    struct hf_spool_extent extents[64];
    struct hf_spool_record records[16];
    struct hf_spool_read read = {.records = records, .max = HF_LEN(records), .bytes = HF_BUF_INIT(50000)};
    struct hf_spool_place place = {.next = 1};

    fill(&bench, BATCHES);
    size_t n = hf_spool_store_extents(bench.store, 0, extents, HF_LEN(extents));
    hf_simfs_count_only(bench.fs, HF_SIMFS_READS);
    hf_simfs_fail_at(bench.fs, 3, EIO, 3); /* after open and header, in the content */
    uint64_t got = 0, missing = 0;
    do {
        ck_assert_int_eq(hf_spool_read_records(hf_simfs_ops(bench.fs), "/spool", extents, n, BATCHES * PER_BATCH,
                                               &place, &read, NULL),
                         0);
        got += read.n;
        missing += read.missing;
    } while (read.n > 0);
    ck_assert_uint_gt(hf_simfs_failed(bench.fs), 0);
    ck_assert_uint_eq(got + missing, BATCHES * PER_BATCH);
    ck_assert_uint_lt(missing, 12);
    /* All of it is another matter: nothing is given up. */
    place = (struct hf_spool_place){.next = 1};
    hf_simfs_fail_at(bench.fs, 1, EIO, 0);
    ck_assert_int_eq(
        hf_spool_read_records(hf_simfs_ops(bench.fs), "/spool", extents, n, BATCHES * PER_BATCH, &place, &read, NULL),
        -EIO);
    ck_assert_uint_eq(place.next, 1);
    hf_simfs_fail_at(bench.fs, 0, EIO, 1);
    hf_buf_done(&read.bytes);
    bench_done(&bench);
}
END_TEST

static const struct {
    const char *what;
    unsigned lost; /* segments */
} deleted[] = {{"last", 0}, {"first", 1}, {"all", 1}, {"spare", 0}, {"cursor", 0}};

START_TEST(files_deleted_under_us)
{
    struct bench bench;
    struct hf_spool_extent extents[64];
    char path[128];
    const char *what = deleted[_i].what;

    fill(&bench, BATCHES);
    ck_assert_int_eq(prepare(bench.store), 0);
    size_t n = hf_spool_store_extents(bench.store, 0, extents, HF_LEN(extents));
    ck_assert_uint_eq(n, 2);
    for (size_t i = 0; i < n; i++) {
        hf_spool_segment_path("/spool", extents[i].first, path, sizeof(path));
        if (strcmp(what, "all") == 0 || strcmp(what, i == 0 ? "first" : "last") == 0)
            hf_simfs_delete(bench.fs, path);
    }
    if (strcmp(what, "all") == 0) {
        hf_simfs_delete(bench.fs, "/spool/stream");
        hf_simfs_delete(bench.fs, "/spool/spare.seg");
        hf_simfs_delete(bench.fs, "/spool/cursor");
        hf_simfs_delete(bench.fs, "/spool");
    } else if (strcmp(what, "spare") == 0) {
        hf_simfs_delete(bench.fs, "/spool/spare.seg");
    } else if (strcmp(what, "cursor") == 0) {
        hf_simfs_delete(bench.fs, "/spool/cursor");
    }
    if (_i % 2 == 0)
        ck_assert_int_eq(hf_spool_store_check(bench.store, NULL), 0);
    for (unsigned b = 0; b < 2; b++)
        ck_assert_int_eq(write_batch(&bench, (BATCHES + b) * PER_BATCH, PER_BATCH), 0);
    ck_assert_int_eq(hf_spool_store_check(bench.store, NULL), 0);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, 1, NULL), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).lost, deleted[_i].lost);
    unsigned gone = count_gone(&bench, (BATCHES + 2) * PER_BATCH);
    ck_assert_uint_eq(gone, deleted[_i].lost * (extents[1].first - extents[0].first));
    char stream[HF_SPOOL_STREAM_TEXT];
    (void)snprintf(stream, sizeof(stream), "%s", hf_spool_store_stream(bench.store));
    bench_close(&bench);
    hf_simfs_power_cut(bench.fs, 5);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(count_gone(&bench, (BATCHES + 2) * PER_BATCH), gone);
    ck_assert_str_eq(hf_spool_store_stream(bench.store), stream);
    bench_done(&bench);
}
END_TEST

/* What could not be read comes to an end: the place after it is known, and the gap is counted. */
START_TEST(what_is_missing_at_the_end_is_passed_over)
{
    struct bench bench;
    struct hf_spool_extent extents[64];
    struct hf_spool_record records[256];
    struct hf_spool_read read = {.records = records, .max = HF_LEN(records), .bytes = HF_BUF_INIT(1 << 20)};
    struct hf_spool_place place = {.next = 1};

    fill(&bench, 4);
    size_t n = hf_spool_store_extents(bench.store, 0, extents, HF_LEN(extents));
    flip(&bench, "/spool/0000000000000001.seg", extents[0].end - 3000, 2000);
    ck_assert_int_eq(
        hf_spool_read_records(hf_simfs_ops(bench.fs), "/spool", extents, n, 4 * PER_BATCH, &place, &read, NULL), 0);
    ck_assert_uint_eq(read.next, 4 * PER_BATCH + 1);
    ck_assert_uint_gt(read.missing, 0);
    ck_assert_uint_eq(read.n + read.missing, 4 * PER_BATCH);
    hf_buf_done(&read.bytes);
    bench_done(&bench);
}
END_TEST

START_TEST(segments_of_other_sizes_are_used_up)
{
    struct bench bench;

    fill(&bench, BATCHES);
    bench_close(&bench);
    bench.segment_bytes = 2 * SEGMENT;
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).bytes, 2 * SEGMENT);
    for (unsigned b = 0; b < 40; b++)
        ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).bytes, 2 * SEGMENT + 4 * SEGMENT);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, hf_spool_store_stats(bench.store).next - 1, NULL), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).bytes, 4 * SEGMENT); /* the last one and a spare */
    bench_close(&bench);
    ck_assert_int_eq(bench_open(&bench), 0);
    bench_done(&bench);
}
END_TEST

START_TEST(a_full_disk_drops_the_oldest_or_says_so)
{
    struct bench bench;
    int r = 0;

    bench_init(&bench);
    bench.when_full = _i == 0 ? HF_SPOOL_BLOCK : HF_SPOOL_DROP_OLDEST;
    ck_assert_int_eq(bench_open(&bench), 0);
    hf_simfs_set_limit(bench.fs, "/", 3 * SEGMENT);
    for (unsigned b = 0; b < 100 && r == 0; b++)
        r = write_batch(&bench, b * PER_BATCH % HF_LEN(bench.sequences), PER_BATCH);
    ck_assert_int_eq(r, _i == 0 ? -ENOSPC : 0);
    hf_simfs_set_limit(bench.fs, "/", 0);
    ck_assert_int_eq(write_batch(&bench, 0, PER_BATCH), 0);
    bench_done(&bench);
}
END_TEST

/* Whoever got no answer comes again: what was delivered last can still be asked, but never in the way of something
 * new. */
START_TEST(the_past_is_kept_while_there_is_room)
{
    struct bench bench;

    fill(&bench, 3 * BATCHES);
    ck_assert_uint_ge(hf_spool_store_stats(bench.store).segments, 4);
    ck_assert_int_eq(hf_spool_store_deliver(bench.store, hf_spool_store_stats(bench.store).next - 1, NULL), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).segments, 2);
    bench_close(&bench);
    bench.max_bytes = 3 * SEGMENT;
    ck_assert_int_eq(bench_open(&bench), 0);
    struct hf_spool_extent before, after;
    int r = 0;
    ck_assert_uint_eq(hf_spool_store_extents(bench.store, 0, &before, 1), 1);
    for (unsigned i = 0; r == 0; i++)
        r = write_batch(&bench, i % BATCHES * PER_BATCH, PER_BATCH);
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_uint_eq(hf_spool_store_extents(bench.store, 0, &after, 1), 1);
    ck_assert_uint_gt(after.first, before.first); /* the old one's room was used */
    bench_done(&bench);
}
END_TEST

static void see_item(void *arg, struct hf_view payload)
{
    unsigned *seen = arg, item;

    ck_assert_int_eq(sscanf(payload.p, "item-%u-", &item), 1);
    seen[item]++;
}

/* Each write that fails ends a segment early. What was delivered before can still be asked, within a bound. */
START_TEST(short_segments_do_not_use_up_the_past)
{
    unsigned seen[3 * BATCHES * PER_BATCH] = {0};
    struct bench bench;

    fill(&bench, BATCHES);
    hf_simfs_count_only(bench.fs, HF_SIMFS_WRITES);
    for (unsigned i = 0; i < 3 * HF_SPOOL_PAST_MAX; i++) {
        hf_simfs_fail_at(bench.fs, 2, EIO, 0); /* the sync */
        ck_assert_int_lt(write_batch(&bench, BATCHES * PER_BATCH, PER_BATCH), 0);
        hf_simfs_fail_at(bench.fs, 0, 0, 0);
        ck_assert_int_eq(write_batch(&bench, (BATCHES + 1) * PER_BATCH, PER_BATCH), 0);
        ck_assert_int_eq(hf_spool_store_deliver(bench.store, hf_spool_store_stats(bench.store).next - 1, NULL), 0);
        ck_assert_uint_le(hf_spool_store_stats(bench.store).segments, HF_SPOOL_PAST_MAX + 2);
        if (i != HF_SPOOL_PAST_MAX / 2)
            continue;
        ck_assert_int_eq(hf_spool_recent(hf_simfs_ops(bench.fs), "/spool", HF_LEN(seen), HF_LEN(seen), see_item, seen),
                         0);
        for (unsigned item = (BATCHES - 1) * PER_BATCH; item < BATCHES * PER_BATCH; item++)
            ck_assert_msg(seen[item] == 1, "item %u is forgotten", item);
    }
    bench_done(&bench);
}
END_TEST

START_TEST(a_full_disk_does_not_keep_it_from_opening)
{
    struct bench bench;

    fill(&bench, BATCHES);
    ck_assert_int_eq(prepare(bench.store), 0);
    bench_close(&bench);
    hf_simfs_delete(bench.fs, "/spool/stream");
    hf_simfs_set_limit(bench.fs, "/", 4096);
    ck_assert_int_eq(bench_open(&bench), -ENOSPC);
    hf_simfs_set_limit(bench.fs, "/", 0);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_int_eq(prepare(bench.store), 0);
    bench_close(&bench);
    hf_simfs_delete(bench.fs, "/spool/stream");
    hf_simfs_set_limit(bench.fs, "/", 3 * SEGMENT); /* what is there, without a byte more */
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(count_gone(&bench, BATCHES * PER_BATCH), 0);
    bench_done(&bench);
}
END_TEST

/* A cursor file as version 1 wrote it before the two slots had code of their own: counter 2 in slot 0, counter 3 in
 * slot 1. */
static const struct {
    size_t at, n;
    const char *bytes;
} old_cursor[] = {
    {0, 40,
     "\x31\x43\x46\x48\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"
     "\x00\x00\x00\x00\x00\x00\x00\x00\x9d\xee\x14\x18"},
    {4096, 40,
     "\x31\x43\x46\x48\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"
     "\x00\x00\x00\x00\x00\x00\x00\x00\x6e\x7d\xc5\xe3"},
};

START_TEST(a_cursor_of_older_code_is_read_and_continued)
{
    unsigned char file[4136] = {0};
    struct bench bench;
    size_t n;

    for (size_t i = 0; i < HF_LEN(old_cursor); i++)
        memcpy(file + old_cursor[i].at, old_cursor[i].bytes, old_cursor[i].n);
    bench_init(&bench);
    hf_simfs_mkdir(bench.fs, "/spool", 0700);
    hf_simfs_put(bench.fs, "/spool/cursor", file, sizeof(file), 0600);
    ck_assert_int_eq(bench_open(&bench), 0);
    ck_assert_uint_eq(hf_spool_store_stats(bench.store).delivered, 2);
    struct hf_spool_record record = {.payload = HF_VIEW("x")};
    size_t done;
    ck_assert_int_eq(hf_spool_store_write(bench.store, &record, 1, &done, NULL),
                     0); /* saves the cursor: a new segment */
    const unsigned char *now = hf_simfs_get(bench.fs, "/spool/cursor", &n);
    ck_assert_uint_eq(n, sizeof(file));
    ck_assert_uint_eq(now[8], 4); /* by the new segment */
    ck_assert_uint_eq(now[16], 2);
    ck_assert_uint_eq(now[24], 3);
    ck_assert_mem_eq(now + 4096, file + 4096, sizeof(file) - 4096);
    bench_done(&bench);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_cursor_of_older_code_is_read_and_continued);
    tcase_add_test(tc, a_full_disk_does_not_keep_it_from_opening);
    tcase_add_test(tc, the_past_is_kept_while_there_is_room);
    tcase_add_test(tc, short_segments_do_not_use_up_the_past);
    tcase_add_loop_test(tc, one_header_is_enough, 0, 2);
    tcase_add_test(tc, damage_in_the_last_segment_costs_what_it_covers);
    tcase_add_test(tc, a_torn_write_uses_up_its_sequences);
    tcase_add_loop_test(tc, a_cut_behind_a_torn_write_gives_no_sequence_twice, 0, 2);
    tcase_add_loop_test(tc, what_a_torn_write_left_is_never_read, 0, 2);
    tcase_add_test(tc, a_medium_that_cannot_be_read_costs_what_it_covers);
    tcase_add_loop_test(tc, files_deleted_under_us, 0, (int)HF_LEN(deleted));
    tcase_add_test(tc, what_is_missing_at_the_end_is_passed_over);
    tcase_add_test(tc, segments_of_other_sizes_are_used_up);
    tcase_add_loop_test(tc, a_full_disk_drops_the_oldest_or_says_so, 0, 2);
    tcase_add_loop_test(tc, a_stream_never_gives_a_sequence_twice, 0, (int)HF_LEN(wiped));
    tcase_add_test(tc, what_is_written_is_read_in_order_once);
    tcase_add_test(tc, what_waits_is_known_in_bytes);
    tcase_add_loop_test(tc, disk_reserve, 0, 2);
    tcase_add_loop_test(tc, power_cut_at_every_call, 0, (int)HF_LEN(rooms));
    tcase_add_loop_test(tc, journal_lost_at_every_call, 0, (int)HF_LEN(segment_sizes));
    tcase_add_test(tc, what_was_read_at_open_stays);
    tcase_add_test(tc, the_cursor_survives_a_kill_and_then_a_power_cut);
    tcase_add_test(tc, the_cursor_survives_a_kill_and_then_a_power_cut_in_a_drop);
    tcase_add_test(tc, a_cursor_that_is_made_again_is_durable);
    tcase_add_test(tc, what_a_failed_sync_left_in_the_cache_is_durable_once_read);
    tcase_add_loop_test(tc, error_at_every_call, 0, (int)(HF_LEN(codes) * 2));
    tcase_add_loop_test(tc, what_a_failed_write_left_is_never_read, 0, (int)HF_LEN(codes));
    tcase_add_test(tc, a_read_that_fails_once_at_open_costs_nothing);
    tcase_add_test(tc, a_full_disk_does_not_stop_the_cursor);
    tcase_add_loop_test(tc, failed_writes_leave_no_files, 0, 2);
    tcase_add_test(tc, what_a_failed_write_left_is_not_read_after_an_empty_segment_goes);
    tcase_add_loop_test(tc, an_error_while_opening_loses_nothing_that_is_read, 0, (int)HF_LEN(codes));
    tcase_add_test(tc, full_blocks_or_drops_the_oldest);
    tcase_add_test(tc, damage_costs_what_it_covers);
    tcase_add_loop_test(tc, lost_files_are_survived, 0, 4);
}
HF_TEST_MAIN_CPU("spool/store", cases, 120)
