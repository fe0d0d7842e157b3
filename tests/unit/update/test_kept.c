/* SPDX-License-Identifier: Apache-2.0 */
/* What the node keeps of committed versions, and that it repairs and goes down from there while the server has
 * nothing. */
#include <errno.h>
#include <fcntl.h>

#include "update/kept/choice.h"
#include "update_world.h"

#define MIB (UINT64_C(1) << 20)
#define APP "/opt/app/current/bin/app"
#define TREE_KEPT "/opt/app/.holdfast-app.kept"
#define FILE_KEPT "/opt/app/bin/.holdfast-app.kept"

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct hf_kept_facts facts;
    bool copy, previous;
} choices[] = {
    {"no policy", {.size = MIB, .previous_size = MIB}, false, false},
    {"both", {{true, true, 4 * MIB, false}, HF_KEPT_ROOM, MIB, MIB, false, false}, true, true},
    {"both at once", {{true, true, 4 * MIB, false}, HF_KEPT_ROOM, MIB, MIB, false, true}, true, true},
    {"nothing before", {{true, true, 4 * MIB, false}, HF_KEPT_ROOM, MIB, 0, false, false}, true, false},
    {"only previous", {{false, true, 4 * MIB, false}, HF_KEPT_ROOM, MIB, MIB, false, false}, false, true},
    {"previous goes first", {{true, true, 3 * MIB, false}, HF_KEPT_ROOM, 2 * MIB, 2 * MIB, false, false}, false, true},
    {"too large", {{true, true, MIB, false}, HF_KEPT_ROOM, 2 * MIB, 2 * MIB, false, false}, false, false},
    {"previous too large", {{true, true, 2 * MIB, false}, HF_KEPT_ROOM, MIB, 3 * MIB, false, false}, true, false},
    {"warned: nothing new", {{true, true, 4 * MIB, false}, HF_KEPT_WARN, MIB, MIB, false, true}, false, false},
    {"warned: what is there stays", {{true, true, 4 * MIB, false}, HF_KEPT_WARN, MIB, MIB, true, false}, true, true},
    {"critical", {{true, true, 4 * MIB, false}, HF_KEPT_CRITICAL, MIB, MIB, true, false}, false, false},
};

START_TEST(choice)
{
    struct hf_kept_choice got = hf_kept_choose(&choices[_i].facts);

    ck_assert_msg(got.copy == choices[_i].copy && got.previous == choices[_i].previous, "%s: copy %d, previous %d",
                  choices[_i].name, got.copy, got.previous);
}
END_TEST

START_TEST(order_of_sources)
{
    bool there[HF_KEPT_SOURCES] = {false};

    ck_assert_int_eq(hf_kept_source_choose(there), HF_KEPT_NOWHERE);
    for (int one = HF_KEPT_SOURCES - 1; one > HF_KEPT_NOWHERE; one--) {
        there[one] = true; /* the order of the enum is that of preference */
        ck_assert_int_eq(hf_kept_source_choose(there), one);
    }
    ck_assert(!hf_kept_source_needs_space(HF_KEPT_LINK, false) && !hf_kept_source_needs_space(HF_KEPT_IN_PLACE, true));
    ck_assert(hf_kept_source_needs_space(HF_KEPT_LINK, true) && hf_kept_source_needs_space(HF_KEPT_COPY, false));
}
END_TEST

/* ---- without the server ------------------------------------------------------------------------------------------ */

static const char *target(bool tree)
{
    return tree ? APP : HF_SIM_TARGET;
}

static void count_one(void *arg, const char *path, const struct stat *st)
{
    unsigned *n = arg;

    *n += strncmp(path, FILE_KEPT "/", sizeof(FILE_KEPT)) == 0 && S_ISREG(st->st_mode);
}

static unsigned count_kept(void)
{
    unsigned n = 0;

    hf_simfs_walk(w->fs, "/opt", count_one, &n);
    return n;
}

