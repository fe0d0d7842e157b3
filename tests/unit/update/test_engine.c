/* SPDX-License-Identifier: Apache-2.0 */
/* The updater as a whole, on virtual time and a virtual disk: what an operator sees of each kind of update. */
#include <errno.h>
#include <fcntl.h>

#include "base/format.h"
#include "support/fakes/simwalk.h"
#include "update/rules/pod_starter.h"
#include "update_world.h"

/* begin() and some minutes: for a release that never settles. */
static void try_to(const struct hf_sim_release *release)
{
    begin(release);
    hf_simupdate_run_for(w, 5 * 60 * HF_NS_PER_S);
}

/* ---- the main job ------------------------------------------------------------------------------------------------ */

START_TEST(delta)
{
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.method, "Delta");
    ck_assert(seen.bytes_fetched > 0 && seen.bytes_fetched < 5000);
    ck_assert_uint_eq(seen.attempts, 1);
    expect_target("v2");
    ck_assert_str_eq(w->running, "v2");
    ck_assert_uint_eq(w->restarts, 1);
    expect_clean();
}
END_TEST

/* v1 to v3 over v2: two downloads, one swap. */
static const struct hf_sim_release by_two = {.content = "v3", .delta_from = "v1", .via = "v2"};

START_TEST(two_deltas)
{
    update_to(&by_two);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.method, "Delta");
    ck_assert(seen.bytes_fetched > 0 && seen.bytes_fetched < 5000);
    ck_assert_uint_eq(hf_fake_http_count(w->http), 2);
    ck_assert_uint_eq(seen.attempts, 1);
    ck_assert_uint_eq(w->restarts, 1);
    expect_target("v3");
    expect_clean();
}
END_TEST

#define BETWEEN "/opt/app/bin/.holdfast-app.step"

/* Run until the first of the two deltas is applied. */
static void run_to_between(void)
{
    size_t n;

    begin(&by_two);
    for (unsigned i = 0; i < 100000 && hf_simfs_get(w->fs, BETWEEN, &n) == NULL; i++)
        hf_simupdate_run_for(w, 1000);
    ck_assert_ptr_nonnull(hf_simfs_get(w->fs, BETWEEN, &n));
    ck_assert_uint_eq(n, HF_SIM_CONTENT);
    expect_target("v1");
}

/* If the agent dies between the two, the next process keeps the intermediate file. */
START_TEST(two_deltas_and_a_restart)
{
    run_to_between();
    hf_simupdate_stop(w);
    ck_assert(hf_strmap_remove(&w->files, "http://files/v1-v2.delta")); /* gone from the server */
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Delta");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* Somebody replaces or removes the intermediate file between the two deltas; with and without a restart. */
START_TEST(the_file_between_is_spoilt)
{
    run_to_between();
    if (_i / 2 == 0)
        hf_simfs_put(w->fs, BETWEEN, "other", 5, 0600);
    else
        hf_simfs_delete(w->fs, BETWEEN);
    if (_i % 2 == 0) {
        hf_simupdate_stop(w);
        hf_simupdate_boot(w);
    }
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, _i % 2 == 0 ? "Delta" : "Full");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* Another release is wanted by then: no file of the first one remains. */
START_TEST(another_one_between)
{
    run_to_between();
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1", .sequence = 3});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_clean();
}
END_TEST

START_TEST(whole_file)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.method, "Full");
    ck_assert_uint_eq(seen.bytes_fetched, HF_SIM_CONTENT);
    expect_clean();
}
END_TEST

START_TEST(packed_file)
{
    update_to(&(struct hf_sim_release){.content = "v2", .packed = true});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_clean();
}
END_TEST

START_TEST(one_after_the_other)
{
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1", .sequence = 2});
    update_to(&(struct hf_sim_release){.content = "v3", .delta_from = "v2", .sequence = 3});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_str_eq(seen.from, "v2");
    ck_assert_str_eq(seen.method, "Delta");
    ck_assert(seen.sequence == 3 && strcmp(seen.version, "v3") == 0);
    expect_clean();
}
END_TEST

START_TEST(tree)
{
    static const char app[] = "/opt/app/current/bin/app";
    struct stat st;

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v1", .tree = true, .sequence = 1});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, app), "v1");
    ck_assert_str_eq(hf_simupdate_target(w, "/opt/app/current/bin/twin"), "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .tree = true, .packed = true});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, app), "v2");
    expect_clean();
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .tree = true, .sequence = 3});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_str_eq(hf_simupdate_target(w, app), "v2");
    ck_assert(!hf_simfs_stat(w->fs, "/opt/app/.holdfast-app.new", &st));
    expect_clean();
}
END_TEST

#define TREE_BETWEEN "/opt/app/.holdfast-app.step"

/* A folder by two deltas of archives; in the second case the agent dies between the two, and the first delta is
 * gone. */
START_TEST(tree_by_two_deltas)
{
    struct stat st;

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v1", .tree = true, .canonical = true, .sequence = 1});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    size_t before = hf_fake_http_count(w->http);
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v3", .delta_from = "v1", .via = "v2", .tree = true, .canonical = true});
    if (_i == 1) {
        for (unsigned i = 0; i < 100000 && !hf_simfs_stat(w->fs, TREE_BETWEEN, &st); i++)
            hf_simupdate_run_for(w, 1000);
        ck_assert(hf_simfs_stat(w->fs, TREE_BETWEEN, &st));
        hf_simupdate_stop(w);
        ck_assert(hf_strmap_remove(&w->files, "http://files/v1-v2.delta"));
        hf_simupdate_boot(w);
    }
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Delta");
    if (_i == 0)
        ck_assert_uint_eq(hf_fake_http_count(w->http) - before, 2);
    ck_assert_str_eq(hf_simupdate_target(w, "/opt/app/current/bin/app"), "v3");
    ck_assert_str_eq(hf_simupdate_target(w, "/opt/app/current/bin/twin"), "v3");
    ck_assert(!hf_simfs_stat(w->fs, TREE_BETWEEN, &st));
    expect_clean();
}
END_TEST

START_TEST(first_install)
{
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    struct stat st;
    ck_assert(hf_simfs_stat(w->fs, HF_SIM_TARGET, &st) && (st.st_mode & 07777) == 0755);
    expect_clean();
}
END_TEST

START_TEST(first_install_comes_back)
{
    struct stat st;

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken"});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    expect_target("absent");
    ck_assert_str_eq(w->running, "");
    ck_assert(!hf_simfs_stat(w->fs, "/opt/app", &st)); /* made for this install, removed with it */
    expect_clean();
}
END_TEST

START_TEST(nothing_to_restart_or_check)
{
    update_to(&(struct hf_sim_release){.content = "v2", .no_restart = true, .no_checks = true});
    expect("app", HF_PHASE_COMMITTED, "NoHealthChecks");
    ck_assert_uint_eq(w->restarts, 0);
    expect_clean();
}
END_TEST

START_TEST(installed_already)
{
    hf_simupdate_put_old(w, "v2");
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_COMMITTED, "AlreadyInstalled");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, 0);
    ck_assert_uint_eq(w->restarts, 0);
    expect_clean();
}
END_TEST

START_TEST(owner_mode_and_attributes)
{
    struct stat st;
    char value[32] = "";

    hf_simupdate_put_old(w, "v1");
    hf_simfs_chown(w->fs, HF_SIM_TARGET, 33, 44);
    hf_simfs_set_xattr(w->fs, HF_SIM_TARGET, "security.capability", "cap");
    hf_simfs_set_xattr(w->fs, HF_SIM_TARGET, "security.ima", "old bytes");
    hf_simfs_chmod(w->fs, HF_SIM_TARGET, 04750);
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    ck_assert(hf_simfs_stat(w->fs, HF_SIM_TARGET, &st));
    ck_assert_uint_eq(st.st_mode & 07777, 04750);
    ck_assert(st.st_uid == 33 && st.st_gid == 44);
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    int fd = fs->openat(fs->ctx, AT_FDCWD, HF_SIM_TARGET, O_RDONLY, 0, 0);
    ck_assert_int_eq((int)fs->fgetxattr(fs->ctx, fd, "security.capability", value, sizeof(value)), 3);
    ck_assert_int_eq((int)fs->fgetxattr(fs->ctx, fd, "security.ima", value, sizeof(value)), -ENODATA);
    (void)fs->close(fs->ctx, fd);
    update_to(&(struct hf_sim_release){
        .content = "v3",
        .sequence = 3,
        .patch = json_pack("{s:{s:{s:{s:s}}}}", "spec", "release", "install", "mode", "0700")});
    ck_assert(hf_simfs_stat(w->fs, HF_SIM_TARGET, &st) && (st.st_mode & 07777) == 0700);
    expect_clean();
}
END_TEST

/* ---- deltas that will not do ------------------------------------------------------------------------------------- */

START_TEST(no_delta_for_this_old_one)
{
    hf_simupdate_put_old(w, "v3");
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Full");
}
END_TEST

/* The memory and disk that a delta needs decide if the node uses it. */
START_TEST(deltas_that_do_not_fit)
{
    static const struct {
        const char *memory;
        const char *disk;
        const char *want;
    } cases[] = {
        {"1Mi", "10Ki", "Delta"}, /* 64 MiB are available, half of them may be used */
        {"32Mi", "10Ki", "Delta"}, {"33Mi", "10Ki", "Full"},
        {"1Mi", "200Ki", "Full"}, /* the new file and the reserve take a part of about 250 KiB */
        {"0", "0", "Delta"},
    };

    hf_simfs_put(w->fs, "/proc/meminfo", "MemAvailable:      65536 kB\n", 28, 0444);
    hf_simupdate_put_old(w, "v1");
    hf_simfs_set_limit(w->fs, "/opt", 250000);
    update_to(&(struct hf_sim_release){
        .content = "v2",
        .delta_from = "v1",
        .delta_requires = json_pack("{s:s, s:s}", "memory", cases[_i].memory, "disk", cases[_i].disk)});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, cases[_i].want);
    expect_target("v2");
    expect_clean();
}
END_TEST

static struct hf_buf *served(const char *url)
{
    struct hf_buf *file = hf_strmap_get(&w->files, url);

    ck_assert_ptr_nonnull(file);
    return file;
}

static void damaged_delta(void (*damage)(struct hf_buf *file))
{
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    damage(served("http://files/v1-v2.delta"));
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Full");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").attempts, 1);
    expect_target("v2");
    expect_clean();
}

static void flip(struct hf_buf *file)
{
    file->p[file->n / 2] ^= 1;
}

static void shorten(struct hf_buf *file)
{
    file->n -= 7;
}

static void lengthen(struct hf_buf *file)
{
    ck_assert_int_eq(hf_buf_add(file, "more", 4), 0);
}

static void remove_it(struct hf_buf *file)
{
    (void)file;
    ck_assert(hf_strmap_remove(&w->files, "http://files/v1-v2.delta"));
}

START_TEST(damaged_deltas)
{
    static void (*const damages[])(struct hf_buf *) = {flip, shorten, lengthen, remove_it};

    damaged_delta(damages[_i]);
}
END_TEST

/* ---- links ------------------------------------------------------------------------------------------------------- */

START_TEST(a_breaking_link)
{
    w->answer = (struct hf_fake_answer){.cut_after = 9000};
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_uint_eq(seen.bytes_fetched, HF_SIM_CONTENT); /* no byte twice */
    ck_assert_uint_eq(seen.attempts, 5);
    ck_assert_ptr_nonnull(strstr(hf_fake_http_asked(w->http, 4)->headers, "Range: bytes=36000-"));
    ck_assert_ptr_nonnull(strstr(hf_fake_http_asked(w->http, 4)->headers, "If-Range: \"e1\""));
    expect_clean();
}
END_TEST

static bool half_way(void *arg)
{
    (void)arg;
    return hf_simupdate_see(w, "app").bytes_fetched > HF_SIM_CONTENT / 2;
}

START_TEST(goes_on_after_a_restart)
{
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    w->answer = (struct hf_fake_answer){.cut_after = 30000};
    hf_simupdate_boot(w);
    ck_assert(hf_simloop_run_until(w->loop, half_way, NULL, 60 * HF_NS_PER_S));
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    if (_i == 0)
        hf_simupdate_stop(w);
    else if (_i == 1)
        hf_simupdate_kill(w);
    else
        hf_simupdate_power_cut(w, 7);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_ptr_nonnull(strstr(hf_fake_http_asked(w->http, 0)->headers, "Range: bytes=30000-"));
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT);
    expect_clean();
}
END_TEST

