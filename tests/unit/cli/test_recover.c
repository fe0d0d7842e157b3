/* SPDX-License-Identifier: Apache-2.0 */
/* recover: what it says of a node's releases, also of damaged ones, and the way back to the committed content, with a
 * power cut at each write; on the disk that real lives of the update engine have left. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/node/recover_release.h"
#include "support/check_main.h"
#include "support/fakes/simupdate.h"

#define FOLDER "/var/lib/holdfast/updates/app"
#define APP "/opt/app/current/bin/app"

static struct hf_simupdate *w;
static struct hf_recover_release seen;
static bool is_tree, is_foreign; /* foreign: the archive is none that holdfast made */

static void setup(void)
{
    w = hf_simupdate_new(0);
    seen = (struct hf_recover_release){.folder = NULL};
    is_foreign = false;
}

static void teardown(void)
{
    hf_cli_recover_release_done(&seen);
    hf_simupdate_free(w);
}

static const char *content(void)
{
    return hf_simupdate_target(w, is_tree ? APP : HF_SIM_TARGET);
}

static void remove_target(void)
{
    hf_simfs_delete(w->fs, is_tree ? "/opt/app/current" : HF_SIM_TARGET);
}

/* The file behind the link of the tree. */
static const char *inside(void)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "/opt/app/%s/bin/app", hf_simfs_link_text(w->fs, "/opt/app/current"));
    return path;
}

/* v1, then v2, are committed; then the agent is gone. */
static void begin(bool tree)
{
    bool canonical = tree && !is_foreign;

    is_tree = tree;
    w->retain = (struct hf_kept_policy){.previous = true, .max_bytes = 1 << 20};
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v1", .tree = tree, .canonical = canonical, .sequence = 1});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    hf_simupdate_publish(
        w, &(struct hf_sim_release){.content = "v2", .tree = tree, .canonical = canonical, .sequence = 2});
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(content(), "v2");
    hf_simupdate_kill(w);
}

static struct hf_recover_node node(void)
{
    static const char *const roots[] = {"/opt", NULL};

    return (struct hf_recover_node){.fs = hf_simfs_ops(w->fs),
                                    .state_dir = "/var/lib/holdfast",
                                    .trust_dir = "/etc/holdfast/trust.d",
                                    .arch = "amd64",
                                    .roots = roots,
                                    .uid = 0};
}

static void look(void)
{
    struct hf_recover_node here = node();

    hf_cli_recover_release_done(&seen);
    ck_assert_int_eq(hf_cli_recover_look(&here, "app", &seen, NULL), 0);
}

static unsigned begun;
static bool was_right;

/* The journal is told before the content changes: no cut hides who put it back. */
static void begins(void *arg)
{
    (void)arg;
    begun++;
    ck_assert(was_right || strcmp(content(), "v2") != 0);
}

static int put(struct hf_failure *failure)
{
    struct hf_recover_node here = node();

    *failure = (struct hf_failure){.reason = HF_R_None, .err = HF_ERR_INIT};
    begun = 0;
    was_right = strcmp(content(), "v2") == 0;
    int r = hf_cli_recover_put(&here, &seen, begins, NULL, failure);
    ck_assert(begun == 1 || (begun == 0 && r < 0));
    return r;
}

START_TEST(all_is_well)
{
    begin(_i == 1);
    look();
    ck_assert_msg(seen.installed == HF_RECOVER_RIGHT, "%s", seen.what);
    ck_assert_uint_eq(seen.n_damage, 0);
    ck_assert_str_eq(seen.signature, "Valid");
    ck_assert(seen.trusted);
    ck_assert_str_eq(seen.committed->release.version, "v2");
    ck_assert_str_eq(seen.previous->release.version, "v1");
    ck_assert_int_eq(seen.kept.verdict, HF_RECOVER_RIGHT);
    ck_assert_int_eq(seen.kept_previous.verdict, HF_RECOVER_RIGHT);
}
END_TEST

static void find_manifest(void *arg, const char *path, const struct stat *st)
{
    char *name = arg;

    (void)st;
    if (strncmp(path, FOLDER "/manifest.", strlen(FOLDER "/manifest.")) == 0)
        (void)snprintf(name, 256, "%s", path);
}