static bool is_there(const char *path)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    struct stat st;

    return fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void lose_server(void)
{
    w->answer.status = 404;
    hf_simupdate_serve(w);
}

static void install(bool tree, const char *content, uint64_t sequence)
{
    update_to(&(struct hf_sim_release){
        .content = content, .sequence = sequence, .tree = tree, .canonical = tree, .no_restart = tree});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, target(tree)), content);
}

static const char *path_in_tree(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "/opt/app/%s/%s", hf_simfs_link_text(w->fs, "/opt/app/current"), name);
    return path;
}

static void expect_repaired(bool tree)
{
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(seen.phase == HF_PHASE_COMMITTED, "%s: %s", seen.reason, seen.message);
    ck_assert_str_eq(seen.method, "Kept");
    ck_assert_uint_eq(seen.bytes_fetched, 0);
    ck_assert_str_eq(hf_simupdate_target(w, target(tree)), "v2");
    expect_clean();
}

START_TEST(a_removed_file)
{
    install(false, "v2", 2);
    lose_server();
    for (unsigned i = 0; i < 4; i++) { /* the second name is there again after each repair */
        if (i % 2 == 0)
            hf_simfs_delete(w->fs, HF_SIM_TARGET);
        else
            hf_simupdate_put_old(w, "stray");
        expect_repaired(false);
        hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    }
}
END_TEST

START_TEST(a_removed_part_of_a_tree)
{
    install(true, "v2", 2);
    lose_server();
    switch (_i) {
    case 0:
        hf_simfs_delete(w->fs, "/opt/app/current");
        break;
    case 1:
        hf_simfs_delete(w->fs, "/opt/app/current");
        hf_simfs_symlink(w->fs, "/opt/app/current", "elsewhere");
        break;
    case 2:
        hf_simfs_delete(w->fs, path_in_tree("bin/app"));
        break;
    default:
        hf_simfs_delete(w->fs, path_in_tree("bin/app"));
        hf_simfs_put(w->fs, path_in_tree("bin/app"), "stray", 5, 0755);
    }
    expect_repaired(true);
    hf_simupdate_run_for(w, 3600 * HF_NS_PER_S);
    hf_simfs_delete(w->fs, path_in_tree("bin/app")); /* the repaired tree is kept as the first one was */
    expect_repaired(true);
}
END_TEST

/* A second name shares its content with the installed file: what was changed in place is repaired from a copy only. */
START_TEST(changed_in_place)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);

    w->retain = (struct hf_kept_policy){.current = _i == 1, .max_bytes = MIB};
    install(false, "v2", 2);
    lose_server();
    int fd = fs->openat(fs->ctx, AT_FDCWD, HF_SIM_TARGET, O_WRONLY, 0, HF_FS_ANY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)fs->pwrite(fs->ctx, fd, "?", 1, 100), 1);
    (void)fs->close(fs->ctx, fd);
    w->check = NULL;
    if (_i == 1) {
        expect_repaired(false);
        return;
    }
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DownloadRefused");
    w->answer.status = 0;
    hf_simupdate_serve(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_COMMITTED));
    expect_target("v2");
}
END_TEST

/* A release that is signed to go down to content of the version before costs no byte, if that is kept. */
START_TEST(down_to_the_version_before)
{
    bool tree = _i >= 2, kept = _i % 2 == 0;

    w->retain = (struct hf_kept_policy){.previous = kept, .max_bytes = MIB};
    install(tree, "v2", 2);
    install(tree, "v3", 3);
    lose_server();
    begin(&(struct hf_sim_release){.content = "v2",
                                   .version = "down",
                                   .sequence = 2,
                                   .tree = tree,
                                   .canonical = tree,
                                   .no_restart = tree,
                                   .patch = json_pack("{s:{s:{s:[i]}}}", "spec", "release", "downgradeFrom", 3)});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    struct hf_sim_seen seen = hf_simupdate_see(w, "app");
    ck_assert_msg(seen.phase == (kept ? HF_PHASE_COMMITTED : HF_PHASE_WAITING), "%s", seen.message);
    ck_assert_str_eq(hf_simupdate_target(w, target(tree)), kept ? "v2" : "v3");
    ck_assert(!kept || seen.bytes_fetched == 0);
}
END_TEST