/* A kill between two records: bytes in the page cache count after a kill, but not after a power cut. */
START_TEST(goes_on_from_the_note)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    hf_simclient_set_link(hf_fake_http_client(w->http), &(struct hf_simlink){.bytes_per_s = 2000, .chunk_max = 500});
    ck_assert(hf_simloop_run_until(w->loop, half_way, NULL, 60 * HF_NS_PER_S));
    if (_i == 0)
        hf_simupdate_kill(w);
    else
        hf_simupdate_power_cut(w, 2);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    bool ranged = strstr(hf_fake_http_asked(w->http, 0)->headers, "Range: bytes=") != NULL;
    ck_assert(ranged == (_i == 0));
    if (_i == 0) /* bytes of the process before count */
        ck_assert_uint_ge(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT);
    expect_clean();
}
END_TEST

/* At a shutdown of the node all received bytes are synced, and none is downloaded twice. */
START_TEST(goes_on_after_a_shutdown)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    hf_simclient_set_link(hf_fake_http_client(w->http), &(struct hf_simlink){.bytes_per_s = 2000, .chunk_max = 500});
    ck_assert(hf_simloop_run_until(w->loop, half_way, NULL, 60 * HF_NS_PER_S));
    uint64_t before = hf_simupdate_see(w, "app").bytes_fetched;
    hf_simupdate_stop(w);
    hf_simupdate_power_cut(w, (uint64_t)_i);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    char range[40];
    (void)snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)before);
    ck_assert_ptr_nonnull(strstr(hf_fake_http_asked(w->http, 0)->headers, range));
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT);
    expect_clean();
}
END_TEST

/* The shutdown comes after n steps of the loop, and the process lives on for a while. Returns false if the update came
 * to its end before. */
static bool quiesced_after(unsigned n)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    for (unsigned i = 0; i < n; i++)
        (void)hf_simloop_step(w->loop);
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    if (seen.settled)
        return false;
    hf_update_engine_quiesce(w->engine);
    size_t requests = hf_fake_http_count(w->http);
    unsigned restarts = w->restarts;
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    ck_assert(hf_update_engine_quiesced(w->engine));
    ck_assert_msg(hf_fake_http_count(w->http) == requests, "after %u steps: a new request", n);
    ck_assert_msg(w->restarts == restarts || seen.phase == HF_PHASE_PROBATION, "after %u steps: a restart", n);
    hf_simupdate_stop(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
    return true;
}

START_TEST(starts_nothing_after_a_shutdown)
{
    unsigned n = 0;

    while (quiesced_after(n)) {
        n++;
        teardown();
        setup();
    }
    ck_assert_uint_gt(n, 20);
}
END_TEST

START_TEST(the_artifact_changes_between)
{
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    w->answer = (struct hf_fake_answer){.cut_after = 30000, .times = 1};
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_FETCHING));
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    hf_simupdate_kill(w);
    w->answer = (struct hf_fake_answer){0};
    w->etag = "\"e2\"";
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT + 30000);
}
END_TEST

static const struct {
    const char *name, *reason;
    struct hf_fake_answer answer;
} answers[] = {
    {"refused", "DownloadFailed", {.fail = -ECONNREFUSED}},
    {"not found", "DownloadRefused", {.status = 404}},
    {"server error", "DownloadRefused", {.status = 503, .retry_after_ns = 20 * HF_NS_PER_S}},
    {"endless", "ArtifactTooLong", {.endless = true}},
    {"too long", "ArtifactTooLong", {.body = "", .n = 0}}, /* filled in */
    {"too short", "ArtifactTooShort", {.body = "tiny", .n = 4}},
    {"empty", "ArtifactTooShort", {.body = "", .n = 1}},
    {"another", "HashMismatch", {.body = "", .n = 2}},
    {"silent", "DownloadFailed", {.silent = true, .cut_after = 0}},
};

/* A server without the signed file changes nothing on the node, and the status names it; once it has the file, the
 * update commits. */
START_TEST(bad_servers)
{
    static char longer[HF_SIM_CONTENT + 1];
    size_t n;

    w->answer = answers[_i].answer;
    if (strcmp(answers[_i].name, "too long") == 0) {
        w->answer.body = longer;
        w->answer.n = sizeof(longer);
    } else if (strcmp(answers[_i].name, "another") == 0) {
        w->answer.body = hf_sim_content("stray", &n);
        w->answer.n = n;
    }
    try_to(&(struct hf_sim_release){.content = "v2"});
    if (strcmp(answers[_i].name, "silent") == 0)
        ck_assert(hf_simupdate_see(w, "app").bytes_fetched > 0);
    else
        expect("app", HF_PHASE_WAITING, answers[_i].reason);
    expect_target("v1");
    ck_assert_uint_eq(w->restarts, 0);
    ck_assert_uint_lt(hf_simupdate_see(w, "app").bytes_fetched, 12 * HF_SIM_CONTENT);
    hf_simupdate_stop(w);
    w->answer = (struct hf_fake_answer){0};
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

/* The object after a change by a person. */
static void edit(const char *part, const char *key)
{
    json_t *object = json_deep_copy(w->objects[0]);

    ck_assert(json_object_set_new(object, "status", json_pack("{s:i}", "wave", 2)) == 0);
    if (strcmp(part, "metadata") == 0)
        ck_assert(json_object_set_new(json_object_get(object, part), key, json_pack("{s:s}", "again", "please")) == 0);
    json_decref(w->objects[0]);
    w->objects[0] = object;
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
}

/* A wrong file costs a whole download each time: about six on the first day, then one a day. Starts of the agent do not
 * add any; a change of the object ends the wait. */
START_TEST(wrong_as_a_whole)
{
    const uint64_t hour = 3600 * HF_NS_PER_S;
    size_t n;

    w->answer = (struct hf_fake_answer){.body = hf_sim_content("stray", &n), .n = HF_SIM_CONTENT};
    try_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_run_for(w, 24 * hour);
    struct hf_sim_seen first = hf_simupdate_see(w, "app");
    expect("app", HF_PHASE_WAITING, "HashMismatch");
    ck_assert_uint_ge(first.attempts, 6);
    ck_assert_uint_le(first.attempts, 12);
    hf_simupdate_run_for(w, 72 * hour);
    ck_assert_uint_le(hf_simupdate_see(w, "app").attempts, first.attempts + 6);
    ck_assert_uint_ge(hf_simupdate_see(w, "app").attempts, first.attempts + 3);
    uint64_t bytes = hf_simupdate_see(w, "app").bytes_fetched;
    for (int i = 0; i < 50; i++) { /* an agent that keeps crashing */
        _i == 0 ? hf_simupdate_kill(w) : hf_simupdate_power_cut(w, (uint64_t)i);
        hf_simupdate_boot(w);
        hf_simupdate_run_for(w, 120 * HF_NS_PER_S);
    }
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, bytes);
    hf_simupdate_run_for(w, hour); /* a node that starts each morning */
    ck_assert_uint_gt(hf_simupdate_see(w, "app").bytes_fetched, bytes);
    hf_simupdate_run_for(w, hour);
    w->answer = (struct hf_fake_answer){0};
    hf_simupdate_serve(w);
    expect("app", HF_PHASE_WAITING, "HashMismatch");
    edit("status", "");
    expect("app", HF_PHASE_WAITING, "HashMismatch");
    edit("metadata", "annotations");
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

/* A server without range requests, behind a link that always breaks in the middle. */
START_TEST(always_anew)
{
    w->answer = (struct hf_fake_answer){.cut_after = HF_SIM_CONTENT - 1000};
    w->no_ranges = true;
    try_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_run_for(w, 24 * 3600 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DownloadFailed");
    ck_assert_uint_ge(hf_simupdate_see(w, "app").attempts, 6);
    ck_assert_uint_le(hf_simupdate_see(w, "app").attempts, 16);
}
END_TEST

/* The agent tries an unreachable server as often as the policy says, and writes nothing to the card meanwhile. */
START_TEST(away_for_long)
{
    struct stat before, after;

    w->answer = (struct hf_fake_answer){.fail = -ECONNREFUSED};
    try_to(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simfs_stat(w->fs, "/var/lib/holdfast/updates/app/journal", &before));
    uint64_t attempts = hf_simupdate_see(w, "app").attempts;
    hf_simupdate_run_for(w, 24 * 3600 * HF_NS_PER_S);
    ck_assert_uint_ge(hf_simupdate_see(w, "app").attempts, attempts + 24 * 60);
    ck_assert(hf_simfs_stat(w->fs, "/var/lib/holdfast/updates/app/journal", &after));
    ck_assert_uint_eq(after.st_ino, before.st_ino); /* each write replaces the file */
    expect("app", HF_PHASE_WAITING, "DownloadFailed");
    w->answer = (struct hf_fake_answer){0};
    hf_simupdate_serve(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

START_TEST(from_a_file)
{
    size_t n;
    const void *bytes = hf_sim_content("v2", &n);

    hf_simfs_put(w->fs, "/media/stick/v 2", bytes, n, 0644);
    update_to(&(struct hf_sim_release){.content = "v2", .url = "file:///media/stick/v%202"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, 0); /* nothing came over the network */
    expect_clean();
}
END_TEST

static const struct {
    const char *url, *reason;
    const char *content; /* content at the path; NULL nothing */
    size_t cut;
} files[] = {
    {"file:///media/none", "DownloadFailed", NULL, 0},   {"file:///media", "DownloadFailed", NULL, 0},
    {"file:///media/v2%zz", "UrlUnsupported", NULL, 0},  {"file:///media/short", "ArtifactTooShort", "v2", 1},
    {"file:///media/other", "HashMismatch", "stray", 0},
};

START_TEST(bad_files)
{
    hf_simfs_mkdir(w->fs, "/media", 0755);
    if (files[_i].content != NULL) {
        size_t n;
        const void *bytes = hf_sim_content(files[_i].content, &n);
        hf_simfs_put(w->fs, files[_i].url + 7, bytes, n - files[_i].cut, 0644);
    }
    try_to(&(struct hf_sim_release){.content = "v2", .url = files[_i].url});
    expect("app", HF_PHASE_WAITING, files[_i].reason);
    expect_target("v1");
}
END_TEST

/* ---- who may, and when ------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *reason;
    struct hf_sim_release release;
} refused[] = {
    {"unsigned", "Unsigned", {.content = "v2", .sign_with = ""}},
    {"unknown key", "UnknownKey", {.content = "v2", .sign_with = "other"}},
    {"tampered", "SignatureInvalid", {.content = "v2"}},
    {"lower sequence", "SequenceTooLow", {.content = "v3", .sequence = 4}},
    {"expired", "Expired", {.content = "v2"}},
    {"outside", "PathNotAllowed", {.content = "v2", .path = "/etc/passwd"}},
    {"the root itself", "PathNotAllowed", {.content = "v2", .path = "/opt"}},
};

START_TEST(refusals)
{
    struct hf_sim_release release = refused[_i].release;

    if (strcmp(refused[_i].name, "lower sequence") == 0)
        update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    if (strcmp(refused[_i].name, "tampered") == 0)
        release.patch_after = json_pack("{s:{s:{s:s}}}", "spec", "release", "version", "6.6.6");
    if (strcmp(refused[_i].name, "expired") == 0)
        release.patch = json_pack("{s:{s:{s:s}}}", "spec", "release", "expires", "2026-11-20T07:59:59Z");
    unsigned restarts = w->restarts;
    update_to(&release);
    expect("app", HF_PHASE_REJECTED, refused[_i].reason);
    ck_assert(hf_simupdate_see(w, "app").settled);
    ck_assert_uint_eq(w->restarts, restarts);
    ck_assert_str_ne(w->running, "v3");
    expect_clean();
    /* The same after a restart, without a write. */
    hf_simupdate_stop(w);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, refused[_i].reason);
}
END_TEST

START_TEST(a_key_arrives)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sign_with = "other"});
    expect("app", HF_PHASE_REJECTED, "UnknownKey");
    hf_simupdate_trust_other(w);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

START_TEST(no_keys)
{
    hf_simfs_delete(w->fs, "/etc/holdfast/trust.d/k1.pem");
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_REJECTED, "NoTrustedKeys");
}
END_TEST

START_TEST(downgrade_that_is_signed)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    update_to(&(struct hf_sim_release){
        .content = "v1", .sequence = 4, .patch = json_pack("{s:{s:{s:[i]}}}", "spec", "release", "downgradeFrom", 5)});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v1");
    /* The release that the node has left does not come back, and no other takes a sequence that is in use. */
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 5});
    expect("app", HF_PHASE_REJECTED, "SequenceReused");
    update_to(&(struct hf_sim_release){.content = "v3", .sequence = 4});
    expect("app", HF_PHASE_REJECTED, "SequenceReused");
    expect_target("v1");
}
END_TEST

/* The floor survives a lost journal. */
START_TEST(floor_without_journal)
{
    update_to(&(struct hf_sim_release){.content = "v2", .sequence = 5});
    hf_simupdate_stop(w);
    hf_simfs_delete(w->fs, UPDATES "/app/journal");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 4});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    expect_target("v2");
}
END_TEST