static void lose_manifest(void)
{
    char name[256];
    unsigned n = 0;

    for (;; n++) {
        name[0] = '\0';
        hf_simfs_walk(w->fs, FOLDER, find_manifest, name);
        if (name[0] == '\0')
            break;
        hf_simfs_delete(w->fs, name);
    }
    ck_assert_uint_gt(n, 0);
}

static void chmod_target(void)
{
    hf_simfs_chmod(w->fs, is_tree ? inside() : HF_SIM_TARGET, 0700);
}

static void tear_journal(void)
{
    hf_simfs_put(w->fs, FOLDER "/journal", "torn", 4, 0600);
}

/* Whatever it finds, a look writes nothing, and what it found can be put right. */
START_TEST(a_look_changes_nothing)
{
    static const struct {
        void (*damage)(void);
        enum hf_recover_verdict verdict;
    } rows[] = {{remove_target, HF_RECOVER_WRONG},
                {chmod_target, HF_RECOVER_WRONG},
                {lose_manifest, HF_RECOVER_RIGHT},
                {tear_journal, HF_RECOVER_RIGHT}};
    struct hf_failure failure;

    begin(_i >= 4);
    rows[_i % 4].damage();
    uint64_t changes = hf_simfs_changes(w->fs);
    look();
    ck_assert_uint_eq(hf_simfs_changes(w->fs), changes);
    ck_assert_msg(seen.installed == rows[_i % 4].verdict, "%s", seen.what);
    ck_assert_msg(put(&failure) == 0, "%s", failure.err.cause);
    look();
    ck_assert_msg(seen.installed == HF_RECOVER_RIGHT, "%s", seen.what);
    ck_assert_str_eq(content(), "v2");
}
END_TEST

/* A file of a tree is gone: the tree is made again beside the wrong one. */
START_TEST(a_part_of_a_tree)
{
    struct hf_failure failure;

    begin(true);
    for (unsigned i = 0; i < 3; i++) { /* in the last round the wrong tree of the first one is there, and no link */
        if (i < 2)
            hf_simfs_delete(w->fs, inside());
        else
            remove_target();
        look();
        ck_assert_int_eq(seen.installed, HF_RECOVER_WRONG);
        ck_assert_msg(put(&failure) == 0, "%u: %s", i, failure.err.cause);
        look();
        ck_assert_msg(seen.installed == HF_RECOVER_RIGHT, "%s", seen.what);
        ck_assert_str_eq(content(), "v2");
    }
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_ptr_null(hf_simupdate_leftover(w));
}
END_TEST

/* What is kept of such an archive never has its hash: that is no damage. What is in place has a manifest. */
START_TEST(a_foreign_archive)
{
    struct hf_failure failure;

    is_foreign = true;
    begin(true);
    look();
    ck_assert_msg(seen.installed == HF_RECOVER_RIGHT, "%s", seen.what);
    ck_assert_int_eq(seen.kept.verdict, HF_RECOVER_ABSENT);
    remove_target();
    look();
    ck_assert_int_eq(seen.installed, HF_RECOVER_WRONG);
    ck_assert_int_eq(seen.kept.source, HF_KEPT_IN_PLACE);
    ck_assert_int_eq(seen.kept.verdict, HF_RECOVER_RIGHT);
    ck_assert_msg(put(&failure) == 0, "%s", failure.err.cause);
    ck_assert_str_eq(content(), "v2");
    hf_simfs_delete(w->fs, inside());
    look();
    ck_assert_int_eq(put(&failure), -EOPNOTSUPP);
}
END_TEST