/* A new life that has not read its policy yet, as behind a lost cache, removes nothing that a policy kept. */
START_TEST(before_the_policy_is_read)
{
    w->retain = (struct hf_kept_policy){.previous = true, .max_bytes = MIB};
    install(false, "v2", 2);
    install(false, "v3", 3);
    unsigned before = count_kept();
    w->retain = (struct hf_kept_policy){.unread = true};
    for (unsigned i = 0; i < 2; i++) {
        hf_simupdate_kill(w);
        hf_simupdate_boot(w);
        ck_assert(hf_simupdate_settle(w));
        hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
        ck_assert(i == 0 ? count_kept() == before : count_kept() < before);
        w->retain.unread = false; /* it is read, and keeps none */
    }
}
END_TEST

static void new_life(bool unread)
{
    w->retain.unread = unread;
    hf_simupdate_kill(w);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
}

/* As an agent's own releases, which commit at the start of the new agent: of ten the last two are kept, and once the
 * policy is read, what it says; without waiting for the next look. */
START_TEST(commits_before_the_policy_is_read)
{
    static const char *const contents[] = {"v2", "v3", "v1"};

    w->retain.unread = true;
    for (unsigned i = 0; i < 10; i++) {
        install(false, contents[i % HF_LEN(contents)], 2 + i);
        new_life(true);
        ck_assert_uint_le(count_kept(), 2);
    }
    ck_assert_uint_eq(count_kept(), 2);
    hf_update_engine_set_retain(w->engine, &(const struct hf_kept_policy){.previous = _i == 1, .max_bytes = MIB});
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), _i == 1 ? 2 : 1);
    expect_clean();
}
END_TEST

static uint64_t used_bytes(void)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    struct statvfs now;
    int fd = fs->openat(fs->ctx, AT_FDCWD, "/opt", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);

    ck_assert_int_eq(fs->fstatvfs(fs->ctx, fd, &now), 0);
    (void)fs->close(fs->ctx, fd);
    return (now.f_blocks - now.f_bavail) * now.f_bsize;
}

/* The room that the version before takes, which the policy does not keep, is that of a newer release: if the policy
 * becomes known while it waits for room, or it has begun to wait in a life before. */
START_TEST(room_for_a_newer_release)
{
    hf_simfs_mount(w->fs, "/opt");
    w->retain.unread = true;
    w->reserve_bytes = 1;
    install(false, "v2", 2);
    install(false, "v3", 3);
    ck_assert_uint_eq(count_kept(), 2);
    hf_simfs_set_limit(w->fs, "/opt", used_bytes() + HF_SIM_CONTENT / 2);
    begin(&(struct hf_sim_release){.content = "v1", .sequence = 4});
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_WAITING, "DiskSpaceLow");
    ck_assert_uint_eq(count_kept(), 2);
    if (_i == 1)
        new_life(false);
    else
        hf_update_engine_set_retain(w->engine, &(const struct hf_kept_policy){.unread = false});
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    expect_target("v1");
    ck_assert_uint_eq(count_kept(), 1);
}
END_TEST

/* What is kept goes with the path that it belongs to; two paths in one folder share what is kept. */
START_TEST(another_path)
{
    bool same_folder = _i == 1;

    w->retain = (struct hf_kept_policy){.current = true, .previous = true, .max_bytes = MIB};
    install(false, "v2", 2);
    ck_assert_uint_eq(count_kept(), 1);
    update_to(&(struct hf_sim_release){
        .content = "v3", .sequence = 3, .path = same_folder ? "/opt/app/bin/other" : "/opt/other/app"});
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_uint_eq(count_kept(), same_folder ? 2 : 0);
    ck_assert(same_folder == is_there(FILE_KEPT));
    ck_assert(same_folder != is_there("/opt/other/.holdfast-app.kept"));
    expect_target("v2");
}
END_TEST

