/* SPDX-License-Identifier: Apache-2.0 */
/* Journal and floor: round trips, damage, power cuts. */
#include <errno.h>
#include <string.h>

#include "codec/seal.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "update/install/floor_copy.h"
#include "update/state/committed.h"
#include "update/state/floor.h"
#include "update/state/journal.h"

#define FOLDER "/s/updates/app"

static struct hf_journal sample(void)
{
    struct hf_journal j = {.name = "app",
                           .phase = HF_PHASE_PROBATION,
                           .reason = HF_R_HealthPending,
                           .message = "a \"quoted\" \xc3\xa4 text",
                           .time_unix_ns = 1795161600000000001,
                           .version = "2.0",
                           .sequence = 1ull << 52,
                           .kind = HF_INSTALL_TREE,
                           .path = "/opt/app/current",
                           .size = 123,
                           .from = "1.0",
                           .method = HF_METHOD_DELTA,
                           .no_delta = true,
                           .bytes_fetched = 77,
                           .attempts = 3,
                           .had_old = true,
                           .old_link = "x/y",
                           .made_folder = "/opt/app",
                           .probed = true,
                           .starts = 2,
                           .good_version = "1.0",
                           .good_sequence = 41,
                           .avoid = "b-n",
                           .detour = "the agent died"};

    memset(j.digest, 'a', 64);
    memset(j.bad_digest, '0', 64);
    return j;
}

/* The seal is right, but the object is none that this agent can decode. */
START_TEST(committed_of_a_stranger)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *object = json_pack("{s:s}", "kind", "Banana");
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_edgeupdate *update = NULL;
    struct hf_err err = HF_ERR_INIT;
    bool rotated = true;
    size_t n;

    hf_simfs_mkdir(fs, FOLDER, 0700);
    ck_assert_int_eq(hf_committed_format(object, &text), 0);
    ck_assert_int_eq(hf_committed_save(hf_simfs_ops(fs), FOLDER, hf_buf_view(&text), "x", &rotated, NULL), 0);
    ck_assert(!rotated);
    ck_assert_int_eq(hf_committed_load(hf_simfs_ops(fs), FOLDER, "x", &update, &err), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(err.where, "committed.damaged"));
    ck_assert_ptr_nonnull(hf_simfs_get(fs, FOLDER "/committed.damaged", &n));
    ck_assert_int_eq(hf_committed_load(hf_simfs_ops(fs), FOLDER, "x", &update, &err), -ENOENT);
    ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
    hf_simfs_free(fs);
}
END_TEST

START_TEST(round_trip)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), again = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_json_freep) json_t *release = json_pack("{s:s}", "kind", "EdgeUpdate"), *back = NULL;
    struct hf_journal j = sample(), k;

    ck_assert_int_eq(hf_journal_format(&j, release, &text), 0);
    ck_assert_int_eq(hf_journal_parse(hf_buf_view(&text), &k, &back, NULL), 0);
    ck_assert(json_equal(release, back));
    ck_assert_int_eq(hf_journal_format(&k, back, &again), 0);
    ck_assert_str_eq(hf_buf_str(&text), hf_buf_str(&again));
    ck_assert_uint_eq(k.sequence, j.sequence);
    ck_assert_str_eq(k.message, j.message);
    ck_assert_str_eq(k.avoid, j.avoid);
    ck_assert_str_eq(k.detour, j.detour);
    ck_assert(k.phase == j.phase && k.kind == j.kind && k.method == j.method && k.probed && !k.restarted);
}
END_TEST

/* The seal detects every flipped bit and every cut. */
START_TEST(damage_is_noticed)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct hf_journal j = sample(), k;
    json_t *release = NULL;

    ck_assert_int_eq(hf_journal_format(&j, NULL, &text), 0);
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] = (char)(text.p[i] ^ 1);
        int r = hf_journal_parse(hf_buf_view(&text), &k, &release, NULL);
        ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP, "byte %zu: %d", i, r);
        text.p[i] = (char)(text.p[i] ^ 1);
        ck_assert_int_eq(hf_journal_parse((struct hf_view){text.p, i}, &k, &release, NULL), -EBADMSG);
    }
    ck_assert_ptr_null(release);
}
END_TEST

