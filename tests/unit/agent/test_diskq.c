/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/diskq.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

#define DIR "/state/cache"

struct scene {
    struct hf_simfs *fs;
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_diskq *queue;
    unsigned moved;
};

static void moved(void *arg)
{
    struct scene *s = arg;

    s->moved++;
}

static void open_queue(struct scene *s)
{
    struct hf_cache *cache = NULL;

    s->proc = hf_simproc_new(s->loop, "node");
    ck_assert_int_eq(hf_cache_open(hf_simfs_ops(s->fs), DIR, &cache, NULL), 0);
    struct hf_diskq_params params = {
        .world = hf_simproc_world(s->proc, hf_simfs_ops(s->fs)), .cache = cache, .changed = moved, .arg = s};
    s->queue = hf_diskq_new(&params);
    ck_assert_ptr_nonnull(s->queue);
}

static void set_up(struct scene *s)
{
    *s = (struct scene){.fs = hf_simfs_new(), .loop = hf_simloop_new(0)};
    hf_simfs_mkdir(s->fs, "/state", 0755);
    open_queue(s);
}

static void tear_down(struct scene *s)
{
    hf_simproc_kill(s->proc);
    hf_diskq_free(s->queue);
    hf_simproc_free(s->proc);
    hf_simloop_free(s->loop);
    ck_assert_uint_eq(hf_simfs_open_fds(s->fs), 0);
    hf_simfs_free(s->fs);
}

static void run(struct scene *s)
{
    (void)hf_simloop_run_for(s->loop, HF_NS_PER_S);
}

static void put(struct scene *s, const char *name, int version)
{
    json_t *object = json_pack("{s:{s:s}, s:{s:i}}", "metadata", "name", name, "spec", "v", version);

    hf_diskq_put(s->queue, "EdgeUpdate", object);
    json_decref(object);
}

static void mark(struct scene *s, const char *resource_version)
{
    struct hf_cache_resume mark = {.last_contact_unix_ns = 5};

    (void)strncat(mark.resource_version, resource_version, sizeof(mark.resource_version) - 1);
    hf_diskq_set_resume(s->queue, "EdgeUpdate", &mark);
}

/* What a next life finds: the sum of the versions of all objects, and the mark. */
struct found {
    int sum;
    unsigned n;
    struct hf_cache_resume mark;
};

static int add_up(void *arg, json_t *object)
{
    struct found *found = arg;

    found->sum += (int)hf_json_int_or(object, "spec.v", 0);
    found->n++;
    return 0;
}

static struct found look(struct scene *s)
{
    struct found found = {0};
    struct hf_cache *cache = NULL;
    unsigned damaged = 0;

    ck_assert_int_eq(hf_cache_open(hf_simfs_ops(s->fs), DIR, &cache, NULL), 0);
    ck_assert_int_eq(hf_cache_load(cache, "EdgeUpdate", "EdgeUpdate", add_up, &found, &found.mark, &damaged, NULL), 0);
    ck_assert_uint_eq(damaged, 0);
    hf_cache_free(cache);
    return found;
}

START_TEST(in_order_and_whole)
{
    struct scene s;

    set_up(&s);
    put(&s, "a", 1);
    put(&s, "b", 2);
    mark(&s, "7");
    put(&s, "a", 10); /* replaces what waits */
    hf_diskq_remove(s.queue, "EdgeUpdate", "b");
    hf_diskq_write(s.queue, "/state/clock", HF_VIEW("tick"));
    hf_diskq_write(s.queue, "/state/gone", HF_VIEW("x"));
    hf_diskq_erase(s.queue, "/state/gone");
    ck_assert(!hf_diskq_idle(s.queue));
    run(&s);
    ck_assert(hf_diskq_idle(s.queue));
    ck_assert_uint_ge(s.moved, 1);
    struct found found = look(&s);
    ck_assert_int_eq(found.sum, 10);
    ck_assert_str_eq(found.mark.resource_version, "7");
    size_t n = 0;
    ck_assert_ptr_nonnull(hf_simfs_get(s.fs, "/state/clock", &n));
    ck_assert_ptr_null(hf_simfs_get(s.fs, "/state/gone", &n));
    tear_down(&s);
}
END_TEST