/* Without an EdgeUpdate nobody repairs: what costs nothing goes, so that the installed file's bytes are free once it is
 * removed; what the policy keeps stays for the site's way back. */
START_TEST(a_release_that_goes)
{
    bool unread = _i == 2;

    w->retain = (struct hf_kept_policy){.previous = _i == 1, .max_bytes = MIB, .unread = unread};
    install(false, "v2", 2);
    install(false, "v3", 3);
    hf_simupdate_withdraw(w, "app");
    hf_simupdate_tell(w);
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), (unsigned)_i);
    new_life(unread);
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), (unsigned)_i);
    hf_update_engine_set_retain(w->engine, &(const struct hf_kept_policy){.max_bytes = MIB});
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), 0);
    ck_assert(!is_there(FILE_KEPT));
    expect_target("v3");
}
END_TEST

/* The site's hold keeps what is installed, not what a policy keeps no more: committed, or behind a newer release. */
START_TEST(a_policy_of_a_held_release)
{
    w->retain = (struct hf_kept_policy){.current = true, .previous = true, .max_bytes = MIB};
    install(false, "v2", 2);
    install(false, "v3", 3);
    if (_i == 1)
        begin(&(struct hf_sim_release){.content = "v1", .sequence = 4});
    hf_simupdate_set_gate(w, "app", HF_GATE_HELD);
    hf_simupdate_tell(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_uint_eq(count_kept(), 2);
    hf_update_engine_set_retain(w->engine, &(const struct hf_kept_policy){.max_bytes = MIB});
    hf_simupdate_run_for(w, HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), 1);
    hf_simupdate_run_for(w, 60 * HF_NS_PER_S);
    ck_assert_uint_eq(count_kept(), 1);
    expect_target("v3");
}
END_TEST

/* Two releases with the same file: the second takes it from the first. */
START_TEST(content_of_another_release)
{
    install(false, "v2", 2);
    lose_server();
    update_to(&(struct hf_sim_release){.name = "twin", .content = "v2", .path = "/opt/twin/app", .no_restart = true});
    expect("twin", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_target(w, "/opt/twin/app"), "v2");
    ck_assert_uint_eq(hf_simupdate_see(w, "twin").bytes_fetched, 0);
}
END_TEST

/* ---- hostile neighbours ------------------------------------------------------------------------------------------ */

static void find_kept(void *arg, const char *path, const struct stat *st)
{
    char *found = arg;

    if (strncmp(path, FILE_KEPT "/", sizeof(FILE_KEPT)) == 0 && S_ISREG(st->st_mode))
        (void)snprintf(found, 512, "%s", path);
}

/* Whatever lies where content is kept: it is not installed, and no file elsewhere changes. */
START_TEST(planted)
{
    static const char secret[] = "root:secret";
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    char kept[512] = "";
    struct stat st;
    size_t n;

    install(false, "v2", 2);
    hf_simfs_put(w->fs, "/etc/shadow", secret, sizeof(secret), 0600);
    hf_simfs_walk(w->fs, "/opt", find_kept, kept);
    ck_assert_str_ne(kept, "");
    hf_simfs_delete(w->fs, kept);
    switch (_i) {
    case 0: /* a hard link of another file */
        ck_assert_int_eq(fs->linkat(fs->ctx, AT_FDCWD, "/etc/shadow", AT_FDCWD, kept), 0);
        break;
    case 1:
        hf_simfs_symlink(w->fs, kept, "/etc/shadow");
        break;
    case 2:
        hf_simfs_put(w->fs, kept, hf_sim_content("v3", &n), HF_SIM_CONTENT, 0644);
        break;
    case 3: /* the folder is a link */
        hf_simfs_delete(w->fs, FILE_KEPT);
        hf_simfs_symlink(w->fs, FILE_KEPT, "/etc");
        break;
    default: /* the folder belongs to somebody else */
        hf_simfs_put(w->fs, kept, hf_sim_content("v2", &n), HF_SIM_CONTENT, 0644);
        hf_simfs_chmod(w->fs, FILE_KEPT, 0777);
    }
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    w->check = NULL;
    hf_simupdate_look(w);
    ck_assert(hf_simupdate_until_phase(w, "app", HF_PHASE_WAITING));
    ck_assert(hf_simupdate_settle(w));
    expect("app", HF_PHASE_COMMITTED, "HealthPassed");
    ck_assert_str_eq(hf_simupdate_see(w, "app").method, "Full");
    expect_target("v2");
    ck_assert(hf_simfs_stat(w->fs, "/etc/shadow", &st) && (st.st_mode & 07777) == 0600);
    ck_assert_mem_eq(hf_simfs_get(w->fs, "/etc/shadow", &n), secret, sizeof(secret));
}
END_TEST