/* A valid seal around an invalid journal. */
START_TEST(wrong_fields)
{
    static const struct {
        const char *name, *json;
    } rows[] = {
        {"no object", "[]"},
        {"phase", "{\"phase\":\"Sleeping\"}"},
        {"reason", "{\"phase\":\"Idle\",\"reason\":7}"},
        {"kind", "{\"phase\":\"Idle\",\"reason\":\"\",\"kind\":\"Disk\",\"method\":\"\"}"},
        {"method", "{\"phase\":\"Idle\",\"reason\":\"\",\"kind\":\"File\",\"method\":\"Magic\"}"},
        {"missing", "{\"phase\":\"Idle\",\"reason\":\"\",\"kind\":\"File\",\"method\":\"\"}"},
        {"no json", "{"},
    };
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
        struct hf_journal k;
        json_t *release = NULL;
        ck_assert_int_eq(hf_seal_format("journal", 1, hf_view_of(rows[i].json), &text), 0);
        ck_assert_msg(hf_journal_parse(hf_buf_view(&text), &k, &release, NULL) == -EBADMSG, "%s", rows[i].name);
    }
}
END_TEST

/* A valid journal with one wrong field at a time. */
START_TEST(each_field_is_checked)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    _cleanup_(hf_json_freep) json_t *good = NULL;
    struct hf_journal j = sample(), k;
    struct hf_view body;
    const char *key;
    json_t *value;

    ck_assert_int_eq(hf_journal_format(&j, NULL, &text), 0);
    ck_assert_int_eq(hf_seal_open(hf_buf_view(&text), "journal", 1, &body, NULL), 0);
    ck_assert_int_eq(hf_json_parse(body, NULL, &good, NULL), 0);
    json_object_foreach(good, key, value) {
        json_t *wrong[] = {json_array(), json_integer(-1), json_integer(INT64_MIN), json_string("zz"), json_null()};
        for (size_t i = 0; i < HF_LEN(wrong); i++) {
            _cleanup_(hf_buf_done) struct hf_buf bad = HF_BUF_INIT(1 << 20), sealed = HF_BUF_INIT(1 << 20);
            _cleanup_(hf_json_freep) json_t *changed = json_copy(good);
            json_t *release = NULL;
            bool text_field = json_is_string(value) && i == 3 && strcmp(key, "phase") != 0 &&
                              strcmp(key, "kind") != 0 && strcmp(key, "method") != 0 && strstr(key, "igest") == NULL &&
                              strstr(key, "ha256") == NULL;
            ck_assert_int_eq(json_object_set_new(changed, key, wrong[i]), 0);
            ck_assert_int_eq(hf_json_format(changed, &bad), 0);
            ck_assert_int_eq(hf_seal_format("journal", 1, hf_buf_view(&bad), &sealed), 0);
            int r = hf_journal_parse(hf_buf_view(&sealed), &k, &release, NULL);
            ck_assert_msg(r == (text_field ? 0 : -EBADMSG), "%s case %zu: %d", key, i, r);
        }
    }
}
END_TEST

START_TEST(files)
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct hf_journal j = sample(), k;
    struct hf_err err = HF_ERR_INIT;
    json_t *release = NULL;
    struct stat st;

    ck_assert_int_eq(hf_journal_load(fs, FOLDER, &k, &release, &err), -ENOENT);
    ck_assert_int_eq(hf_journal_format(&j, NULL, &text), 0);
    ck_assert_int_eq(hf_journal_save(fs, FOLDER, hf_buf_view(&text), &err), 0);
    hf_simfs_power_cut(sim, 1);
    ck_assert_int_eq(hf_journal_load(fs, FOLDER, &k, &release, &err), 0);
    ck_assert_str_eq(k.version, "2.0");
    hf_simfs_put(sim, FOLDER "/journal", text.p, text.n - 1, 0600);
    ck_assert_int_eq(hf_journal_load(fs, FOLDER, &k, &release, &err), -EBADMSG);
    ck_assert(hf_simfs_stat(sim, FOLDER "/journal.damaged", &st) && !hf_simfs_stat(sim, FOLDER "/journal", &st));
    ck_assert_ptr_nonnull(strstr(err.where, "journal.damaged"));
    hf_simfs_put(sim, FOLDER "/journal", "holdfast-journal 2 abc\n{}", 25, 0600);
    ck_assert_int_eq(hf_journal_load(fs, FOLDER, &k, &release, &err), -EBADMSG);
    hf_simfs_free(sim);
}
END_TEST

static int raise_floor(const struct hf_fs_ops *fs, uint64_t sequence)
{
    static const char digest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct hf_sequence_history history = {.n_used = 0};

    hf_sequence_commit(&history, sequence, digest);
    return hf_floor_save(fs, FOLDER, &history, NULL);
}