static json_t *only_arm64(void)
{
    return json_pack("{s:{s:{s:[{s:s,s:s,s:s,s:i}]}}}", "spec", "release", "artifacts", "arch", "arm64", "url",
                     "http://files/x", "sha256", "1111111111111111111111111111111111111111111111111111111111111111",
                     "size", 5);
}

static json_t *restart_by_exec(void)
{
    return json_pack("{s:{s:{s:{s:{s:[s], s:n}}}}}", "spec", "release", "install", "restart", "exec", "/bin/true",
                     "systemdUnit");
}

static json_t *health_by_exec(void)
{
    return json_pack("{s:{s:{s:{s:[{s:{s:[s]}}]}}}}", "spec", "release", "health", "checks", "exec", "command",
                     "/bin/true");
}

static json_t *restart_of_k3s(void)
{
    return json_pack("{s:{s:{s:{s:{s:s}}}}}", "spec", "release", "install", "restart", "systemdUnit",
                     "k3s-agent.service");
}

START_TEST(misfits)
{
    static const struct {
        json_t *(*patch)(void);
        int meets_r;
        bool pod_mode;
        const char *reason, *named;
    } rows[] = {{only_arm64, 0, false, "NoArtifactForArch", "amd64"},
                {NULL, -EOPNOTSUPP, false, "RequirementsNotMet", "a GPU"},
                {restart_by_exec, 0, true, "NotInPod", "install.restart.exec"},
                {health_by_exec, 0, true, "NotInPod", "health.checks[0].exec"},
                {restart_of_k3s, 0, true, "NotInPod", "'k3s-agent.service' starts this agent's pod"}};
    struct hf_sim_release release = {.content = "v2"};

    if (rows[_i].patch != NULL)
        release.patch = rows[_i].patch();
    w->meets_r = rows[_i].meets_r;
    w->pod_mode = rows[_i].pod_mode;
    update_to(&release);
    expect("app", HF_PHASE_INCOMPATIBLE, rows[_i].reason);
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, rows[_i].named));
    ck_assert(hf_simupdate_see(w, "app").settled);
    expect_target("v1");
    expect_clean();
    if (rows[_i].meets_r == 0)
        return;
    w->meets_r = 0; /* the device appears */
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* On a host the agent restarts what starts pods; in a pod only if the node's owner names the unit. */
START_TEST(units_that_start_pods)
{
    struct hf_sim_release release = {.content = "v2", .no_checks = true, .patch = restart_of_k3s()};

    w->unit = "k3s-agent.service";
    w->pod_mode = _i == 1;
    w->named_unit = _i == 1 ? "k3s-agent.service" : NULL;
    update_to(&release);
    expect("app", HF_PHASE_COMMITTED, "NoHealthChecks");
    ck_assert(hf_pod_starter_is("kubelet.service") && hf_pod_starter_is("k3s.service"));
    ck_assert(hf_pod_starter_is("k3s-agent.service") && hf_pod_starter_is("containerd.service"));
    ck_assert(!hf_pod_starter_is("edge-k3s.service") && !hf_pod_starter_is("app.service"));
}
END_TEST

/* The node's configuration forbids the unit; the release starts when somebody allows it. */
START_TEST(unit_that_the_node_forbids)
{
    unsigned before = w->restarts;

    w->only_unit = "edge-*.service";
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_REJECTED, "UnitNotAllowed");
    ck_assert_msg(
        strstr(hf_simupdate_see(w, "app").message, "install.restart.systemdUnit: 'app.service' is not allowed") != NULL,
        "%s", hf_simupdate_see(w, "app").message);
    ck_assert_uint_eq(w->restarts, before);
    expect_target("v1");
    expect_clean();
    w->only_unit = "app.service";
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* The node's configuration forbids a command; the release starts when somebody allows it. */
START_TEST(commands_that_the_node_forbids)
{
    static const struct {
        json_t *(*patch)(void);
        const char *named;
    } rows[] = {{restart_by_exec, "install.restart.exec: '/bin/true' is not allowed"},
                {health_by_exec, "health.checks[0].exec: '/bin/true' is not allowed"}};

    w->only_exec = "/usr/bin/check";
    update_to(&(struct hf_sim_release){.content = "v2", .patch = rows[_i].patch()});
    expect("app", HF_PHASE_REJECTED, "ExecNotAllowed");
    ck_assert_msg(strstr(hf_simupdate_see(w, "app").message, rows[_i].named) != NULL, "%s",
                  hf_simupdate_see(w, "app").message);
    ck_assert_uint_eq(w->execs, 0);
    expect_target("v1");
    expect_clean();
    w->only_exec = "/bin/true";
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_gt(w->execs, 0);
}
END_TEST

/* The agent looks for a device below the host root only. */
START_TEST(devices_from_a_pod)
{
    struct hf_sim_release release = {.content = "v2", .device = "/dev/ttyUSB0"};

    w->pod_mode = true;
    w->host_root = _i == 1 ? "" : NULL; /* the host's files at their own paths */
    update_to(&release);
    if (_i == 1) {
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        return;
    }
    expect("app", HF_PHASE_INCOMPATIBLE, "NotInPod");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "requires.devices"));
    expect_target("v1");
}
END_TEST

START_TEST(gates)
{
    static const struct {
        enum hf_desired_gate gate;
        const char *reason;
    } rows[] = {{HF_GATE_NOT_ADMITTED, "NotAdmitted"}, {HF_GATE_STALE, "Stale"}, {HF_GATE_HELD, "Held"}};

    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    w->gates[0] = rows[_i].gate;
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, rows[_i].reason);
    ck_assert(hf_simupdate_see(w, "app").settled);
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

START_TEST(a_window)
{
    /* It is Friday, 08:00 UTC. */
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v2",
                                    .patch_after = json_pack("{s:{s:[{s:[s],s:s,s:s}]}}", "spec", "windows", "days",
                                                             "Fri", "start", "10:00", "duration", "1h")});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 119 * 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "WindowClosed");
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    hf_simupdate_run_for(w, 5 * 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* The server's Date is 30 years ahead, or nothing shows the time: a release that may have expired waits, and starts by
 * itself when the witnesses agree again. */
static const struct hf_time_range unsure[] = {
    {HF_TIME_CONTRADICTED, HF_SIM_UNIX_START, HF_SIM_UNIX_START + 900000000 * HF_NS_PER_S, HF_SIM_UNIX_START,
     HF_SIM_UNIX_START + 900000000 * HF_NS_PER_S, 0},
    {HF_TIME_CONTRADICTED, HF_SIM_UNIX_START, HF_SIM_UNIX_START + 900000000 * HF_NS_PER_S,
     HF_SIM_UNIX_START + 900000000 * HF_NS_PER_S, HF_SIM_UNIX_START, 0},
    {HF_TIME_UNKNOWN, HF_SIM_UNIX_START - HF_NS_PER_S, HF_NEVER, HF_SIM_UNIX_START, HF_SIM_UNIX_START, HF_NEVER},
};

START_TEST(an_unsure_clock)
{
    w->range = &unsure[_i];
    begin(&(struct hf_sim_release){
        .content = "v2", .patch = json_pack("{s:{s:{s:s}}}", "spec", "release", "expires", "2027-02-01T00:00:00Z")});
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "ClockUnsure");
    expect_target("v1");
    w->range = NULL;
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* A release that was rejected by a lie on which all witnesses agreed is considered again. */
START_TEST(expired_by_a_lie)
{
    static const uint64_t then = HF_SIM_UNIX_START + 900000000 * HF_NS_PER_S;
    static const struct hf_time_range lie = {HF_TIME_AGREED, then, then, then, then, 0};

    w->range = &lie;
    begin(&(struct hf_sim_release){
        .content = "v2", .patch = json_pack("{s:{s:{s:s}}}", "spec", "release", "expires", "2027-02-01T00:00:00Z")});
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_REJECTED, "Expired");
    w->range = NULL;
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* A window that is open at one of two contradicting times only. */
START_TEST(a_window_at_two_times)
{
    static const struct hf_time_range two = {HF_TIME_CONTRADICTED,
                                             HF_SIM_UNIX_START,
                                             HF_SIM_UNIX_START + 7200 * HF_NS_PER_S,
                                             HF_SIM_UNIX_START + 7200 * HF_NS_PER_S,
                                             HF_SIM_UNIX_START,
                                             0};

    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v2",
                                    .patch_after = json_pack("{s:{s:[{s:[s],s:s,s:s}]}}", "spec", "windows", "days",
                                                             "Fri", "start", "10:00", "duration", "1h")});
    w->range = &two;
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "ClockUnsure");
    /* The message names both ends, and stays as it is while the release waits. */
    char first[HF_TIME_TEXT], last[HF_TIME_TEXT], message[400];
    (void)snprintf(message, sizeof(message), "%s", hf_simupdate_see(w, "app").message);
    ck_assert_msg(strstr(message, hf_format_time(HF_SIM_UNIX_START, first)) != NULL, "%s", message);
    ck_assert_msg(strstr(message, hf_format_time(HF_SIM_UNIX_START + 7200 * HF_NS_PER_S, last)) != NULL, "%s", message);
    ck_assert_ptr_nonnull(strstr(message, "window"));
    static const struct hf_time_range later = {HF_TIME_CONTRADICTED,
                                               HF_SIM_UNIX_START,
                                               HF_SIM_UNIX_START + 7300 * HF_NS_PER_S,
                                               HF_SIM_UNIX_START + 7300 * HF_NS_PER_S,
                                               HF_SIM_UNIX_START,
                                               0};
    w->range = &later;
    hf_simupdate_run_for(w, 120 * HF_NS_PER_S);
    ck_assert_str_eq(hf_simupdate_see(w, "app").message, message);
    w->range = NULL;
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "WindowClosed");
}
END_TEST

/* The window opens two hours after the start, and the clock may be wrong by 5 minutes: the update starts 5 minutes later. */
START_TEST(a_window_and_the_error_of_the_clock)
{
    static struct hf_time_range range;

    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v2",
                                    .patch_after = json_pack("{s:{s:[{s:[s],s:s,s:s}]}}", "spec", "windows", "days",
                                                             "Fri", "start", "10:00", "duration", "1h")});
    w->range = &range;
    uint64_t at = HF_SIM_UNIX_START + 7200 * HF_NS_PER_S;
    range = (struct hf_time_range){HF_TIME_ALONE, at, at, at, at, 300 * HF_NS_PER_S};
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "ClockUnsure");
    at += 300 * HF_NS_PER_S;
    range = (struct hf_time_range){HF_TIME_ALONE, at, at, at, at, 300 * HF_NS_PER_S};
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* If the gate closes in the middle, the update pauses before the swap, keeps the download, and resumes from it. */
START_TEST(a_gate_closes_in_the_middle)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    hf_simclient_set_link(hf_fake_http_client(w->http),
                          &(struct hf_simlink){.delay_max_ns = HF_NS_PER_MS, .bytes_per_s = 2000, .chunk_max = 500});
    ck_assert(hf_simloop_run_until(w->loop, half_way, NULL, 60 * HF_NS_PER_S));
    hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "Held");
    expect_target("v1");
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_lt(hf_simupdate_see(w, "app").bytes_fetched, HF_SIM_CONTENT + 2000);
    expect_clean();
}
END_TEST

/* Without budget nothing is downloaded; what is already here goes on, and so does a repair. */
START_TEST(writes_used_up)
{
    w->writes_used_up = true;
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "WriteBudgetUsed");
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    expect_target("v1");
    w->writes_used_up = false;
    w->turn_missing = true;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    w->writes_used_up = true; /* the file is complete */
    w->turn_missing = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect_target("v2");
    expect_clean();
}
END_TEST

/* While the link is closed nothing is downloaded; what is already here goes on, and so does a repair. */
START_TEST(link_closed)
{
    static const struct {
        enum hf_link link;
        const char *reason;
    } rows[] = {{HF_LINK_WINDOW_CLOSED, "LinkWindowClosed"},
                {HF_LINK_CLOCK_UNSURE, "ClockUnsure"},
                {HF_LINK_QUOTA_USED, "LinkQuotaUsed"}};

    w->link = rows[_i].link;
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, rows[_i].reason);
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    expect_target("v1");
    w->link = HF_LINK_OPEN;
    w->turn_missing = true;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    w->link = rows[_i].link; /* the file is complete */
    w->turn_missing = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect_target("v2");
    expect_clean();
}
END_TEST

