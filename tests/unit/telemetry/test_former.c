/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that former sinks left: which go, which stay, and that nothing else is touched, over power cuts too. */
#include "telemetry/sink/former.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/look.h"
#include "spool/store.h"
#include "support/check_main.h"
#include "support/fakes/simtele.h"

/* ---- the decision ------------------------------------------------------------------------------------------------ */

static struct hf_former_folder folder_of(unsigned number, bool waits, uint64_t bytes)
{
    struct hf_former_folder folder = {.newest_unix_ns = 1000 - number, .waits = waits, .bytes = bytes};

    (void)snprintf(folder.name, sizeof(folder.name), "s%u", number);
    return folder;
}

/* Folder 0 is the newest. r: removed, t: trimmed, k: kept. */
static const struct row {
    const char *waits; /* of each folder, newest first: w or - */
    uint64_t limit;
    const char *expected;
    uint64_t trimmed;
} rows[] = {
    {"", 0, "", 0},
    {"-", UINT64_MAX, "r", 0},
    {"w-w", UINT64_MAX, "krk", 0},
    {"ww", 200, "kk", 0},
    {"ww", 199, "kt", 1},
    {"ww", 101, "kt", 99},
    {"ww", 100, "kr", 0},
    {"w-w", 150, "krt", 50},
    {"ww", 30, "tr", 70},
    {"ww", 0, "rr", 0},
    {"wwwwwwwwwwwwwwww", UINT64_MAX, "kkkkkkkkkkkkkkkk", 0},
    {"wwwwwwwwwwwwwwwww", UINT64_MAX, "kkkkkkkkkkkkkkkkr", 0},
    {"wwwwwwwwwwwwwwwwwww", 1550, "kkkkkkkkkkkkkkktrrr", 50},
};

START_TEST(decides_by_age_number_and_bytes)
{
    const struct row *row = &rows[_i];
    struct hf_former_folder folders[32];
    size_t n = strlen(row->waits);
    char result[33] = "";
    uint64_t trimmed = 0;

    for (unsigned i = 0; i < n; i++)
        folders[i] = folder_of(i, row->waits[i] == 'w', 100);
    hf_former_decide(folders, n, row->limit);
    for (size_t i = 0; i < n; i++) {
        const struct hf_former_folder *folder = &folders[i];
        ck_assert(!folder->removed || folder->trim_bytes == 0);
        result[strtoul(folder->name + 1, NULL, 10)] = folder->removed ? 'r' : folder->trim_bytes > 0 ? 't' : 'k';
        trimmed += folder->trim_bytes;
    }
    ck_assert_str_eq(result, row->expected);
    ck_assert_uint_eq(trimmed, row->trimmed);
}
END_TEST

START_TEST(only_drop_oldest_sets_a_limit)
{
    struct hf_telemetry spec = {.buffer_max_bytes = 100, .n_sinks = 1, .when_full = HF_WHEN_FULL_BLOCK};

    ck_assert_uint_eq(hf_former_limit_bytes(&spec), UINT64_MAX);
    spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    ck_assert_uint_eq(hf_former_limit_bytes(&spec), 50);
    spec.n_sinks = 0;
    ck_assert_uint_eq(hf_former_limit_bytes(&spec), 100);
}
END_TEST

/* ---- the job ----------------------------------------------------------------------------------------------------- */

enum { SEGMENT = HF_SPOOL_MIN_SEGMENT_BYTES, PAYLOAD = 1000 };

struct world {
    struct hf_simtele node;
    struct hf_telemetry_sink sink;
    struct hf_telemetry spec;
    unsigned reports;
    uint64_t kept_bytes, dropped;
    size_t kept, removed;
    int failure;
    bool patient, unreadable;
};

static struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));

    hf_simtele_init(&world->node, seed);
    world->sink = (struct hf_telemetry_sink){.name = "present"};
    world->spec = (struct hf_telemetry){.sinks = &world->sink, .n_sinks = 1, .buffer_max_bytes = 1 << 20};
    world->patient = true;
    hf_simtele_boot(&world->node);
    return world;
}

static void world_free(struct world *world)
{
    hf_simtele_halt(&world->node);
    hf_simtele_done(&world->node);
    free(world);
}

static struct hf_spool_store *open_store(const struct world *world, const char *dir)
{
    const struct hf_spool_store_params params = {.fs = world->node.env.fs,
                                                 .rng = world->node.env.rand,
                                                 .dir = dir,
                                                 .segment_bytes = SEGMENT,
                                                 .max_bytes = 8 << 20,
                                                 .when_full = HF_SPOOL_BLOCK};
    struct hf_spool_store *store = NULL;