START_TEST(floor_takes_the_higher_good_copy)
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct hf_sequence_history floor;
    unsigned damaged;

    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert_uint_eq(floor.top.sequence, 0);
    ck_assert_int_eq(raise_floor(fs, 42), 0);
    ck_assert_int_eq(raise_floor(fs, 7), 0);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 42 && damaged == 0);
    for (int copy = 0; copy < 2; copy++) {
        hf_simfs_put(sim, copy == 0 ? FOLDER "/floor.0" : FOLDER "/floor.1", "rubbish\n", 8, 0600);
        ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
        ck_assert(floor.top.sequence == 42 && damaged == 1);
        ck_assert_int_eq(raise_floor(fs, 0), 0); /* repairs */
    }
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 42 && damaged == 0);
    /* A valid seal around an invalid number. */
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1024);
    ck_assert_int_eq(hf_seal_format("floor", 3, HF_VIEW("{\"top\":{\"sequence\":\"4x2\"}}"), &text), 0);
    hf_simfs_put(sim, FOLDER "/floor.0", text.p, text.n, 0600);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 42 && damaged == 1);
    hf_simfs_free(sim);
}
END_TEST

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void put_lines(struct hf_simfs *sim, const char *lines)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    ck_assert_int_eq(hf_seal_format("floor", 2, (struct hf_view){lines, strlen(lines)}, &text), 0);
    hf_simfs_put(sim, FOLDER "/floor.0", text.p, text.n, 0600);
    hf_simfs_put(sim, FOLDER "/floor.1", text.p, text.n, 0600);
}

/* An upgrade of the agent must not open the way for an old release. */
START_TEST(floor_of_an_earlier_agent)
{
    static const char *const bad[] = {"top x -\ncurrent 9 -\n", "top 12 -\n", "top 12 zz\ncurrent 9 -\n",
                                      "top 12 -\ncurrent 9 -\nused -\n", "top 12 -\ncurrent 9 -\nother 1\n"};
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct hf_sequence_history floor;
    unsigned damaged;

    put_lines(sim, "top 12 " DIGEST_A "\ncurrent 9 -\nused " DIGEST_B "\n");
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 12 && floor.current.sequence == 9 && damaged == 0);
    ck_assert_str_eq(floor.top.digest, DIGEST_A);
    ck_assert_str_eq(floor.current.digest, "");
    ck_assert_uint_eq(floor.n_used, 1);
    ck_assert_str_eq(floor.used[0], DIGEST_B);
    ck_assert_int_eq(raise_floor(fs, 13), 0); /* both files have the present format now */
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 13 && floor.n_used == 1 && damaged == 0);
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        put_lines(sim, bad[i]);
        ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
        ck_assert_msg(floor.top.sequence == 0 && damaged == 2, "%s", bad[i]);
    }
    hf_simfs_free(sim);
}
END_TEST

/* One bad sector costs nothing: the other file has the floor, and the next save replaces the one that cannot be read.
 * With both, or with nothing beside it, nobody knows the floor, and no save may lower it. */
START_TEST(floor_that_cannot_be_read)
{
    static const char *const copies[] = {FOLDER "/floor.0", FOLDER "/floor.1"};
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);
    struct hf_sequence_history floor;
    unsigned damaged;

    ck_assert_int_eq(raise_floor(fs, 42), 0);
    hf_simfs_set_unreadable(sim, copies[_i], true);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 42 && damaged == 1);
    ck_assert_int_eq(raise_floor(fs, 43), 0);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 43 && damaged == 0);

    hf_simfs_set_unreadable(sim, copies[_i], true);
    hf_simfs_delete(sim, copies[1 - _i]);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), -EIO);
    ck_assert_int_eq(raise_floor(fs, 7), -EIO);
    hf_simfs_set_unreadable(sim, copies[_i], false);
    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    ck_assert(floor.top.sequence == 43 && damaged == 0);
    hf_simfs_free(sim);
}
END_TEST

/* The floor never decreases, at whatever call the power fails. */
START_TEST(floor_power_cut)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simfs *sim = hf_simfs_new();
        const struct hf_fs_ops *fs = hf_simfs_ops(sim);
        struct hf_sequence_history floor;
        unsigned damaged;
        ck_assert_int_eq(raise_floor(fs, 5), 0);
        hf_simfs_stop_at(sim, n);
        int r = raise_floor(fs, 9);
        bool stopped = hf_simfs_stopped(sim);
        hf_simfs_power_cut(sim, n);
        ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
        ck_assert_msg((floor.top.sequence == 9 || (r < 0 && floor.top.sequence == 5)) && damaged == 0, "call %d",
                      (int)n);
        hf_simfs_free(sim);
        if (!stopped)
            break;
    }
}
END_TEST

/* The disk gives one error at call n of the first save, the next save says that it is done, and the power goes. Returns
 * false if the save has fewer than n calls. */