/* A critically full disk stops a new release before it downloads, and no repair. */
START_TEST(critical_disk)
{
    w->disk_critical = true;
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DiskSpaceLow");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "critically full"));
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    w->disk_critical = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    w->disk_critical = true;
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect_target("v2");
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* Without its turn the update does everything but the swap; another release goes on meanwhile. */
START_TEST(a_turn)
{
    w->turn_missing = true;
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    ck_assert(hf_simupdate_see(w, "app").settled);
    expect_target("v1");
    ck_assert_uint_eq(w->restarts, 0);
    ck_assert_uint_gt(hf_simupdate_see(w, "app").bytes_fetched, 0);
    /* A closed gate shows its own reason, so that the controller gives the turn to a node that can use it. */
    hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_VERIFIED, "Held");
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_settle(w));
    /* A restart fetches nothing again. */
    uint64_t fetched = hf_simupdate_see(w, "app").bytes_fetched;
    if (_i == 1)
        hf_simupdate_kill(w);
    else
        hf_simupdate_power_cut(w, 1);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    w->turn_missing = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(hf_simupdate_see(w, "app").bytes_fetched, fetched);
    expect_target("v2");
    expect_clean();
}
END_TEST

/* The turn that is taken back, or lost with the cache, in the middle of the swap changes nothing: the update runs to
 * its end, and a rollback needs no turn either. */
START_TEST(a_turn_that_goes_during_the_swap)
{
    static const enum hf_phase when[] = {HF_PHASE_SWAPPING, HF_PHASE_PROBATION, HF_PHASE_ROLLING_BACK};
    bool broken = _i == 2;

    begin(&(struct hf_sim_release){.content = broken ? "broken" : "v2"});
    ck_assert(hf_simupdate_until_phase(w, "app", when[_i]));
    w->turn_missing = true;
    hf_simupdate_power_cut(w, 2);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_int_eq(hf_simupdate_see(w, "app").phase, broken ? HF_PHASE_ROLLED_BACK : HF_PHASE_COMMITTED);
    expect_target(broken ? "v1" : "v2");
}
END_TEST

/* A release that waits for its turn leaves the work to the others, which need none. */
START_TEST(a_turn_is_not_waited_for_by_other_releases)
{
    w->turn_missing = true;
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_VERIFIED, "TurnPending");
    hf_simupdate_publish(w, &(struct hf_sim_release){.name = "lib", .content = "v3", .path = "/opt/app/lib/x"});
    ck_assert(hf_simupdate_settle(w));
    expect("lib", HF_PHASE_VERIFIED, "TurnPending");
    w->turn_missing = false;
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect("lib", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* The release expires while the node fetches. */
START_TEST(expires_in_the_middle)
{
    begin(&(struct hf_sim_release){
        .content = "v2", .patch = json_pack("{s:{s:{s:s}}}", "spec", "release", "expires", "2026-11-20T08:00:10Z")});
    hf_simclient_set_link(hf_fake_http_client(w->http), &(struct hf_simlink){.bytes_per_s = 2000, .chunk_max = 500});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "Expired");
    expect_target("v1");
    expect_clean();
}
END_TEST

START_TEST(withdrawn_in_the_middle)
{
    static const enum hf_phase phases[] = {HF_PHASE_FETCHING, HF_PHASE_PATCHING, HF_PHASE_VERIFIED, HF_PHASE_PROBATION};
    struct stat st;

    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_until_phase(w, "app", phases[_i]));
    hf_simupdate_withdraw(w, "app");
    ck_assert(hf_simupdate_settle(w));
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    if (phases[_i] == HF_PHASE_PROBATION) { /* runs to its end */
        expect("app", HF_PHASE_COMMITTED, "HealthPassed");
        expect_target("v2");
    } else {
        ck_assert_str_eq(hf_simupdate_see(w, "app").name, ""); /* forgotten */
        ck_assert(!hf_simfs_stat(w->fs, UPDATES "/app", &st));
        expect_target("v1");
    }
    expect_clean();
}
END_TEST

START_TEST(another_one_in_the_middle)
{
    static const enum hf_phase phases[] = {HF_PHASE_FETCHING, HF_PHASE_PATCHING, HF_PHASE_VERIFIED, HF_PHASE_PROBATION};

    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 3});
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .sequence = 2});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_until_phase(w, "app", phases[_i]));
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 3});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    ck_assert_str_eq(hf_simupdate_see(w, "app").from, phases[_i] == HF_PHASE_PROBATION ? "v2" : "");
    expect_clean();
}
END_TEST

/* ---- the service ------------------------------------------------------------------------------------------------- */

START_TEST(rolled_back_and_not_again)
{
    update_to(&(struct hf_sim_release){.content = "broken", .delta_from = "v1"});
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "503"));
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "back"));
    expect_target("v1");
    ck_assert_str_eq(w->running, "v1");
    expect_clean();
    size_t asked = hf_fake_http_count(w->http);
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_fake_http_count(w->http), asked);
    hf_simupdate_stop(w);
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .sequence = 3});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    /* And the bad release again, with the same digest. */
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .delta_from = "v1", .sequence = 2});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_REJECTED, "SequenceTooLow");
    expect_target("v2");
}
END_TEST

START_TEST(restart_fails)
{
    w->restart_r = -EIO;
    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_ROLLED_BACK, "RestartFailed");
    expect_target("v1");
    expect_clean();
}
END_TEST

START_TEST(the_unit_is_given_up)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    w->unit_state = "failed";
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "HealthFailed");
    expect_target("v1");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "fails too"));
}
END_TEST

START_TEST(unit_is_not_there)
{
    static const struct {
        int r;
        const char *reason;
    } rows[] = {{-ENOENT, "UnitNotFound"}, {-ENOTCONN, "SystemdUnavailable"}};

    w->state_r = rows[_i].r;
    try_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_WAITING, rows[_i].reason);
    expect_target("v1");
    ck_assert(w->restarts == 0 && hf_fake_http_count(w->http) == 0);
    w->state_r = 0;
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* An unreachable systemd between swap and restart says nothing about the new version. */
START_TEST(systemd_is_away_for_a_moment)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    w->restart_r = -ENOTCONN;
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simupdate_run_for(w, 10 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "HealthPending");
    w->restart_r = 0;
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

static json_t *checks_of(json_t *check)
{
    return json_pack("{s:{s:{s:{s:s, s:[o]}}}}", "spec", "release", "health", "deadline", "20s", "checks", check);
}

START_TEST(hooks_and_probes)
{
    update_to(&(struct hf_sim_release){.content = "v2",
                                       .patch = checks_of(json_pack("{s:{s:[s,s]}, s:i}", "exec", "command",
                                                                    "/usr/bin/test", "-S", "successThreshold", 3))});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(w->execs, 3);
    update_to(&(struct hf_sim_release){
        .content = "v3", .sequence = 3, .patch = checks_of(json_pack("{s:{s:i}}", "tcp", "port", 8080))});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    w->exec_code = 3;
    update_to(&(struct hf_sim_release){
        .content = "v1", .sequence = 4, .patch = checks_of(json_pack("{s:{s:[s]}}", "exec", "command", "/bin/check"))});
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "exit code 3"));
    expect_target("v3");
}
END_TEST

/* A check that hangs ends at its own timeout and at the deadline, and delays no other check. */
START_TEST(a_check_hangs)
{
    w->exec_r = HF_SIMHOST_HANGS;
    update_to(&(struct hf_sim_release){
        .content = "v2",
        .patch = checks_of(json_pack("{s:{s:[s]}, s:s}", "exec", "command", "/bin/hang", "timeout", "5s"))});
    expect("app", HF_PHASE_ROLLED_BACK, "HealthDeadline");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "timed out"));
    expect_target("v1");
    expect_clean();
}
END_TEST

START_TEST(restart_by_a_command)
{
    struct hf_sim_release release = {.content = "v2",
                                     .no_checks = true,
                                     .patch = json_pack("{s:{s:{s:{s:{s:[s], s:n}}}}}", "spec", "release", "install",
                                                        "restart", "exec", "/bin/restart", "systemdUnit")};

    if (_i == 1)
        w->exec_code = 1;
    if (_i == 2)
        w->exec_r = HF_SIMHOST_HANGS;
    update_to(&release);
    if (_i == 0)
        expect("app", HF_PHASE_COMMITTED, "NoHealthChecks");
    else
        expect("app", HF_PHASE_ROLLED_BACK, "RestartFailed");
    ck_assert_uint_eq(w->execs, _i == 0 ? 1 : 2); /* the old version too */
    expect_target(_i == 0 ? "v2" : "v1");
}
END_TEST

static json_t *deadline_of_10_minutes(void)
{
    return json_pack("{s:{s:{s:{s:s}}}}", "spec", "release", "health", "deadline", "10m");
}

/* A unit may start for as long as the release's deadline allows, and for 90 s at least. */
START_TEST(restart_that_does_not_end)
{
    struct hf_sim_release release = {.content = "v2", .patch = _i == 1 ? deadline_of_10_minutes() : NULL};
    uint64_t limit_ns = (_i == 1 ? 600 : 90) * HF_NS_PER_S;

    begin(&release);
    w->restart_r = HF_SIMHOST_HANGS;
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simupdate_run_for(w, limit_ns - 2 * HF_NS_PER_S);
    expect("app", HF_PHASE_PROBATION, "HealthPending");
    w->restart_r = 0;
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "RestartFailed");
    expect_target("v1");
}
END_TEST

START_TEST(three_starts_without_a_verdict)
{
    begin(&(struct hf_sim_release){.content = "broken"});
    for (int i = 0; i < 3; i++) {
        ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
        hf_simupdate_run_for(w, HF_NS_PER_S);
        if (_i == 0)
            hf_simupdate_kill(w);
        else
            hf_simupdate_power_cut(w, (uint64_t)i);
        hf_simupdate_boot(w);
    }
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "NoVerdict");
    expect_target("v1");
    expect_clean();
}
END_TEST

/* The download of a newer release fails again and again: what runs is repaired meanwhile, and the newer one comes as
 * soon as its server is well, and no sooner is it tried again. */
START_TEST(drift_behind_a_failing_download)
{
    unsigned attempts = 0;

    update_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    w->answer.status = 404;
    hf_simupdate_serve(w);
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3"});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 1800 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DownloadRefused");
    for (unsigned i = 0; i < 3; i++) {
        hf_simfs_delete(w->fs, HF_SIM_TARGET);
        hf_simupdate_look(w);
        for (unsigned s = 0; s < 600 && strcmp(hf_simupdate_target(w, HF_SIM_TARGET), "v2") != 0; s++)
            hf_simupdate_run_for(w, HF_NS_PER_S);
        expect_target("v2");
        hf_simupdate_tell(w);
        hf_simupdate_run_for(w, 900 * HF_NS_PER_S);
        struct hf_sim_seen seen = hf_simupdate_see(w, "app");
        ck_assert_msg(seen.phase == HF_PHASE_WAITING && strcmp(seen.version, "v3") == 0, "%s %s %s", seen.version,
                      hf_phase_name(seen.phase), seen.reason);
        attempts = seen.attempts;
    }
    ck_assert_str_eq(w->running, "v2");
    ck_assert_uint_gt(attempts, 0);
    w->answer.status = 200;
    hf_simupdate_serve(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* After two starts the checks still decide. The agent does not restart the service again for them. */
START_TEST(starts_in_probation)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    for (int i = 0; i < 2; i++) {
        ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
        hf_simupdate_run_for(w, HF_NS_PER_S / 2);
        hf_simupdate_kill(w);
        hf_simupdate_boot(w);
    }
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(w->restarts, 1);
}
END_TEST

/* Without network, server and objects the journal alone finishes the update. */
START_TEST(alone)
{
    begin(&(struct hf_sim_release){.content = _i == 0 ? "v2" : "broken"});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simupdate_kill(w);
    hf_simupdate_withdraw(w, "app");
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", _i == 0 ? HF_PHASE_COMMITTED : HF_PHASE_ROLLED_BACK, _i == 0 ? "HealthPassed" : "HealthDeadline");
    expect_target(_i == 0 ? "v2" : "v1");
    expect_clean();
}
END_TEST

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

START_TEST(too_little_space)
{
    hf_simupdate_put_old(w, "v1");
    hf_simfs_set_limit(w->fs, "/opt", 125000);
    try_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_WAITING, "DiskSpaceLow");
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    expect_target("v1");
    hf_simfs_set_limit(w->fs, "/opt", 0);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

START_TEST(read_only)
{
    hf_simfs_mount(w->fs, "/opt/app");
    hf_simupdate_put_old(w, "v1");
    hf_simfs_set_read_only(w->fs, "/opt/app", true);
    try_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_WAITING, "ReadOnly");
    expect_target("v1");
    hf_simfs_set_read_only(w->fs, "/opt/app", false);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* Target and state on different file systems. */