    ck_assert_int_eq(hf_spool_store_open(&params, &store, NULL), 0);
    return store;
}

/* Appends n records and delivers all of them but the last `wait`. */
static void fill(const struct world *world, const char *dir, unsigned n, unsigned wait)
{
    struct hf_spool_store *store = open_store(world, dir);
    char bytes[PAYLOAD];
    size_t done;

    memset(bytes, 'x', sizeof(bytes));
    for (unsigned i = 0; i < n; i++) {
        struct hf_spool_record record = {.unix_ns = 1, .tag = 1, .payload = {bytes, sizeof(bytes)}};
        ck_assert_int_eq(hf_spool_store_write(store, &record, 1, &done, NULL), 0);
    }
    if (n > wait)
        ck_assert_int_eq(hf_spool_store_deliver(store, n - wait, NULL), 0);
    hf_spool_store_free(store);
}

static uint64_t waiting(const struct world *world, const char *dir)
{
    struct hf_spool_found found;

    ck_assert_int_eq(hf_spool_look(world->node.env.fs, dir, NULL, NULL, &found, NULL), 0);
    return found.waiting;
}

static void take(void *arg, const struct hf_former_result *result)
{
    struct world *world = arg;

    world->reports++;
    world->kept = result->kept;
    world->kept_bytes = result->kept_bytes;
    world->failure = result->err.code;
    world->unreadable = result->unreadable;
    world->dropped = world->removed = 0;
    for (size_t i = 0; i < result->n; i++) {
        world->removed += result->folders[i].removed;
        world->dropped += result->folders[i].dropped;
    }
    hf_former_report(&world->node.env, result);
}

static void run(struct world *world)
{
    unsigned before = world->reports;

    ck_assert_int_eq(hf_former_start(&world->node.env, &world->spec, world->patient, take, world), 0);
    hf_simtele_run_s(&world->node, 1);
    ck_assert_uint_eq(world->reports, before + 1);
}

static bool exists(const struct world *world, const char *path)
{
    struct stat st;

    return hf_simfs_stat(world->node.fs, path, &st);
}

START_TEST(what_waits_stays_and_the_rest_goes)
{
    struct world *world = world_new(1);

    fill(world, "/data/present/bulk", 10, 0);
    fill(world, "/data/delivered/bulk", 100, 0);
    fill(world, "/data/delivered/urgent", 0, 0);
    fill(world, "/data/waits/bulk", 100, 7);
    fill(world, "/data/dead-only/dead", 3, 3);
    hf_simfs_mkdir(world->node.fs, "/data/.former-old", 0700);
    hf_simfs_mkdir(world->node.fs, "/data/.former-old/bulk", 0700);
    hf_simfs_put(world->node.fs, "/data/.former-old/bulk/cursor", "x", 1, 0600);
    run(world);
    ck_assert_int_eq(world->failure, 0);
    ck_assert(exists(world, "/data/present/bulk/stream"));
    ck_assert(!exists(world, "/data/delivered") && !exists(world, "/data/.former-delivered"));
    ck_assert(!exists(world, "/data/.former-old"));
    ck_assert_uint_eq(waiting(world, "/data/waits/bulk"), 7);
    ck_assert_uint_eq(waiting(world, "/data/dead-only/dead"), 3);
    ck_assert_uint_eq(world->kept, 2);
    ck_assert_uint_gt(world->kept_bytes, SEGMENT * 2);
    ck_assert_uint_eq(world->dropped, 0);
    ck_assert_uint_eq(world->removed, 1);
    world_free(world);
}
END_TEST

/* A segment that no agent can read stays for a person. */
START_TEST(damage_stays)
{
    struct world *world = world_new(2);

    fill(world, "/data/harmed/bulk", 10, 0);
    hf_simfs_put(world->node.fs, "/data/harmed/bulk/0000000000000001.seg.damaged", "x", 1, 0600);
    run(world);
    ck_assert(exists(world, "/data/harmed/bulk/0000000000000001.seg.damaged"));
    ck_assert_uint_eq(world->kept, 1);
    world_free(world);
}
END_TEST