/* The state folder is damaged in each of its files; what the others say is enough, and nothing is set aside. */
START_TEST(damaged_state)
{
    static const char *const files[] = {"journal", "committed", "previous"};
    char path[128];
    struct stat st;
    struct hf_failure failure;

    begin(_i >= 6);
    (void)snprintf(path, sizeof(path), FOLDER "/%s", files[_i % 3]);
    if (_i % 6 < 3)
        hf_simfs_put(w->fs, path, "torn", 4, 0600);
    else
        hf_simfs_delete(w->fs, path);
    remove_target();
    look();
    bool says = _i % 6 < 3 || _i % 3 == 0, known = _i % 3 != 1; /* `committed` alone says what content belongs here */
    ck_assert_msg((seen.n_damage == 1) == says, "%s: %zu", path, seen.n_damage);
    int r = put(&failure);
    ck_assert_msg(r == (known ? 0 : -EOPNOTSUPP), "%s: %s", path, failure.err.cause);
    ck_assert_str_eq(content(), known ? "v2" : "absent");
    ck_assert(hf_simfs_stat(w->fs, path, &st) == (_i % 6 < 3));
    hf_simupdate_boot(w); /* and the next agent lives with it */
    hf_simupdate_run_for(w, 10 * HF_NS_PER_S);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(content(), "v2");
}
END_TEST

/* What somebody else may have made decides nothing. */
START_TEST(hostile_folder)
{
    struct hf_failure failure;

    begin(false);
    remove_target();
    hf_simfs_symlink(w->fs, "/var/lib/holdfast/updates/evil", FOLDER);
    struct hf_recover_node here = node();
    ck_assert_int_eq(hf_cli_recover_look(&here, "evil", &seen, NULL), 0);
    ck_assert_uint_eq(seen.n_damage, 1);
    ck_assert_ptr_nonnull(strstr(seen.damage[0], "no folder of the agent's own"));
    ck_assert_int_lt(hf_cli_recover_put(&here, &seen, begins, NULL, &failure), 0);
    here.uid = 1000; /* of another user than the agent's */
    hf_cli_recover_release_done(&seen);
    ck_assert_int_eq(hf_cli_recover_look(&here, "app", &seen, NULL), 0);
    ck_assert_uint_eq(seen.n_damage, 1);
    ck_assert_int_lt(hf_cli_recover_put(&here, &seen, begins, NULL, &failure), 0);
    ck_assert_str_eq(content(), "absent");
}
END_TEST

START_TEST(nobody_trusts_it)
{
    struct hf_failure failure;

    begin(_i == 1);
    remove_target();
    hf_simfs_delete(w->fs, "/etc/holdfast/trust.d/k1.pem");
    look();
    ck_assert(!seen.trusted);
    ck_assert_int_eq(put(&failure), -EKEYREJECTED);
    ck_assert_str_eq(content(), "absent");
}
END_TEST

static bool cut_at(uint64_t at)
{
    struct hf_failure failure;

    begin(is_tree);
    remove_target();
    look();
    ck_assert_int_eq(seen.installed, HF_RECOVER_WRONG);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, at);
    int r = put(&failure);
    bool cut = hf_simfs_stopped(w->fs);
    ck_assert_msg(cut || r == 0, "%s", failure.err.cause);
    hf_simfs_stop_at(w->fs, 0);
    hf_simupdate_power_cut(w, at);
    ck_assert_msg(strcmp(content(), "absent") == 0 || strcmp(content(), "v2") == 0, "cut at %ju: %s", (uintmax_t)at,
                  content());
    look();
    r = seen.installed == HF_RECOVER_RIGHT ? 0 : put(&failure);
    ck_assert_msg(r == 0 && strcmp(content(), "v2") == 0, "cut at %ju: %s", (uintmax_t)at, failure.err.cause);
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_str_eq(content(), "v2");
    const char *left = hf_simupdate_leftover(w);
    ck_assert_msg(left == NULL, "cut at %ju: left behind: %s", (uintmax_t)at, left);
    return cut;
}

START_TEST(a_cut_at_each_write)
{
    uint64_t at = 1;

    is_tree = _i == 1;
    for (; cut_at(at); at++) {
        teardown();
        setup();
    }
    ck_assert_uint_gt(at, 3);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, all_is_well, 0, 2);
    tcase_add_loop_test(tc, a_look_changes_nothing, 0, 8);
    tcase_add_test(tc, a_part_of_a_tree);
    tcase_add_test(tc, a_foreign_archive);
    tcase_add_loop_test(tc, damaged_state, 0, 12);
    tcase_add_test(tc, hostile_folder);
    tcase_add_loop_test(tc, nobody_trusts_it, 0, 2);
    tcase_add_loop_test(tc, a_cut_at_each_write, 0, 2);
}

HF_TEST_MAIN_CPU("cli/recover", cases, 120)