START_TEST(another_device)
{
    hf_simfs_mount(w->fs, "/opt/app");
    update_to(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

static const struct {
    const char *name, *reason;
    void (*make)(void);
} targets[] = {
    {"link", "TargetIsLink", NULL},           {"folder", "TargetIsFolder", NULL},
    {"link on the way", "PathEscapes", NULL}, {"link out of the root", "PathEscapes", NULL},
    {"file on the way", "PathEscapes", NULL},
};

START_TEST(strange_targets)
{
    size_t n;
    const void *bytes = hf_sim_content("v1", &n);

    if (_i == 0)
        hf_simfs_symlink(w->fs, HF_SIM_TARGET, "/etc/passwd");
    else if (_i == 1)
        hf_simfs_mkdir(w->fs, HF_SIM_TARGET, 0755);
    else if (_i == 4)
        hf_simfs_put(w->fs, "/opt/app", bytes, n, 0644);
    else
        hf_simfs_symlink(w->fs, _i == 2 ? "/opt/app" : "/opt/app/bin", _i == 2 ? "other" : "/etc");
    hf_simfs_mkdir(w->fs, "/opt/other/bin", 0755);
    hf_simfs_put(w->fs, "/etc/app", "precious", 8, 0600);
    w->check = NULL;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, targets[_i].reason);
    bytes = hf_simfs_get(w->fs, "/etc/app", &n);
    ck_assert(bytes != NULL && n == 8);
    ck_assert_uint_eq(w->restarts, 0);
}
END_TEST

/* Somebody puts a link into the path while the update runs. */
START_TEST(a_link_swapped_in)
{
    static const enum hf_phase phases[] = {HF_PHASE_FETCHING, HF_PHASE_PATCHING, HF_PHASE_VERIFIED};
    struct stat st;

    hf_simupdate_put_old(w, "v1");
    hf_simfs_mkdir(w->fs, "/etc/evil", 0755);
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_until_phase(w, "app", phases[_i]));
    w->check = NULL;
    hf_simfs_move(w->fs, "/opt/app/bin", "/opt/app/was");
    hf_simfs_symlink(w->fs, "/opt/app/bin", "/etc/evil");
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert_str_eq(hf_simupdate_see(w, "app").reason, "PathEscapes");
    ck_assert(!hf_simfs_stat(w->fs, "/etc/evil/app", &st));
    /* Somebody removes the link. */
    hf_simfs_delete(w->fs, "/opt/app/bin");
    hf_simfs_move(w->fs, "/opt/app/was", "/opt/app/bin");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

/* Somebody replaces the installed file while the update runs: the status says so, and the next attempt starts from the
 * new file. */
START_TEST(the_target_changes)
{
    static const enum hf_phase phases[] = {HF_PHASE_FETCHING, HF_PHASE_PATCHING, HF_PHASE_VERIFIED};
    bool named = false;

    begin(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    ck_assert(hf_simupdate_until_phase(w, "app", phases[_i]));
    hf_simupdate_put_old(w, "stray");
    while (hf_simupdate_see(w, "app").phase != HF_PHASE_COMMITTED && hf_simloop_step(w->loop))
        named = named || strcmp(hf_simupdate_see(w, "app").reason, "TargetChanged") == 0;
    ck_assert(hf_simupdate_settle(w));
    ck_assert(named);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Full");
    expect_clean();
}
END_TEST

/* ---- somebody changes the target while the release is on trial --------------------------------------------------- */

/* Lets the world run until all is settled; in the first `times` probations somebody puts `content` at the target, which
 * runs from then on. Returns the number of probations. */
static unsigned meddle(const char *content, unsigned times, const char *seen_waiting)
{
    unsigned probations = 0;
    enum hf_phase before = HF_PHASE_IDLE;

    do {
        struct hf_sim_seen seen = hf_simupdate_see(w, "app");
        bool enters = seen.phase == HF_PHASE_PROBATION && before != HF_PHASE_PROBATION;
        before = seen.phase;
        probations += enters;
        if (enters && probations <= times)
            hf_simupdate_put_old(w, content);
        if (seen.phase == HF_PHASE_WAITING && strcmp(seen.reason, "TargetChanged") == 0)
            ck_assert_str_eq(seen.installed, seen_waiting);
        if (seen.phase == HF_PHASE_ROLLING_BACK) /* a failure to the fleet only after a verdict */
            ck_assert_msg(hf_reason_is_failure(seen.phase, hf_reason_of(seen.reason)) == (probations > times),
                          "RollingBack %s in probation %u", seen.reason, probations);
        ck_assert_msg(seen.phase != HF_PHASE_COMMITTED || strcmp(seen.version, "v2") == 0 ||
                          strcmp(hf_simupdate_target(w, HF_SIM_TARGET), seen.version) == 0,
                      "committed %s over %s", seen.version, hf_simupdate_target(w, HF_SIM_TARGET));
    } while (!hf_simupdate_see(w, "app").settled && hf_simloop_step(w->loop));
    return probations;
}

/* The health checks of a bad release pass because somebody has put the old file back. That is no verdict about it: the
 * node is on the old version, tries it again twice, and gives it up. */
START_TEST(the_old_file_is_put_back_in_probation)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .delta_from = "v2", .sequence = 3});
    ck_assert_uint_eq(meddle("v2", 100, "v2"), 3);
    expect("app", HF_PHASE_ROLLED_BACK, "TargetChanged");
    ck_assert_msg(strstr(hf_simupdate_see(w, "app").message, "v2 is back") != NULL, "%s",
                  hf_simupdate_see(w, "app").message);
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, "v2");
    expect_target("v2");
    ck_assert_str_eq(w->running, "v2");
    expect_clean();
}
END_TEST

/* Once, and not again: the next probation judges the release. */
static const struct {
    const char *release, *put, *reason;
    enum hf_phase phase;
} meddled[] = {
    {"v3", "v2", "HealthPassed", HF_PHASE_COMMITTED},
    {"v3", "stray", "HealthPassed", HF_PHASE_COMMITTED},
    {"v3", "broken", "HealthPassed", HF_PHASE_COMMITTED}, /* which fails the checks: not the release's fault */
    {"broken", "v2", "HealthDeadline", HF_PHASE_ROLLED_BACK},
};

START_TEST(the_target_changes_in_one_probation)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = meddled[_i].release, .sequence = 3});
    ck_assert_uint_eq(meddle(meddled[_i].put, 1, "v2"), 2);
    expect("app", meddled[_i].phase, meddled[_i].reason);
    bool committed = meddled[_i].phase == HF_PHASE_COMMITTED;
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, committed ? "v3" : "v2");
    expect_target(committed ? "v3" : "v2");
    ck_assert_str_eq(w->running, committed ? "v3" : "v2");
    expect_clean();
}
END_TEST

/* A repair is never given up for that, or the node would keep what somebody put there. */
START_TEST(a_repair_is_disturbed)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, "");
    ck_assert_uint_eq(meddle("stray", 5, ""), 6);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_clean();
}
END_TEST

/* Somebody writes into the old file while it has its second name only. */
START_TEST(the_old_version_is_not_what_it_was)
{
    size_t n;
    const void *stray = hf_sim_content("stray", &n);

    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .sequence = 3});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    hf_simfs_put(w->fs, "/opt/app/bin/.holdfast-app.old", stray, n, 0755);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "RollbackFailed");
    ck_assert_msg(strstr(hf_simupdate_see(w, "app").message, "503") != NULL &&
                      strstr(hf_simupdate_see(w, "app").message, "is not v2") != NULL,
                  "%s", hf_simupdate_see(w, "app").message);
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, "");
    hf_simupdate_look(w); /* the committed version is repaired, as always */
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect_target("v2");
}
END_TEST

/* Nothing was installed before, and somebody's file stays. */
START_TEST(a_first_install_is_disturbed)
{
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2"});
    hf_simupdate_boot(w);
    ck_assert_uint_eq(meddle("stray", 1, ""), 2);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
}
END_TEST

/* Somebody changes or removes the committed file: the next look for drift repairs it. */
START_TEST(drift)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    if (_i == 0)
        hf_simupdate_put_old(w, "stray");
    else
        hf_simfs_delete(w->fs, HF_SIM_TARGET);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), _i == 0 ? "stray" : "absent"); /* no look yet */
    hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 61 * HF_NS_PER_S);
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), _i == 0 ? "stray" : "absent"); /* the site holds updates */
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    expect("app", HF_PHASE_WAITING, "Drifted");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_clean();
    /* Further looks do not read the file. */
    hf_simfs_count_only(w->fs, HF_SIMFS_READS);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    uint64_t calls = hf_simfs_calls(w->fs);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    ck_assert_uint_le(hf_simfs_calls(w->fs) - calls, 24); /* a read of the file would be three more */
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* Watches that never fire; the new file is gone before the first that follows it is there. */
static int watch_too_late(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                          struct hf_err *err)
{
    bool *gone = ctx;

    (void)path, (void)fire, (void)arg, (void)err;
    if (!*gone && strcmp(hf_simupdate_target(w, HF_SIM_TARGET), "v2") == 0) {
        hf_simfs_delete(w->fs, HF_SIM_TARGET);
        *gone = true;
    }
    *ret_watch = (struct hf_watch *)(void *)gone;
    return 0;
}

static void unwatch(void *ctx, struct hf_watch *watch)
{
    ck_assert_ptr_eq(watch, ctx);
}

/* Somebody removes the file between the look that found its folder and the watch of that folder. */
START_TEST(drift_before_the_watch)
{
    bool gone = false;
    struct hf_watch_ops watch = {.ctx = &gone, .add = watch_too_late, .remove = unwatch};

    w->watch = &watch;
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_COMMITTED));
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert(gone);
    expect_target("v2");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    hf_simupdate_stop(w); /* with its watches */
}
END_TEST

/* What went while no agent ran is found when one starts: nobody asks for a look, and no server answers. */
START_TEST(drift_while_the_agent_was_down)
{
    bool is_tree = _i == 1, behind = _i == 2;
    const char *target = is_tree ? "/opt/app/current" : HF_SIM_TARGET,
               *inside = is_tree ? "/opt/app/current/bin/app" : target;

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .tree = is_tree});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    if (behind) {
        hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 9});
        hf_simupdate_set_gate(w, "app", HF_GATE_NOT_ADMITTED);
        ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    }
    w->answer.status = 503;
    hf_simupdate_serve(w);
    hf_simupdate_kill(w);
    hf_simfs_delete(w->fs, target);
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 2 * HF_NS_PER_S);
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(strcmp(hf_simupdate_target(w, inside), "v2") == 0, "%s: %s %s: %s", hf_simupdate_target(w, inside),
                  hf_phase_name(seen.phase), seen.reason, seen.message);
}
END_TEST

static void lose_one(void *arg, const char *path, const struct stat *st)
{
    char *found = arg;

    if (strstr(path, ".kept/") != NULL && S_ISREG(st->st_mode))
        (void)snprintf(found, 512, "%s", path);
}

/* Removes what the node keeps of committed versions: a repair has to download. */
static void lose_kept(void)
{
    for (char found[512] = "?"; found[0] != '\0';) {
        found[0] = '\0';
        hf_simfs_walk(w->fs, "/opt", lose_one, found);
        if (found[0] != '\0')
            hf_simfs_delete(w->fs, found);
    }
}

/* The first repairs have no pause. From then on the pause before the next look begins where the repair ends, however long
 * it took. */
START_TEST(drift_after_a_long_repair)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    for (unsigned i = 0; i < 3; i++) {
        hf_simupdate_put_old(w, "stray");
        hf_simupdate_look(w);
        hf_simupdate_run_for(w, HF_NS_PER_S);
        expect_target("v2");
        ck_assert(hf_simupdate_settle(w));
    }
    w->answer.status = 404;
    hf_simupdate_serve(w);
    hf_simupdate_put_old(w, "stray");
    lose_kept();
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DownloadRefused");
    w->answer.status = 0;
    hf_simupdate_serve(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_COMMITTED));
    hf_simupdate_put_old(w, "stray");
    for (unsigned s = 0; s < 55; s++) {
        hf_simupdate_look(w);
        hf_simupdate_run_for(w, HF_NS_PER_S);
        expect_target("stray");
    }
    hf_simupdate_run_for(w, 10 * HF_NS_PER_S);
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
}
END_TEST

/* A repair is an update: if its checks fail, the found file is restored, and the tries end. */
START_TEST(drift_that_stays)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    if (_i == 0)
        hf_simupdate_put_old(w, "stray");
    else
        hf_simfs_delete(w->fs, HF_SIM_TARGET);
    w->restart_r = -EIO;
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "RestartFailed");
    expect_clean();
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), _i == 0 ? "stray" : "absent");
    hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "RestartFailed");
}
END_TEST

START_TEST(drift_of_a_tree)
{
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .tree = true});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    hf_simfs_delete(w->fs, "/opt/app/current");
    if (_i == 1)
        hf_simfs_symlink(w->fs, "/opt/app/current", "elsewhere");
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, "/opt/app/current/bin/app"), "v2");
    expect_clean();
}
END_TEST

static json_t *suspended(void)
{
    return json_pack("{s:{s:b}}", "spec", "suspend", true);
}

