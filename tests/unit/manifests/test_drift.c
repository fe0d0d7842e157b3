/* SPDX-License-Identifier: Apache-2.0 */
/* Drift of one entry: when a look begins, and which folders are watched. */
#include <errno.h>
#include <string.h>

#include "loop/watch.h"
#include "manifests/repair.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

struct node {
    struct hf_bare bare;
    struct hf_watch_ops ops;
    char paths[8][64];
    void (*fire)(void *arg);
    void *fire_arg;
    size_t n, told;
    int fails; /* what add() returns; 0: it succeeds */
};

static int add(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
               struct hf_err *err)
{
    struct node *node = ctx;

    if (node->fails < 0)
        return hf_err_sys(err, node->fails, "watch '%s'", path);
    (void)snprintf(node->paths[node->n], sizeof(node->paths[0]), "%s", path);
    *ret_watch = (struct hf_watch *)(void *)node->paths[node->n++];
    node->fire = fire;
    node->fire_arg = arg;
    return 0;
}

static void drop(void *ctx, struct hf_watch *watch)
{
    struct node *node = ctx;

    ck_assert_ptr_nonnull(watch);
    node->n--;
}

static void put(struct entry *entry, const char *path)
{
    struct hf_inventory_item item = {.path = (char *)(uintptr_t)path, .mode = 0644};

    ck_assert_int_eq(hf_inventory_put(&entry->inventory, &item), 0);
}

static void set_up(struct node *node)
{
    *node = (struct node){.n = 0};
    hf_bare_init(&node->bare, NULL);
    node->ops = (struct hf_watch_ops){.ctx = node, .add = add, .remove = drop};
    node->bare.engine.p.env.watch = &node->ops;
}

START_TEST(looks_begin_when_due)
{
    struct drift drift = {.state = HF_DRIFT_CLEAN};

    ck_assert(drift_want_at(&drift, 100));
    ck_assert(!drift_want_at(&drift, 120)); /* the first look shows both changes */
    ck_assert_uint_eq(drift.due_ns, 100);
    drift.full = true;
    ck_assert(drift_begin(&drift, 110));
    ck_assert(!drift.full && drift.looked_ns == 110 && drift.due_ns == 0);
    ck_assert(drift_want_at(&drift, 130)); /* the look in progress may have passed the file */
    drift_move(&drift, HF_DRIFT_EV_ENDED);
    ck_assert_int_eq(drift.state, HF_DRIFT_DUE);
    ck_assert(!drift_begin(&drift, 130));
    drift_pace(&drift, 500);
    ck_assert(drift_want_at(&drift, 200)); /* a change does not end a pause */
    ck_assert_uint_eq(drift.due_ns, 500);
    ck_assert_int_eq(drift.state, HF_DRIFT_PACED);
}
END_TEST

START_TEST(folders_are_watched_once)
{
    struct node node;

    set_up(&node);
    struct entry *entry = node.bare.entry;
    put(entry, "/etc/a/1");
    put(entry, "/etc/a/2");
    put(entry, "/etc/a/b/3");
    put(entry, "/etc/a/4");
    drift_watch(entry);
    ck_assert_uint_eq(node.n, 2);
    ck_assert_str_eq(node.paths[0], "/etc/a");
    ck_assert_str_eq(node.paths[1], "/etc/a/b");
    ck_assert_uint_eq(node.bare.engine.n_watches, 2);
    ck_assert(!entry->drift.watch_stale && !entry->drift.unwatched);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_DUE); /* a file may have changed before the watches */
    ck_assert(!drift_begin(&entry->drift, hf_steer_core_now_ns(&node.bare.engine.core)));
    node.fire(node.fire_arg);
    drift_move(&entry->drift, HF_DRIFT_EV_ENDED);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_DUE);
    ck_assert_uint_gt(entry->drift.due_ns,
                      hf_steer_core_now_ns(&node.bare.engine.core)); /* several changes, one look */
    drift_unwatch(entry);
    ck_assert_uint_eq(node.n + node.bare.engine.n_watches, 0);
    hf_bare_done(&node.bare);
}
END_TEST

START_TEST(unwatched_folders_are_looked_at)
{
    struct node node;

    set_up(&node);
    struct entry *entry = node.bare.entry;
    put(entry, "/etc/a/1");
    node.fails = -ENOSPC;
    drift_watch(entry);
    ck_assert(entry->drift.unwatched);
    node.fails = 0;
    entry->drift.watch_stale = true;
    node.bare.engine.n_watches = MANIFEST_MAX_WATCHES; /* other entries have all of them */
    drift_watch(entry);
    ck_assert(entry->drift.unwatched && node.n == 0);
    node.bare.engine.n_watches = 0;
    entry->drift.watch_stale = true;
    drift_watch(entry);
    ck_assert(!entry->drift.unwatched && node.n == 1);
    hf_bare_done(&node.bare);
}
END_TEST

static void happened(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    struct node *node = arg;

    (void)entry;
    (void)text;
    node->told += notice == HF_MANIFEST_NOTICE_DRIFT_REPAIRED;
}

/* A fight over a file is no news: one notice a minute, and a pause between looks that grows. */
START_TEST(repairs_are_told_seldom)
{
    struct node node;

    set_up(&node);
    struct entry *entry = node.bare.entry;
    node.bare.engine.p.happened = happened;
    node.bare.engine.p.arg = &node;
    for (unsigned i = 0; i < 4; i++)
        repair_tell(entry, "put back: x");
    ck_assert_uint_eq(node.told, 1);
    (void)hf_simloop_run_for(node.bare.loop, 61 * HF_NS_PER_S);
    drift_repaired(entry, "x (content)");
    ck_assert_uint_eq(node.told, 2);
    ck_assert_uint_eq(entry->r.drifts, 1);
    ck_assert_str_eq(entry->r.message, "put back: x (content)");
    drift_look_again(entry);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_PACED);
    ck_assert_uint_gt(entry->drift.due_ns, hf_steer_core_now_ns(&node.bare.engine.core));
    hf_bare_done(&node.bare);
}
END_TEST

/* No look without a good set, without files, or while something unproven is in place. */
START_TEST(looks_at_files_of_the_good_set)
{
    struct node node;

    set_up(&node);
    struct entry *entry = node.bare.entry;
    drift_want(&entry->drift);
    ck_assert(!drift_consider(entry));
    put(entry, "/etc/a/1");
    ck_assert(!drift_consider(entry));
    (void)snprintf(entry->r.good.key, sizeof(entry->r.good.key), "k");
    entry->r.phase = HF_MANIFEST_APPLIED;
    entry->r.unproven = true;
    ck_assert(!drift_consider(entry));
    entry->r.unproven = false;
    ck_assert(drift_consider(entry));
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_LOOKING);
    /* The file is not there, and the content of the set is lost: the repair fails, and a pause begins. */
    (void)hf_simloop_run_for(node.bare.loop, HF_NS_PER_S / 10);
    ck_assert_int_eq(entry->drift.state, HF_DRIFT_PACED);
    ck_assert(!entry->busy);
    ck_assert(!drift_consider(entry));
    ck_assert_uint_ne(node.bare.engine.core.wake_ns, HF_NEVER);
    hf_bare_done(&node.bare);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, looks_begin_when_due);
    tcase_add_test(tc, folders_are_watched_once);
    tcase_add_test(tc, unwatched_folders_are_looked_at);
    tcase_add_test(tc, repairs_are_told_seldom);
    tcase_add_test(tc, looks_at_files_of_the_good_set);
}

HF_TEST_MAIN("manifests/drift", cases)