static bool save_again(uint64_t n, int (*save)(const struct hf_fs_ops *fs, uint64_t sequence),
                       uint64_t (*load)(const struct hf_fs_ops *fs))
{
    struct hf_simfs *sim = hf_simfs_new();
    const struct hf_fs_ops *fs = hf_simfs_ops(sim);

    hf_simfs_mkdir(sim, "/s/updates", 0700);
    hf_simfs_mkdir(sim, "/opt/edge", 0755);
    hf_simfs_count_only(sim, HF_SIMFS_WRITES);
    hf_simfs_fail_at(sim, n, EIO, 1);
    int r = save(fs, 7);
    bool failed = hf_simfs_failed(sim) > 0;
    hf_simfs_fail_at(sim, 0, 0, 0);
    ck_assert_int_eq(r < 0 ? save(fs, 7) : 0, 0);
    hf_simfs_power_cut(sim, HF_SIMFS_LOSE_ALL);
    ck_assert_msg(load(fs) == 7, "error at call %u: the floor is %u", (unsigned)n, (unsigned)load(fs));
    hf_simfs_free(sim);
    return failed;
}

static uint64_t floor_of(const struct hf_fs_ops *fs)
{
    struct hf_sequence_history floor;
    unsigned damaged;

    ck_assert_int_eq(hf_floor_load(fs, FOLDER, &floor, &damaged, NULL), 0);
    return floor.top.sequence;
}

static const char *const roots[] = {"/opt/edge", NULL};

static int save_copy(const struct hf_fs_ops *fs, uint64_t sequence)
{
    const struct hf_target target = {.fs = fs, .roots = roots, .path = "/opt/edge/bin", .release = "edge"};
    struct hf_sequence_history history = {.n_used = 0};

    hf_sequence_commit(&history, sequence, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    return hf_floor_copy_save(&target, &history, NULL);
}

static uint64_t copied_floor(const struct hf_fs_ops *fs)
{
    const struct hf_target target = {.fs = fs, .roots = roots, .path = "/opt/edge/bin", .release = "edge"};
    struct hf_sequence_history found = {.n_used = 0};

    (void)!hf_floor_copy_load(&target, &found, NULL);
    return found.top.sequence;
}

START_TEST(floor_outlasts_an_error)
{
    uint64_t n = 1;

    while (_i == 0 ? save_again(n, raise_floor, floor_of) : save_again(n, save_copy, copied_floor))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

/* The installed version is the new one from Probation on, and the one before the update before it and after a rollback
 * that has restored it. */
START_TEST(installed)
{
    static const char *const want[HF_PHASE_COUNT] = {
        [HF_PHASE_IDLE] = "1.0",        [HF_PHASE_WAITING] = "1.0",      [HF_PHASE_FETCHING] = "1.0",
        [HF_PHASE_PATCHING] = "1.0",    [HF_PHASE_VERIFIED] = "1.0",     [HF_PHASE_SWAPPING] = "",
        [HF_PHASE_PROBATION] = "2.0",   [HF_PHASE_COMMITTED] = "2.0",    [HF_PHASE_ROLLING_BACK] = "",
        [HF_PHASE_ROLLED_BACK] = "1.0", [HF_PHASE_INCOMPATIBLE] = "1.0", [HF_PHASE_REJECTED] = "1.0"};

    for (enum hf_phase phase = HF_PHASE_IDLE; phase < HF_PHASE_COUNT; phase++) {
        struct hf_journal j = {.phase = phase, .version = "2.0", .good_version = "1.0", .from = "1.0"};
        ck_assert_msg(strcmp(hf_journal_installed(&j), want[phase]) == 0, "%s: '%s'", hf_phase_name(phase),
                      hf_journal_installed(&j));
        j.reason = HF_R_RollbackFailed;
        if (phase == HF_PHASE_ROLLED_BACK)
            ck_assert_str_eq(hf_journal_installed(&j), "");
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, committed_of_a_stranger);
    tcase_add_test(tc, damage_is_noticed);
    tcase_add_test(tc, wrong_fields);
    tcase_add_test(tc, each_field_is_checked);
    tcase_add_test(tc, files);
    tcase_add_test(tc, floor_takes_the_higher_good_copy);
    tcase_add_test(tc, floor_of_an_earlier_agent);
    tcase_add_loop_test(tc, floor_that_cannot_be_read, 0, 2);
    tcase_add_test(tc, floor_power_cut);
    tcase_add_test(tc, installed);
    tcase_add_loop_test(tc, floor_outlasts_an_error, 0, 2);
}

HF_TEST_MAIN("update/journal", cases)