static json_t *closed(void) /* it is Friday */
{
    return json_pack("{s:{s:[{s:[s],s:s,s:s}]}}", "spec", "windows", "days", "Sun", "start", "10:00", "duration", "1h");
}

/* A repair of what the node runs by signature is no rollout: only the site's own word stops it. */
static const struct {
    const char *name, *reason;
    enum hf_desired_gate gate;
    json_t *(*patch)(void);
    const char *sign_with;
    bool repaired, rolled_back, turn_missing, writes_used_up, disk_critical;
} hindered[] = {
    {"not admitted", "NotAdmitted", HF_GATE_NOT_ADMITTED, NULL, NULL, true, false, false, false, false},
    {"stale", "Stale", HF_GATE_STALE, NULL, NULL, true, false, false, false, false},
    {"suspended", "Suspended", HF_GATE_OPEN, suspended, NULL, true, false, false, false, false},
    {"outside a window", "WindowClosed", HF_GATE_OPEN, closed, NULL, true, false, false, false, false},
    {"unsigned", "Unsigned", HF_GATE_OPEN, NULL, "", true, false, false, false, false},
    {"rolled back", "RestartFailed", HF_GATE_OPEN, NULL, NULL, true, true, false, false, false},
    {"held by the site", "Held", HF_GATE_HELD, NULL, NULL, false, false, false, false, false},
    {.name = "without its images", .reason = "ImagesPending", .gate = HF_GATE_IMAGES, .repaired = true},
    {.name = "without budget", .reason = "WriteBudgetUsed", .repaired = true, .writes_used_up = true},
    {.name = "on a critical disk", .reason = "DiskSpaceLow", .repaired = true, .disk_critical = true},
    {.name = "without its turn", .reason = "TurnPending", .gate = HF_GATE_OPEN, .repaired = true, .turn_missing = true},
};

static void hinder(int row)
{
    w->turn_missing = hindered[row].turn_missing;
    w->writes_used_up = hindered[row].writes_used_up;
    w->disk_critical = hindered[row].disk_critical;
}

static void change_object(json_t *patch)
{
    json_t *changed = json_deep_copy(w->objects[0]);

    ck_assert_int_eq(json_object_update_recursive(changed, patch), 0);
    json_decref(patch);
    json_decref(w->objects[0]);
    w->objects[0] = changed;
}

START_TEST(drift_while_hindered)
{
    bool held = hindered[_i].gate == HF_GATE_HELD;

    if (hindered[_i].sign_with != NULL || hindered[_i].rolled_back)
        return;
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    if (hindered[_i].patch != NULL)
        change_object(hindered[_i].patch());
    hinder(_i);
    hf_simupdate_set_gate(w, "app", hindered[_i].gate);
    ck_assert(hf_simupdate_settle(w));
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    ck_assert_msg(strcmp(hf_simupdate_target(w, HF_SIM_TARGET), held ? "stray" : "v2") == 0, "%s", hindered[_i].name);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* A newer release waits, was refused or has failed: the node keeps the committed one whole. */
static void publish_newer(int row, const char *content, bool as_tree)
{
    json_t *patch = hindered[row].patch != NULL ? hindered[row].patch() : NULL;

    w->restart_r = hindered[row].rolled_back ? -EIO : 0;
    hinder(row);
    hf_simupdate_publish(
        w, &(struct hf_sim_release){
               .content = content, .tree = as_tree, .patch_after = patch, .sign_with = hindered[row].sign_with});
    hf_simupdate_set_gate(w, "app", hindered[row].gate);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    if (!hindered[row].rolled_back)
        ck_assert_str_eq(hf_simupdate_see(w, "app").reason, hindered[row].reason);
    else
        ck_assert_int_eq(hf_simupdate_see(w, "app").phase, HF_PHASE_ROLLED_BACK);
    w->restart_r = 0;
}

START_TEST(drift_behind_a_newer_release)
{
    int row = _i / 2;
    const char *want = hindered[row].repaired ? "v2" : "stray";

    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    publish_newer(row, "v3", false);
    if (_i % 2 == 1) {
        hf_simupdate_kill(w);
        hf_simupdate_boot(w);
        hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    }
    hf_simupdate_put_old(w, "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    ck_assert_msg(strcmp(hf_simupdate_target(w, HF_SIM_TARGET), want) == 0, "%s: %s", hindered[row].name,
                  hf_simupdate_see(w, "app").message);
    ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v3");
    if (!hindered[row].rolled_back)
        ck_assert_str_eq(hf_simupdate_see(w, "app").reason, hindered[row].reason);
    if (!hindered[row].turn_missing) /* the verified file waits beside the target */
        expect_clean();
    /* The file is removed; the second repair waits, but comes. */
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 1200 * HF_NS_PER_S);
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), hindered[row].repaired ? "v2" : "absent");
    /* And the next good release comes. */
    w->turn_missing = w->writes_used_up = w->disk_critical = false;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 9});
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    expect_clean();
}
END_TEST

/* Nobody trusts the committed release any more, so nothing downloads it again. */
START_TEST(drift_behind_without_keys)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    publish_newer(2, "v3", false);
    hf_simfs_delete(w->fs, "/etc/holdfast/trust.d/k1.pem");
    hf_simupdate_tell(w);
    hf_simupdate_put_old(w, "stray");
    size_t asked = hf_fake_http_count(w->http);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    expect_target("stray");
    ck_assert_uint_eq(hf_fake_http_count(w->http), asked);
}
END_TEST

/* The artifact of the committed release is gone from the server: the newer release need not wait for it. */
START_TEST(drift_behind_gives_way)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    ck_assert(hf_simupdate_settle(w));
    publish_newer(2, "v3", false);
    hf_simupdate_put_old(w, "stray");
    lose_kept();
    w->answer.status = 404;
    hf_simupdate_serve(w);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect_target("stray");
    w->answer.status = 0;
    hf_simupdate_serve(w);
    change_object(json_pack("{s:{s:b}}", "spec", "suspend", false));
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
    expect_clean();
}
END_TEST

#define APP "/opt/app/current/bin/app"

static void install_tree(const char *content)
{
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = content, .tree = true});
    if (w->engine == NULL)
        hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}

/* The path without links of a file in the tree in use. */
static const char *in_tree(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "/opt/app/%s/%s", hf_simfs_link_text(w->fs, "/opt/app/current"), name);
    return path;
}

static void put_in_tree(const char *name, const char *content)
{
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    hf_simfs_put(w->fs, in_tree(name), bytes, n, 0755);
}

/* As with files: a file more makes another tree, too. */
START_TEST(a_tree_changes_in_probation)
{
    install_tree("v2");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .tree = true, .sequence = 3});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_PROBATION));
    put_in_tree(_i == 0 ? "lib/more" : "bin/app", _i == 0 ? "stray" : "v2");
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    expect("app", HF_PHASE_WAITING, "TargetChanged");
    ck_assert_str_eq(hf_simupdate_see(w, "app").installed, "v2");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v2");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v3");
    expect_clean();
}
END_TEST

static const struct {
    const char *name, *put, *gone, *link;
} tampered[] = {
    {"a file with the same size", "bin/app", NULL, NULL},
    {"another file", "bin/more", NULL, NULL},
    {"a file in a folder of its own", "share/new/plugin", NULL, NULL},
    {"a removed file", NULL, "share/deep/note", NULL},
    {"a file that is a link", NULL, "share/deep/note", "share/deep/note"},
    {"a link that leads elsewhere", NULL, "bin/link", "bin/link"},
};

/* Whoever changes the content of a tree finds the whole signed tree in its place after the next look, in a folder of
 * its own; the changed one is gone. */
START_TEST(tree_with_other_content)
{
    install_tree("v2");
    char before[512];
    (void)snprintf(before, sizeof(before), "%s", in_tree(""));
    if (tampered[_i].gone != NULL)
        hf_simfs_delete(w->fs, in_tree(tampered[_i].gone));
    if (tampered[_i].put != NULL)
        put_in_tree(tampered[_i].put, "stray");
    if (tampered[_i].link != NULL)
        hf_simfs_symlink(w->fs, in_tree(tampered[_i].link), "/etc/passwd");
    hf_simupdate_look(w);
    ck_assert_msg(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING), "%s", tampered[_i].name);
    expect("app", HF_PHASE_WAITING, "Drifted");
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v2");
    ck_assert_str_eq(w->running, "v2");
    ck_assert_str_ne(before, in_tree(""));
    expect_clean();
    /* And once more: the repaired tree has a manifest too. */
    put_in_tree("bin/app", "stray");
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v2");
    ck_assert_str_eq(before, in_tree(""));
    expect_clean();
}
END_TEST

START_TEST(drift_behind_a_newer_tree)
{
    install_tree("v2");
    publish_newer(_i, "v3", true);
    put_in_tree("bin/app", "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    ck_assert_msg(strcmp(hf_simupdate_target(w, APP), hindered[_i].repaired ? "v2" : "stray") == 0, "%s: %s",
                  hindered[_i].name, hf_simupdate_see(w, "app").message);
    ck_assert_str_eq(hf_simupdate_see(w, "app").version, "v3");
    if (!hindered[_i].turn_missing)
        expect_clean();
    w->turn_missing = w->writes_used_up = w->disk_critical = false;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 9, .tree = true});
    hf_simupdate_set_gate(w, "app", HF_GATE_OPEN);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v3");
    expect_clean();
}
END_TEST

/* A lost journal makes the agent look at what is installed: it does not take a changed tree for the release. */
START_TEST(tree_is_not_taken_unread)
{
    install_tree("v2");
    put_in_tree("bin/app", "stray");
    hf_simupdate_kill(w);
    hf_simfs_delete(w->fs, UPDATES "/app/journal");
    if (_i == 1)
        hf_simfs_delete(w->fs, UPDATES "/app/floor.0");
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v2");
    expect_clean();
}
END_TEST

static void delete_manifest(void *arg, const char *path, const struct stat *st)
{
    char *found = arg;

    (void)st;
    if (strstr(path, "/manifest.") != NULL)
        (void)snprintf(found, 512, "%s", path);
}

/* Without a manifest, the canonical archive decides; a tree whose archive was not canonical is installed again. */
START_TEST(tree_without_manifest)
{
    char found[512] = "";
    size_t n;

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .tree = true, .canonical = _i > 0});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    hf_simfs_walk(w->fs, UPDATES, delete_manifest, found);
    ck_assert_str_ne(found, "");
    if (_i < 3)
        hf_simfs_delete(w->fs, found);
    else
        hf_simfs_put(w->fs, found, "holdfast manifest 1\nrubbish", 27, 0600);
    unsigned restarts = w->restarts;
    if (_i == 2)
        put_in_tree("bin/app", "stray");
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v2");
    ck_assert_uint_eq(w->restarts, restarts + (_i == 0 || _i == 2)); /* otherwise nothing was wrong */
    found[0] = '\0';
    hf_simfs_walk(w->fs, UPDATES, delete_manifest, found);
    ck_assert(hf_simfs_get(w->fs, found, &n) != NULL && n > 100);
    expect_clean();
}
END_TEST

/* The old tree changed while it ran: a rollback does not bring it back, and says so. */
START_TEST(no_rollback_to_a_changed_tree)
{
    install_tree("v2");
    put_in_tree(_i == 0 ? "bin/app" : "lib/more", "stray");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "broken", .tree = true, .sequence = 3});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_ROLLED_BACK, "RollbackFailed");
    ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, "has changed since it was installed"));
    ck_assert_str_eq(hf_simupdate_target(w, APP), "broken"); /* signed, at least */
    expect_clean();
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .tree = true, .sequence = 4});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, APP), "v3");
    expect_clean();
}
END_TEST

/* A changed mode or owner is restored in place, without a download and without a restart. */
START_TEST(rights_are_restored)
{
    bool is_tree = _i % 2 == 1;
    unsigned restarts;
    struct stat st;

    if (is_tree)
        install_tree("v2");
    else
        update_to(&(struct hf_sim_release){.content = "v2"});
    const char *path = is_tree ? in_tree("bin/app") : HF_SIM_TARGET;
    restarts = w->restarts;
    size_t requests = hf_fake_http_count(w->http);
    if (_i < 2)
        hf_simfs_chmod(w->fs, path, 04777);
    else
        hf_simfs_chown(w->fs, path, 1000, 1000);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 10 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "RightsRestored");
    ck_assert(hf_simfs_stat(w->fs, path, &st));
    ck_assert_msg((st.st_mode & 07777) == 0755 && st.st_uid == 0 && st.st_gid == 0, "%o %u", st.st_mode, st.st_uid);
    ck_assert_uint_eq(w->restarts, restarts);
    ck_assert_uint_eq(hf_fake_http_count(w->http), requests);
    expect_clean();
}
END_TEST