/* The promise that resuming stands on: wherever a life ends, the mark on the disk is not ahead of the objects. */
START_TEST(a_mark_is_never_ahead)
{
    for (uint64_t n = 1;; n++) {
        struct scene s;
        set_up(&s);
        hf_simfs_count_only(s.fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(s.fs, n);
        for (int i = 1; i <= 3; i++) {
            put(&s, "a", i);
            put(&s, i % 2 == 0 ? "b" : "c", i);
            mark(&s, i == 1 ? "1" : i == 2 ? "2" : "3");
            run(&s);
        }
        bool stopped = hf_simfs_stopped(s.fs);
        hf_simproc_kill(s.proc);
        hf_diskq_free(s.queue);
        hf_simproc_free(s.proc);
        hf_simfs_power_cut(s.fs, n);
        struct found found = look(&s);
        int told = found.mark.resource_version[0] == '\0' ? 0 : found.mark.resource_version[0] - '0';
        static const int least[] = {0, 2, 5, 8}; /* a=1 c=1; a=2 b=2 c=1; a=3 b=2 c=3 */
        ck_assert_msg(found.sum >= least[told], "call %d: mark %d with a sum of %d", (int)n, told, found.sum);
        open_queue(&s);
        tear_down(&s);
        if (!stopped)
            break;
    }
}
END_TEST

START_TEST(a_failure_waits_with_its_mark)
{
    struct scene s;
    char text[256];

    set_up(&s);
    hf_simfs_set_read_only(s.fs, "/state", true);
    put(&s, "a", 1);
    mark(&s, "7");
    run(&s);
    ck_assert(hf_diskq_idle(s.queue));
    ck_assert(hf_diskq_failing(s.queue, text, sizeof(text)));
    put(&s, "a", 2); /* newer than what failed: that is forgotten */
    run(&s);
    hf_simfs_set_read_only(s.fs, "/state", false);
    hf_diskq_retry(s.queue);
    run(&s);
    ck_assert(!hf_diskq_failing(s.queue, text, sizeof(text)));
    struct found found = look(&s);
    ck_assert_int_eq(found.sum, 2);
    ck_assert_str_eq(found.mark.resource_version, "7");
    tear_down(&s);
}
END_TEST

/* A version that the agent refuses is all that the disk has of an object without a good one. If the mark were ahead of
 * it, the next process would know of no such object, and would take away what came from it. */
START_TEST(a_mark_waits_for_a_refused_version)
{
    struct scene s;
    json_t *refused = json_pack("{s:{s:s}}", "metadata", "name", "a");

    set_up(&s);
    hf_simfs_mount(s.fs, DIR "/EdgeUpdateRefused");
    hf_simfs_set_read_only(s.fs, DIR "/EdgeUpdateRefused", true);
    hf_diskq_put(s.queue, "EdgeUpdateRefused", refused);
    mark(&s, "7");
    run(&s);
    hf_diskq_retry(s.queue);
    run(&s);
    ck_assert_str_eq(look(&s).mark.resource_version, "");
    hf_simfs_set_read_only(s.fs, DIR "/EdgeUpdateRefused", false);
    hf_diskq_retry(s.queue);
    run(&s);
    ck_assert_str_eq(look(&s).mark.resource_version, "7");
    json_decref(refused);
    tear_down(&s);
}
END_TEST

/* What the cache can never take is dropped, and takes the trust in marks with it: the next start asks for everything. */
START_TEST(a_hopeless_one_spoils_the_marks)
{
    struct scene s;

    set_up(&s);
    put(&s, "../evil", 1);
    put(&s, "a", 2);
    run(&s);
    mark(&s, "7");
    run(&s);
    struct found found = look(&s);
    ck_assert_int_eq(found.sum, 2);
    ck_assert_str_eq(found.mark.resource_version, "");
    tear_down(&s);
}
END_TEST

/* The same if the mark is in the batch of the hopeless one, and fails with it. */
START_TEST(a_hopeless_one_spoils_the_mark_beside_it)
{
    struct scene s;

    set_up(&s);
    put(&s, "a", 2); /* its job starts, and leaves the next three for one batch */
    put(&s, "../evil", 1);
    put(&s, "b", 1);
    mark(&s, "7");
    run(&s);
    put(&s, "a", 3); /* starts a job, which tries the mark again */
    run(&s);
    hf_diskq_retry(s.queue);
    run(&s);
    struct found found = look(&s);
    ck_assert_int_eq(found.sum, 4);
    ck_assert_str_eq(found.mark.resource_version, "");
    ck_assert_uint_eq(found.mark.last_contact_unix_ns, 5); /* only the version is lost */
    tear_down(&s);
}
END_TEST

/* And if the mark waits while the job of the hopeless one runs. */
START_TEST(a_hopeless_one_spoils_the_mark_that_waits)
{
    struct scene s;

    set_up(&s);
    put(&s, "../evil", 1); /* its job starts */
    mark(&s, "7");
    run(&s);
    ck_assert_str_eq(look(&s).mark.resource_version, "");
    tear_down(&s);
}
END_TEST

START_TEST(freed_in_the_middle)
{
    struct scene s;

    set_up(&s);
    put(&s, "a", 1);
    hf_diskq_free(s.queue); /* its job is on its way: it ends by itself */
    s.queue = NULL;
    run(&s);
    ck_assert_uint_eq(hf_simproc_jobs(s.proc), 0);
    tear_down(&s);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, in_order_and_whole);
    tcase_add_test(tc, a_mark_is_never_ahead);
    tcase_add_test(tc, a_failure_waits_with_its_mark);
    tcase_add_test(tc, a_mark_waits_for_a_refused_version);
    tcase_add_test(tc, a_hopeless_one_spoils_the_marks);
    tcase_add_test(tc, a_hopeless_one_spoils_the_mark_beside_it);
    tcase_add_test(tc, a_hopeless_one_spoils_the_mark_that_waits);
    tcase_add_test(tc, freed_in_the_middle);
}

HF_TEST_MAIN("agent/diskq", cases)