/* ---- cuts -------------------------------------------------------------------------------------------------------- */

static bool repair_with_cut(bool tree, uint64_t at)
{
    w->retain = (struct hf_kept_policy){.previous = true, .max_bytes = MIB};
    install(tree, "v3", 1);
    install(tree, "v2", 2);
    lose_server();
    w->check = NULL;
    hf_simfs_delete(w->fs, tree ? path_in_tree("bin/app") : HF_SIM_TARGET);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, at);
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    bool cut = hf_simfs_stopped(w->fs);
    hf_simupdate_power_cut(w, at);
    hf_simupdate_boot(w);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    hf_simupdate_look(w);
    ck_assert_msg(hf_simupdate_until_phase(w, "app", HF_PHASE_COMMITTED), "cut at %ju", (uintmax_t)at);
    hf_simupdate_run_for(w, 30 * HF_NS_PER_S);
    ck_assert_msg(strcmp(hf_simupdate_target(w, target(tree)), "v2") == 0, "cut at %ju: %s", (uintmax_t)at,
                  hf_simupdate_see(w, "app").message);
    return cut;
}

START_TEST(a_cut_at_each_write_of_a_repair)
{
    for (uint64_t at = 1; at < 400; at++) {
        bool cut = repair_with_cut(_i == 1, at);
        teardown();
        setup();
        if (!cut) {
            ck_assert_uint_gt(at, 10);
            return;
        }
    }
    ck_abort_msg("the repair does not end");
}
END_TEST

/* A full disk: the second name of a file needs no space, so it comes back. */
START_TEST(a_full_disk)
{
    hf_simfs_mount(w->fs, "/opt");
    install(false, "v2", 2);
    lose_server();
    hf_simfs_set_limit(w->fs, "/opt", 4096);
    hf_simfs_delete(w->fs, HF_SIM_TARGET);
    expect_repaired(false);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, choice, 0, HF_LEN(choices));
    tcase_add_test(tc, order_of_sources);
    tcase_add_test(tc, a_removed_file);
    tcase_add_loop_test(tc, a_removed_part_of_a_tree, 0, 4);
    tcase_add_loop_test(tc, changed_in_place, 0, 2);
    tcase_add_loop_test(tc, down_to_the_version_before, 0, 4);
    tcase_add_test(tc, content_of_another_release);
    tcase_add_test(tc, before_the_policy_is_read);
    tcase_add_loop_test(tc, commits_before_the_policy_is_read, 0, 2);
    tcase_add_loop_test(tc, room_for_a_newer_release, 0, 2);
    tcase_add_loop_test(tc, another_path, 0, 2);
    tcase_add_loop_test(tc, a_release_that_goes, 0, 3);
    tcase_add_loop_test(tc, a_policy_of_a_held_release, 0, 2);
    tcase_add_loop_test(tc, planted, 0, 5);
    tcase_add_loop_test(tc, a_cut_at_each_write_of_a_repair, 0, 2);
    tcase_add_test(tc, a_full_disk);
}

HF_TEST_MAIN_CPU("update/kept", all, 120)