/* An update or a repair does not take over a mode that somebody gave to the installed file. */
START_TEST(rights_are_not_inherited)
{
    struct stat st;

    update_to(&(struct hf_sim_release){.content = "v2"});
    if (_i == 0)
        hf_simupdate_put_old(w, "stray");
    hf_simfs_chmod(w->fs, HF_SIM_TARGET, 04777);
    hf_simfs_chown(w->fs, HF_SIM_TARGET, 1000, 1000);
    if (_i == 0)
        hf_simupdate_look(w);
    else
        hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .sequence = 3});
    if (_i == 0)
        ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target(_i == 0 ? "v2" : "v3");
    ck_assert(hf_simfs_stat(w->fs, HF_SIM_TARGET, &st));
    ck_assert_msg((st.st_mode & 07777) == 0755 && st.st_uid == 0 && st.st_gid == 0, "%o %u", st.st_mode, st.st_uid);
    expect_clean();
}
END_TEST

static const struct {
    const char *folder;
    mode_t mode;
    uid_t uid;
    bool refused;
} guarded[] = {
    {"/opt/app/bin", 0777, 0, true}, {"/opt/app/bin", 0775, 0, true},    {"/opt/app/bin", 01777, 0, true},
    {"/opt/app", 0777, 0, true},     {"/opt/app/bin", 0755, 1000, true}, {"/opt/app", 0755, 1000, true},
    {"/opt", 0777, 0, true},         {"/opt", 0755, 1000, true},         {"/", 0777, 0, true},
    {"/", 01777, 0, false},          {"/opt/app/bin", 0700, 0, false},   {"/opt", 02755, 0, false},
};

/* Nothing is installed below a folder where another user could swap files; it goes on when the folder is safe. */
START_TEST(unsafe_folder)
{
    hf_simupdate_put_old(w, "v1");
    hf_simfs_chmod(w->fs, guarded[_i].folder, guarded[_i].mode);
    hf_simfs_chown(w->fs, guarded[_i].folder, guarded[_i].uid, 0);
    try_to(&(struct hf_sim_release){.content = "v2"});
    if (guarded[_i].refused) {
        expect("app", HF_PHASE_WAITING, "TargetUnsafe");
        ck_assert_ptr_nonnull(strstr(hf_simupdate_see(w, "app").message, guarded[_i].folder));
        expect_target("v1");
        ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
        hf_simfs_chmod(w->fs, guarded[_i].folder, 0755);
        hf_simfs_chown(w->fs, guarded[_i].folder, 0, 0);
        hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    }
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v2");
    expect_clean();
}
END_TEST

/* An update does not start if it would take what the node's configuration keeps free. */
START_TEST(disk_reserve)
{
    w->reserve_bytes = 3 * HF_SIM_CONTENT;
    hf_simupdate_put_old(w, "v1");
    hf_simfs_set_limit(w->fs, "/opt", 4 * HF_SIM_CONTENT);
    try_to(&(struct hf_sim_release){.content = "v2"});
    expect("app", HF_PHASE_WAITING, "DiskSpaceLow");
    ck_assert_uint_eq(hf_fake_http_count(w->http), 0);
    expect_target("v1");
    hf_simfs_set_limit(w->fs, "/opt", 9 * HF_SIM_CONTENT);
    hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_clean();
}
END_TEST

#define BESIDE(suffix) "/opt/app/bin/.holdfast-app." suffix

static const struct {
    const char *name;
    const char *path;
    char kind; /* h: hard link, l: symbolic link, f: file of another user, d: folder */
} planted[] = {
    {"hard link at .part", BESIDE("part"), 'h'},  {"link at .part", BESIDE("part"), 'l'},
    {"file at .part", BESIDE("part"), 'f'},       {"folder at .part", BESIDE("part"), 'd'},
    {"hard link at .new", BESIDE("new"), 'h'},    {"link at .new", BESIDE("new"), 'l'},
    {"file at .new", BESIDE("new"), 'f'},         {"hard link at .old", BESIDE("old"), 'h'},
    {"link at .old", BESIDE("old"), 'l'},         {"hard link at .point", BESIDE("point"), 'h'},
    {"link at .scratch", BESIDE("scratch"), 'l'}, {"hard link at .scratch", BESIDE("scratch"), 'h'},
    {"hard link at .step", BESIDE("step"), 'h'},  {"link at .step", BESIDE("step"), 'l'},
};

/* Names that somebody made beforehand never lead a write of the agent to another file. */
START_TEST(planted_names)
{
    static const char precious[] = "precious";
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    const char *path = planted[_i].path;
    size_t n;

    hf_simupdate_put_old(w, "v1");
    hf_simfs_put(w->fs, "/etc/shadow", precious, sizeof(precious), 0600);
    if (planted[_i].kind == 'h')
        ck_assert_int_eq(fs->linkat(fs->ctx, AT_FDCWD, "/etc/shadow", AT_FDCWD, path), 0);
    else if (planted[_i].kind == 'l')
        hf_simfs_symlink(w->fs, path, "/etc/shadow");
    else if (planted[_i].kind == 'd')
        hf_simfs_mkdir(w->fs, path, 0777);
    else
        hf_simfs_put(w->fs, path, precious, sizeof(precious), 0666);
    if (planted[_i].kind == 'f')
        hf_simfs_chown(w->fs, path, 1000, 1000);
    update_to(strstr(path, "step") != NULL ? &by_two : &(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target(strstr(path, "step") != NULL ? "v3" : "v2");
    const char *now = hf_simfs_get(w->fs, "/etc/shadow", &n);
    ck_assert_msg(n == sizeof(precious) && memcmp(now, precious, n) == 0, "%s", planted[_i].name);
    expect_clean();
}
END_TEST

/* Looks at an unchanged tree write nothing, and restart nothing. */
START_TEST(looks_write_nothing)
{
    install_tree("v2");
    hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(w->fs);
    for (int i = 0; i < 20; i++) {
        hf_simupdate_look(w);
        hf_simupdate_run_for(w, 300 * HF_NS_PER_S);
    }
    ck_assert_uint_eq(hf_simfs_calls(w->fs), calls);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* A download with a few bytes a minute lets other releases have the turn. */
START_TEST(too_slow)
{
    begin(&(struct hf_sim_release){.content = "v2"});
    hf_simclient_set_link(hf_fake_http_client(w->http), &(struct hf_simlink){.bytes_per_s = 10, .chunk_max = 5});
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_FETCHING));
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    expect("app", HF_PHASE_WAITING, "DownloadTooSlow");
    hf_simclient_set_link(hf_fake_http_client(w->http), &(struct hf_simlink){.bytes_per_s = 0});
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* More release names than fit into memory come and go on a node: their histories stay, and the floors with them; beyond
 * the maximum the engine refuses by name. */
START_TEST(many_histories)
{
    char name[24], path[64];
    bool full = false;

    hf_simupdate_boot(w);
    for (int i = 0; i < 300 && !full; i++) {
        (void)snprintf(name, sizeof(name), "tool-%d", i);
        (void)snprintf(path, sizeof(path), "/opt/tools/%s", name);
        hf_simupdate_publish(
            w, &(struct hf_sim_release){
                   .name = name, .version = "2", .content = "v2", .path = path, .no_restart = true, .no_checks = true});
        if (i == 100) { /* with a restart in between */
            hf_simupdate_kill(w);
            hf_simupdate_boot(w);
        }
        ck_assert(hf_simupdate_settle(w));
        full = hf_simupdate_see(w, name).name[0] == '\0';
        ck_assert_msg(full == (i == 256), "%s", name);
        ck_assert_int_eq(w->set_r, full ? -E2BIG : 0);
        if (!full)
            expect(name, HF_PHASE_COMMITTED, "NoHealthChecks");
        hf_simupdate_withdraw(w, name);
    }
    ck_assert(full);
    hf_simupdate_publish(w, &(struct hf_sim_release){.name = "tool-7",
                                                     .version = "1",
                                                     .sequence = 1,
                                                     .content = "v1",
                                                     .path = "/opt/tools/tool-7",
                                                     .no_restart = true,
                                                     .no_checks = true});
    ck_assert(hf_simupdate_settle(w));
    expect("tool-7", HF_PHASE_REJECTED, "SequenceTooLow");
    hf_simupdate_publish(w, &(struct hf_sim_release){.name = "tool-9",
                                                     .version = "3",
                                                     .sequence = 3,
                                                     .content = "v3",
                                                     .path = "/opt/tools/tool-9",
                                                     .no_restart = true,
                                                     .no_checks = true});
    ck_assert(hf_simupdate_settle(w));
    expect("tool-9", HF_PHASE_COMMITTED, "NoHealthChecks");
    ck_assert_str_eq(hf_simupdate_see(w, "tool-9").from, "2");
}
END_TEST

/* ---- several ----------------------------------------------------------------------------------------------------- */

START_TEST(others_go_on)
{
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v2", .url = "http://files/none"});
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.name = "bad", .content = "v2", .sign_with = "other", .path = "/opt/x"});
    hf_simupdate_publish(
        w,
        &(struct hf_sim_release){
            .name = "other", .content = "v3", .path = "/usr/local/bin/other", .no_restart = true, .no_checks = true});
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DownloadRefused");
    expect("bad", HF_PHASE_REJECTED, "UnknownKey");
    expect("other", HF_PHASE_COMMITTED, "NoHealthChecks");
    ck_assert_str_eq(hf_simupdate_target(w, "/usr/local/bin/other"), "v3");
    expect_target("v1");
}
END_TEST

START_TEST(one_at_a_time)
{
    static const char *const names[] = {"a", "b", "c"};
    struct hf_sim_release release = {.content = "v2", .no_checks = true, .no_restart = true};

    for (size_t i = 0; i < HF_LEN(names); i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/opt/%s", names[i]);
        release.name = names[i];
        release.path = path;
        hf_simupdate_publish(w, &release);
    }
    hf_simupdate_boot(w);
    for (bool more = true; more; more = hf_simloop_step(w->loop) && w->loop != NULL) {
        unsigned running = 0, done = 0;
        for (size_t i = 0; i < HF_LEN(names); i++) {
            enum hf_phase phase = hf_simupdate_see(w, names[i]).phase;
            running += phase == HF_PHASE_FETCHING || phase == HF_PHASE_PATCHING || phase == HF_PHASE_VERIFIED ||
                       phase == HF_PHASE_SWAPPING || phase == HF_PHASE_PROBATION;
            done += phase == HF_PHASE_COMMITTED;
        }
        ck_assert_uint_le(running, 1);
        if (done == HF_LEN(names))
            break;
    }
    ck_assert(hf_simupdate_settle(w));
    expect_clean();
}
END_TEST