START_TEST(other_folders_are_left_alone)
{
    static const char *const paths[] = {"/data/storage.lock",
                                        "/data/sources/bulk/cursor",
                                        "/data/empty",
                                        "/data/more/bulk/notes",
                                        "/data/more/bulk/cursor",
                                        "/data/photos/a.jpg",
                                        "/data/UPPER/bulk/cursor",
                                        "/data/deep/bulk/cursor/x",
                                        "/data/linked/bulk",
                                        "/data/link",
                                        "/data/inner/bulk/cursor",
                                        "/other/bulk/cursor"};
    struct world *world = world_new(3);
    struct hf_simfs *fs = world->node.fs;

    for (size_t i = 0; i < HF_LEN(paths); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s", paths[i]);
        for (char *c = path + 1; (c = strchr(c, '/')) != NULL; *c++ = '/') {
            *c = '\0';
            if (!exists(world, path))
                hf_simfs_mkdir(fs, path, 0700);
        }
        if (strcmp(path, "/data/empty") == 0)
            hf_simfs_mkdir(fs, path, 0700);
        else if (strcmp(path, "/data/link") == 0)
            hf_simfs_symlink(fs, path, "/other");
        else if (strcmp(path, "/data/linked/bulk") == 0)
            hf_simfs_symlink(fs, path, "/other/bulk");
        else if (strcmp(path, "/data/inner/bulk/cursor") == 0)
            hf_simfs_symlink(fs, path, "/other/bulk/cursor");
        else
            hf_simfs_put(fs, path, "x", 1, 0600);
    }
    run(world);
    ck_assert_int_eq(world->failure, 0);
    for (size_t i = 0; i < HF_LEN(paths); i++)
        ck_assert_msg(exists(world, paths[i]) || hf_simfs_link_text(fs, paths[i]) != NULL, "%s is gone", paths[i]);
    ck_assert_uint_eq(world->kept, 0);
    world_free(world);
}
END_TEST

START_TEST(the_oldest_segments_go_first)
{
    struct world *world = world_new(4);

    world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    fill(world, "/data/old/bulk", 200, 200); /* five segments */
    hf_simtele_run_s(&world->node, 1);
    fill(world, "/data/new/bulk", 200, 200);
    run(world); /* 10 segments of 64 KiB; the limit is 512 KiB */
    uint64_t left = waiting(world, "/data/old/bulk");
    ck_assert_uint_eq(waiting(world, "/data/new/bulk"), 200);
    ck_assert(left > 0 && left < 200);
    ck_assert_uint_eq(world->dropped, 200 - left);
    ck_assert_uint_le(world->kept_bytes, 512 << 10);
    ck_assert_uint_eq(world->kept, 2);
    world->spec.buffer_max_bytes = 128 << 10; /* less than the last segment of `new` and its other files */
    run(world);
    ck_assert(!exists(world, "/data/old") && !exists(world, "/data/new"));
    ck_assert_uint_eq(world->dropped, left + 200);
    ck_assert_uint_eq(world->kept_bytes, 0);
    world_free(world);
}
END_TEST

/* A call that fails while a folder is made smaller does not cost the whole folder: the next job goes on. */
START_TEST(a_write_that_fails_removes_no_folder)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct world *world = world_new(n);
        world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
        world->spec.buffer_max_bytes = 512 << 10; /* the limit is 256 KiB */
        fill(world, "/data/old/bulk", 200, 200);  /* five segments */
        hf_simfs_count_only(world->node.fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(world->node.fs, n, EIO, 1);
        run(world);
        failed = hf_simfs_failed(world->node.fs) > 0;
        hf_simfs_fail_at(world->node.fs, 0, 0, 0);
        ck_assert_msg(exists(world, "/data/old/bulk"), "error at call %" PRIu64 ": the folder is gone", n);
        run(world);
        ck_assert_int_eq(world->failure, 0);
        ck_assert_uint_le(world->kept_bytes, 256 << 10);
        ck_assert_uint_gt(waiting(world, "/data/old/bulk"), 50);
        world_free(world);
    }
}
END_TEST

START_TEST(block_drops_nothing_for_bytes)
{
    struct world *world = world_new(5);

    world->spec.buffer_max_bytes = 1;
    fill(world, "/data/old/bulk", 300, 300);
    run(world);
    ck_assert_uint_eq(waiting(world, "/data/old/bulk"), 300);
    ck_assert_uint_gt(world->kept_bytes, 5 * SEGMENT);
    world_free(world);
}
END_TEST

/* The process dies, or the power goes, at any call of the job: the next job finishes, and what waits is still there
 * in whole. */