START_TEST(two_for_one_path)
{
    update_to(&(struct hf_sim_release){.name = "one", .content = "v2"});
    update_to(&(struct hf_sim_release){.name = "a", .content = "v3"});
    expect("one", HF_PHASE_COMMITTED, "HealthPassed");
    expect("a", HF_PHASE_REJECTED, "PathTaken");
    expect_target("v2");
    hf_simupdate_withdraw(w, "one");
    ck_assert(hf_simupdate_settle(w));
    expect("a", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v3");
}
END_TEST

START_TEST(two_engines)
{
    struct hf_update_engine *second = NULL;
    const char *const roots[] = {"/opt", NULL};
    struct hf_err err = HF_ERR_INIT;

    hf_simupdate_boot(w);
    struct hf_update_params params = {.world = hf_simproc_world(w->proc, hf_simfs_ops(w->fs)),
                                      .state_dir = "/var/lib/holdfast",
                                      .trust_dir = "/t",
                                      .arch = "amd64",
                                      .roots = roots};
    ck_assert_int_eq(hf_update_engine_new(&params, &second, &err), -EWOULDBLOCK);
    ck_assert_ptr_nonnull(strstr(err.cause, "lock"));
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* A lost journal in any phase: the status reports it, and the update ends well from the state of the disk. */
START_TEST(journal_damaged)
{
    static const enum hf_phase phases[] = {HF_PHASE_WAITING,  HF_PHASE_FETCHING,  HF_PHASE_PATCHING, HF_PHASE_VERIFIED,
                                           HF_PHASE_SWAPPING, HF_PHASE_PROBATION, HF_PHASE_COMMITTED};
    struct stat st;

    begin(&(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
    ck_assert(hf_simupdate_until_phase(w, "app", phases[_i]));
    hf_simupdate_kill(w);
    hf_simfs_put(w->fs, UPDATES "/app/journal", "garbage", 7, 0600);
    hf_simupdate_boot(w);
    ck_assert_str_eq(hf_simupdate_see(w, "app").reason, "JournalDamaged");
    ck_assert(hf_simupdate_settle(w));
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(seen.phase == HF_PHASE_COMMITTED, "%s %s", hf_phase_name(seen.phase), seen.reason);
    expect_target("v2");
    ck_assert_str_eq(w->running, "v2");
    ck_assert(hf_simfs_stat(w->fs, UPDATES "/app/journal.damaged", &st));
    hf_simfs_delete(w->fs, UPDATES "/app/journal.damaged");
    expect_clean();
}
END_TEST

/* Every call of an update fails once (n-th call, for n = 1, 2, ...): in the end the state is right, and no files
 * remain. */
START_TEST(errno_at_every_call)
{
    static const struct {
        int code;
        uint64_t times;
    } rows[] = {{EIO, 1}, {ENOSPC, 3}, {EROFS, 1}};
    struct hf_simwalk walk = {.name = (const char *[]){"an error", "a full disk", "a read-only one"}[_i]};
    uint64_t last = 0;

    for (; hf_simwalk_next(&walk); last = walk.at > last ? walk.at : last) {
        uint64_t n = walk.at;
        struct hf_simupdate *each = hf_simupdate_new(n);
        w->check = check_whole;
        hf_simupdate_put_old(each, "v1");
        hf_simupdate_publish(each, &(struct hf_sim_release){.content = "v2", .delta_from = "v1"});
        hf_simfs_fail_at(each->fs, n, rows[_i].code, rows[_i].times);
        hf_simupdate_boot(each);
        while (each->engine == NULL) { /* the start failed: the next one succeeds */
            hf_simupdate_stop(each);
            hf_simupdate_boot(each);
        }
        (void)hf_simupdate_settle(each);
        (void)hf_simwalk_saw(&walk, each->fs);
        struct hf_sim_seen seen = hf_simupdate_see(each, "app");
        const char *left = hf_simupdate_leftover(each);
        /* Where the removal failed, too, the next write, or the next look at what is kept, replaces it. */
        if (left != NULL && (strstr(left, "journal.new") != NULL || strstr(left, ".link.new") != NULL))
            left = NULL;
        if (seen.phase != HF_PHASE_COMMITTED || left != NULL) {
            hf_simfs_trace(each->fs, stderr);
            ck_abort_msg("call %d: %s %s (%s), left behind %s", (int)n, hf_phase_name(seen.phase), seen.reason,
                         seen.message, left);
        }
        ck_assert_str_eq(hf_simupdate_target(each, HF_SIM_TARGET), "v2");
        hf_simupdate_free(each);
    }
    ck_assert_uint_gt(last, 150);
}
END_TEST

/* ENOSPC from the n-th writing call on, until somebody frees space: the status says so, and the old or the new version
 * is in place. */
START_TEST(disk_full_from_each_write_on)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simupdate *each = hf_simupdate_new(n);
        hf_simupdate_put_old(each, "v1");
        hf_simupdate_publish(each, &(struct hf_sim_release){.content = "v2"});
        hf_simupdate_boot(each);
        hf_simfs_count_only(each->fs, HF_SIMFS_GROWS);
        hf_simfs_fail_at(each->fs, n, ENOSPC, 0);
        hf_simupdate_run_for(each, 5 * 60 * HF_NS_PER_S);
        bool reached = hf_simfs_failed(each->fs) > 0;
        struct hf_sim_seen seen = hf_simupdate_see(each, "app");
        if (reached)
            ck_assert_msg(strcmp(seen.reason, "DiskFull") == 0 || strcmp(seen.reason, "StateNotWritable") == 0 ||
                              seen.phase == HF_PHASE_COMMITTED,
                          "call %d: %s %s (%s)", (int)n, hf_phase_name(seen.phase), seen.reason, seen.message);
        ck_assert_str_ne(hf_simupdate_target(each, HF_SIM_TARGET), "torn");
        hf_simfs_fail_at(each->fs, 0, 0, 0);
        ck_assert(hf_simupdate_settle(each));
        ck_assert_uint_eq(hf_simupdate_see(each, "app").phase, HF_PHASE_COMMITTED);
        ck_assert_str_eq(hf_simupdate_target(each, HF_SIM_TARGET), "v2");
        ck_assert_msg(hf_simupdate_leftover(each) == NULL, "call %d: %s", (int)n, hf_simupdate_leftover(each));
        hf_simupdate_free(each);
        if (!reached)
            break;
    }
}
END_TEST

/* Once settled, the engine writes nothing, sends nothing and does nothing on timers for a day. */
START_TEST(quiet_when_settled)
{
    update_to(&(struct hf_sim_release){.content = "v2"});
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(w->fs);
    for (int i = 0; i < 24; i++) {
        hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
        hf_simupdate_tell(w);
    }
    ck_assert_uint_eq(hf_simfs_calls(w->fs), calls);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
}
END_TEST

/* How files and trees arrive: by deltas, as a whole, from a file. */
static void methods(TCase *tc)
{
    tcase_add_test(tc, delta);
    tcase_add_test(tc, two_deltas);
    tcase_add_test(tc, two_deltas_and_a_restart);
    tcase_add_loop_test(tc, the_file_between_is_spoilt, 0, 4);
    tcase_add_test(tc, another_one_between);
    tcase_add_loop_test(tc, deltas_that_do_not_fit, 0, 5);
    tcase_add_test(tc, whole_file);
    tcase_add_test(tc, packed_file);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_test(tc, tree);
    tcase_add_loop_test(tc, tree_by_two_deltas, 0, 2);
    tcase_add_test(tc, first_install);
    tcase_add_test(tc, first_install_comes_back);
    tcase_add_test(tc, nothing_to_restart_or_check);
    tcase_add_test(tc, installed_already);
    tcase_add_test(tc, owner_mode_and_attributes);
    tcase_add_test(tc, no_delta_for_this_old_one);
    tcase_add_loop_test(tc, damaged_deltas, 0, 4);
    tcase_add_test(tc, a_breaking_link);
}

/* Restarts, servers and files that misbehave. */
static void interruptions(TCase *tc)
{
    tcase_add_loop_test(tc, goes_on_after_a_restart, 0, 3);
    tcase_add_loop_test(tc, goes_on_from_the_note, 0, 2);
    tcase_add_loop_test(tc, goes_on_after_a_shutdown, 0, 8);
    tcase_add_test(tc, starts_nothing_after_a_shutdown);
    tcase_add_test(tc, the_artifact_changes_between);
    tcase_add_loop_test(tc, bad_servers, 0, (int)HF_LEN(answers));
    tcase_add_loop_test(tc, wrong_as_a_whole, 0, 2);
    tcase_add_test(tc, always_anew);
    tcase_add_test(tc, away_for_long);
    tcase_add_test(tc, from_a_file);
    tcase_add_loop_test(tc, bad_files, 0, (int)HF_LEN(files));
}

/* What may start, and when: signatures, the node's configuration, gates, turns, dates. */
static void permissions(TCase *tc)
{
    tcase_add_loop_test(tc, refusals, 0, (int)HF_LEN(refused));
    tcase_add_test(tc, a_key_arrives);
    tcase_add_test(tc, no_keys);
    tcase_add_test(tc, downgrade_that_is_signed);
    tcase_add_test(tc, floor_without_journal);
    tcase_add_loop_test(tc, misfits, 0, 5);
    tcase_add_loop_test(tc, units_that_start_pods, 0, 2);
    tcase_add_test(tc, unit_that_the_node_forbids);
    tcase_add_loop_test(tc, commands_that_the_node_forbids, 0, 2);
    tcase_add_loop_test(tc, devices_from_a_pod, 0, 2);
    tcase_add_loop_test(tc, gates, 0, 3);
    tcase_add_test(tc, a_window);
    tcase_add_test(tc, a_gate_closes_in_the_middle);
    tcase_add_test(tc, writes_used_up);
    tcase_add_loop_test(tc, link_closed, 0, 3);
    tcase_add_test(tc, critical_disk);
    tcase_add_loop_test(tc, a_turn, 0, 2);
    tcase_add_loop_test(tc, a_turn_that_goes_during_the_swap, 0, 3);
    tcase_add_test(tc, a_turn_is_not_waited_for_by_other_releases);
    tcase_add_test(tc, expires_in_the_middle);
    tcase_add_loop_test(tc, an_unsure_clock, 0, HF_LEN(unsure));
    tcase_add_test(tc, expired_by_a_lie);
    tcase_add_test(tc, a_window_at_two_times);
    tcase_add_test(tc, a_window_and_the_error_of_the_clock);
}

/* Releases that go, and what follows from restarts and checks. */
static void verdicts(TCase *tc)
{
    tcase_add_loop_test(tc, withdrawn_in_the_middle, 0, 4);
    tcase_add_loop_test(tc, another_one_in_the_middle, 0, 4);
    tcase_add_test(tc, rolled_back_and_not_again);
    tcase_add_test(tc, restart_fails);
    tcase_add_test(tc, the_unit_is_given_up);
    tcase_add_loop_test(tc, unit_is_not_there, 0, 2);
    tcase_add_test(tc, systemd_is_away_for_a_moment);
    tcase_add_test(tc, hooks_and_probes);
    tcase_add_test(tc, a_check_hangs);
    tcase_add_loop_test(tc, restart_by_a_command, 0, 3);
    tcase_add_loop_test(tc, restart_that_does_not_end, 0, 2);
    tcase_add_loop_test(tc, three_starts_without_a_verdict, 0, 2);
    tcase_add_test(tc, starts_in_probation);
    tcase_add_test(tc, drift_behind_a_failing_download);
    tcase_add_loop_test(tc, alone, 0, 2);
}

/* Disks and targets that do not fit, and files that change afterwards. */
static void places(TCase *tc)
{
    tcase_add_test(tc, too_little_space);
    tcase_add_test(tc, read_only);
    tcase_add_test(tc, another_device);
    tcase_add_loop_test(tc, strange_targets, 0, (int)HF_LEN(targets));
    tcase_add_loop_test(tc, a_link_swapped_in, 0, 3);
    tcase_add_loop_test(tc, the_target_changes, 0, 3);
    tcase_add_test(tc, the_old_file_is_put_back_in_probation);
    tcase_add_loop_test(tc, the_target_changes_in_one_probation, 0, HF_LEN(meddled));
    tcase_add_test(tc, a_repair_is_disturbed);
    tcase_add_test(tc, the_old_version_is_not_what_it_was);
    tcase_add_test(tc, a_first_install_is_disturbed);
    tcase_add_loop_test(tc, a_tree_changes_in_probation, 0, 2);
    tcase_add_loop_test(tc, drift, 0, 2);
    tcase_add_test(tc, drift_before_the_watch);
    tcase_add_loop_test(tc, drift_while_the_agent_was_down, 0, 3);
    tcase_add_test(tc, drift_after_a_long_repair);
    tcase_add_loop_test(tc, drift_while_hindered, 0, HF_LEN(hindered));
    tcase_add_loop_test(tc, drift_behind_a_newer_release, 0, 2 * HF_LEN(hindered));
    tcase_add_loop_test(tc, drift_behind_a_newer_tree, 0, HF_LEN(hindered));
    tcase_add_test(tc, drift_behind_without_keys);
    tcase_add_test(tc, drift_behind_gives_way);
    tcase_add_loop_test(tc, drift_that_stays, 0, 2);
    tcase_add_loop_test(tc, drift_of_a_tree, 0, 2);
    tcase_add_loop_test(tc, tree_with_other_content, 0, (int)HF_LEN(tampered));
    tcase_add_loop_test(tc, tree_is_not_taken_unread, 0, 2);
    tcase_add_loop_test(tc, tree_without_manifest, 0, 4);
    tcase_add_loop_test(tc, no_rollback_to_a_changed_tree, 0, 2);
    tcase_add_loop_test(tc, rights_are_restored, 0, 4);
    tcase_add_loop_test(tc, rights_are_not_inherited, 0, 2);
    tcase_add_test(tc, looks_write_nothing);
    tcase_add_loop_test(tc, unsafe_folder, 0, (int)HF_LEN(guarded));
    tcase_add_test(tc, disk_reserve);
    tcase_add_loop_test(tc, planted_names, 0, (int)HF_LEN(planted));
}

/* Several releases, damage, and the silence afterwards. */
static void together(TCase *tc)
{
    tcase_add_test(tc, too_slow);
    tcase_add_test(tc, many_histories);
    tcase_add_test(tc, others_go_on);
    tcase_add_test(tc, one_at_a_time);
    tcase_add_test(tc, two_for_one_path);
    tcase_add_test(tc, two_engines);
    tcase_add_loop_test(tc, journal_damaged, 0, 7);
    tcase_add_loop_test(tc, errno_at_every_call, 0, 3);
    tcase_add_test(tc, disk_full_from_each_write_on);
    tcase_add_test(tc, quiet_when_settled);
}

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    methods(tc);
    interruptions(tc);
    permissions(tc);
    verdicts(tc);
    places(tc);
    together(tc);
}

HF_TEST_MAIN_CPU("update/engine", cases, 300)