START_TEST(finishes_after_a_power_cut_at_any_call)
{
    for (uint64_t n = 1;; n++) {
        struct world *world = world_new(n);
        fill(world, "/data/delivered/bulk", 100, 0);
        fill(world, "/data/delivered/urgent", 1, 0);
        fill(world, "/data/waits/bulk", 80, 80);
        hf_simfs_stop_at(world->node.fs, n);
        run(world);
        bool stopped = hf_simfs_stopped(world->node.fs);
        if (_i == 0)
            hf_simfs_kill(world->node.fs);
        else
            hf_simfs_power_cut(world->node.fs, n * 100 + (uint64_t)_i);
        ck_assert(!exists(world, "/data/delivered") || waiting(world, "/data/delivered/bulk") == 0);
        run(world);
        ck_assert_int_eq(world->failure, 0);
        ck_assert(!exists(world, "/data/delivered") && !exists(world, "/data/.former-delivered"));
        ck_assert_uint_eq(waiting(world, "/data/waits/bulk"), 80);
        ck_assert_uint_eq(world->kept, 1);
        world_free(world);
        if (!stopped)
            break;
    }
}
END_TEST

static void name_of(const struct world *world, const char *path, char *ret_text, size_t n)
{
    size_t size = 0;
    const char *text = hf_simfs_get(world->node.fs, path, &size);

    (void)snprintf(ret_text, n, "%.*s", (int)size, text != NULL ? text : "");
}

/* The disk does not give back something of a folder at one moment: the folder stays, with its records and its id. */
START_TEST(a_read_that_fails_costs_nothing)
{
    static const uint64_t times[] = {1, 3};
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct world *world = world_new(n);
        char before[80], after[80];
        fill(world, "/data/waits/bulk", 3, 3);
        name_of(world, "/data/waits/bulk/stream", before, sizeof(before));
        hf_simfs_count_only(world->node.fs, HF_SIMFS_READS);
        hf_simfs_fail_at(world->node.fs, n, EIO, times[_i]);
        run(world);
        failed = hf_simfs_failed(world->node.fs) > 0;
        hf_simfs_fail_at(world->node.fs, 0, 0, 0);
        ck_assert_msg(exists(world, "/data/waits/bulk"), "error at call %" PRIu64 ": the folder is gone", n);
        ck_assert_uint_eq(waiting(world, "/data/waits/bulk"), 3);
        name_of(world, "/data/waits/bulk/stream", after, sizeof(after));
        ck_assert_msg(strcmp(before, after) == 0, "error at call %" PRIu64 ": a new id", n);
        world_free(world);
    }
}
END_TEST

/* A disk that does not give back the first records of any segment. */
static const struct hf_fs_ops *sound;

static ssize_t scratched_pread(void *ctx, int fd, void *bytes, size_t n, uint64_t offset)
{
    return offset >= HF_SPOOL_CONTENT && offset < 4096 ? -EIO : sound->pread(ctx, fd, bytes, n, offset);
}

/* A folder that cannot be read takes more room than it may, but not for ever. */
START_TEST(what_stays_unreadable_is_trimmed_in_the_end)
{
    struct world *world = world_new(7);
    struct hf_fs_ops scratched;

    world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    world->spec.buffer_max_bytes = 512 << 10; /* the limit is 256 KiB */
    fill(world, "/data/old/bulk", 200, 200);
    sound = world->node.env.fs;
    scratched = *sound;
    scratched.pread = scratched_pread;
    world->node.env.fs = &scratched;
    run(world);
    ck_assert_int_eq(world->failure, EIO);
    ck_assert(world->unreadable);
    ck_assert_uint_gt(world->kept_bytes, 256 << 10);
    world->patient = false;
    run(world);
    ck_assert_uint_eq(world->kept, 1);
    ck_assert_uint_le(world->kept_bytes, 256 << 10);
    world->node.env.fs = sound;
    world_free(world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, decides_by_age_number_and_bytes, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, only_drop_oldest_sets_a_limit);
    tcase_add_test(tc, what_waits_stays_and_the_rest_goes);
    tcase_add_test(tc, damage_stays);
    tcase_add_test(tc, other_folders_are_left_alone);
    tcase_add_test(tc, the_oldest_segments_go_first);
    tcase_add_test(tc, a_write_that_fails_removes_no_folder);
    tcase_add_test(tc, block_drops_nothing_for_bytes);
    tcase_add_loop_test(tc, finishes_after_a_power_cut_at_any_call, 0, 4);
    tcase_add_loop_test(tc, a_read_that_fails_costs_nothing, 0, 2);
    tcase_add_test(tc, what_stays_unreadable_is_trimmed_in_the_end);
}

HF_TEST_MAIN("telemetry/former", cases)
