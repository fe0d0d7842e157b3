/* SPDX-License-Identifier: Apache-2.0 */
/* Two sinks, each on a disk of its own: if one fails to store an event, a repeated offer stores it there and makes no
 * duplicate at the other, over restarts too. */
#include "telemetry/sink/fanout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/check_main.h"
#include "support/fakes/simtele.h"

enum { ONE, TWO, SINKS, EVENTS = 4000 };

struct world {
    struct hf_simtele node;
    struct hf_telemetry_sink sinks[SINKS];
    struct hf_telemetry spec;
    struct hf_ids *ids;
    struct hf_fanout *fanout;
    bool away;
    unsigned seen[SINKS][EVENTS];
    uint64_t told_dropped;
    unsigned rooms, kept, failed;
    int log_fd; /* 0: no log */
};

/* ---- the sinks --------------------------------------------------------------------------------------------------- */

/* Sum or number of the values that follow each `mark`. */
static void find(struct hf_view body, const char *mark, void (*each)(struct world *world, size_t sink, unsigned long n),
                 struct world *world, size_t sink)
{
    size_t n = strlen(mark);

    for (const char *at = body.p; (at = memmem(at, body.n - (size_t)(at - body.p), mark, n)) != NULL; at++)
        each(world, sink, strtoul(at + n, NULL, 10));
}

static void see(struct world *world, size_t sink, unsigned long number)
{
    ck_assert_uint_lt(number, EVENTS);
    world->seen[sink][number]++;
}

static void hear_of_drops(struct world *world, size_t sink, unsigned long n)
{
    (void)sink;
    world->told_dropped += n;
}

static void handle(struct world *world, size_t sink, struct hf_simcall *call)
{
    if (world->away) {
        hf_simcall_fail(call, -EHOSTUNREACH);
        return;
    }
    find(hf_simcall_body(call), "\"id\":\"event-", see, world, sink);
    find(hf_simcall_body(call), "\"records\":\"", hear_of_drops, world, sink);
    hf_simcall_reply(call, 200, "", "");
}

static void handle_one(void *arg, struct hf_simcall *call)
{
    handle(arg, ONE, call);
}

static void handle_two(void *arg, struct hf_simcall *call)
{
    handle(arg, TWO, call);
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static void room(void *arg)
{
    ((struct world *)arg)->rooms++;
}

static void idle(void *arg)
{
    (void)arg;
}

static void start(struct world *world)
{
    hf_simtele_boot(&world->node);
    if (world->log_fd > 0)
        world->node.env.log = hf_log_new(world->log_fd, HF_LOG_ERROR, world->node.env.clock);
    world->ids = hf_ids_new(0, world->node.env.rand);
    world->fanout = hf_fanout_new(&(struct hf_fanout_params){.env = &world->node.env,
                                                             .http = hf_simclient_ops(world->node.client),
                                                             .ids = world->ids,
                                                             .room = room,
                                                             .idle = idle,
                                                             .arg = world});
    hf_fanout_open(world->fanout, &world->spec, 0);
}

static void run_s(struct world *world, unsigned s)
{
    hf_simtele_run_s(&world->node, s);
}

static void stop(struct world *world)
{
    hf_fanout_free(world->fanout);
    hf_log_free(world->node.env.log);
    hf_simtele_halt(&world->node);
    hf_ids_free(world->ids);
}

static void crash(struct world *world)
{
    hf_simproc_kill(world->node.proc);
    hf_simfs_kill(world->node.fs);
    stop(world);
    start(world);
}

static struct world *world_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof(*world));

    hf_simtele_init(&world->node, seed);
    world->sinks[ONE] = (struct hf_telemetry_sink){.name = "one", .url = "https://one/v1", .format = HF_SINK_JSON};
    world->sinks[TWO] = (struct hf_telemetry_sink){.name = "two", .url = "https://two/v1", .format = HF_SINK_JSON};
    world->spec = (struct hf_telemetry){.sinks = world->sinks,
                                        .n_sinks = SINKS,
                                        .buffer_max_bytes = 32 << 20,
                                        .batch_max_bytes = 65536,
                                        .batch_timeout_ns = HF_NS_PER_S,
                                        .compression = HF_COMPRESS_NONE,
                                        .max_attempts = 3,
                                        .retry_base_ns = 2 * HF_NS_PER_S,
                                        .max_duration_ns = 300 * HF_NS_PER_S};
    hf_simfs_mount(world->node.fs, "/data/two");
    hf_simnet_serve(world->node.net, "https://one/v1", handle_one, world);
    hf_simnet_serve(world->node.net, "https://two/v1", handle_two, world);
    return world;
}

static void world_free(struct world *world)
{
    stop(world);
    hf_simtele_done(&world->node);
    free(world);
}

struct one {
    struct hf_receipt receipt;
    struct world *world;
};

static void settled(struct hf_receipt *receipt)
{
    struct one *one = hf_container_of(receipt, struct one, receipt);

    *(receipt->r == 0 ? &one->world->kept : &one->world->failed) += 1;
    free(one);
}

static int offer_of(struct world *world, const char *uid, unsigned number)
{
    struct one *one = calloc(1, sizeof(*one));
    char id[32], body[1000];

    memset(body, 'x', sizeof(body));
    struct hf_event event = {.kind = HF_EVENT_LOG,
                             .source_class = HF_SOURCE_HTTP,
                             .severity = HF_SEVERITY_INFO,
                             .unix_ns = HF_SIM_UNIX_START,
                             .source = HF_VIEW("test"),
                             .peer_uid = hf_view_of(uid),
                             .id = {id, (size_t)snprintf(id, sizeof(id), "event-%u", number)},
                             .body = {body, sizeof(body)}};
    *one = (struct one){.receipt = {.settled = settled}, .world = world};
    hf_receipt_hold(&one->receipt);
    int r = hf_fanout_store(world->fanout, &event, 3, &one->receipt);
    if (r >= 0)
        hf_receipt_release(&one->receipt, 0);
    else
        free(one);
    return r;
}

static int offer(struct world *world, unsigned number)
{
    return offer_of(world, "", number);
}

static void check_seen(const struct world *world, unsigned number, unsigned at_one, unsigned at_two)
{
    ck_assert_msg(world->seen[ONE][number] == at_one && world->seen[TWO][number] == at_two,
                  "event %u: %u and %u times, not %u and %u", number, world->seen[ONE][number],
                  world->seen[TWO][number], at_one, at_two);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

START_TEST(a_sink_that_fails_does_not_double_at_the_others)
{
    struct world *world = world_new((uint64_t)_i);

    start(world);
    ck_assert_int_eq(offer(world, 0), HF_FANOUT_STORED);
    run_s(world, 5);
    hf_simfs_set_read_only(world->node.fs, "/data/two", true);
    for (unsigned times = 0; times < 3; times++) { /* the sender repeats the event */
        ck_assert_int_eq(offer(world, 1), HF_FANOUT_STORED);
        run_s(world, 5);
    }
    ck_assert_uint_eq(world->kept, 1);
    ck_assert_uint_eq(world->failed, 3);
    check_seen(world, 1, 1, 0);
    if (_i % 2 == 1) /* half of the rows restart here */
        crash(world);
    hf_simfs_set_read_only(world->node.fs, "/data/two", false);
    if (_i % 2 == 1)
        run_s(world, 31);
    ck_assert_int_eq(offer(world, 1), HF_FANOUT_STORED);
    run_s(world, 5);
    ck_assert_uint_eq(world->kept, 2);
    check_seen(world, 0, 1, 1);
    check_seen(world, 1, 1, 1);
    world_free(world);
}
END_TEST

START_TEST(what_all_of_them_have_is_known_after_a_restart)
{
    struct world *world = world_new(3);

    start(world);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(offer(world, i), HF_FANOUT_STORED);
    run_s(world, 5);
    crash(world);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(offer(world, i), HF_FANOUT_DUPLICATE);
    ck_assert_uint_eq(world->kept, 40); /* acknowledged at once */
    run_s(world, 5);
    for (unsigned i = 0; i < 20; i++)
        check_seen(world, i, 1, 1);
    world_free(world);
}
END_TEST

/* A sink that cannot be opened: the node accepts no events for it, and opens it as soon as that works. */
START_TEST(a_sink_that_cannot_be_opened_is_tried_again)
{
    struct world *world = world_new(4);
    const char *trouble;

    hf_simfs_put(world->node.fs, "/data/two/urgent", "x", 1, 0600);
    start(world);
    ck_assert_uint_eq(hf_fanout_outlets(world->fanout), 1);
    ck_assert_ptr_null(hf_fanout_outlet(world->fanout, TWO, &trouble));
    ck_assert_str_ne(trouble, "");
    ck_assert_ptr_null(hf_fanout_blocked(world->fanout, &trouble));
    ck_assert_int_eq(offer(world, 0), -EAGAIN);
    ck_assert_str_eq(hf_fanout_blocked(world->fanout, &trouble), "two");
    ck_assert_str_ne(trouble, "");
    run_s(world, 100);
    ck_assert_int_eq(offer(world, 0), -EAGAIN);
    hf_simfs_delete(world->node.fs, "/data/two/urgent");
    world->rooms = 0;
    run_s(world, 31);
    ck_assert_uint_gt(world->rooms, 0);
    ck_assert_ptr_nonnull(hf_fanout_outlet(world->fanout, TWO, &trouble));
    ck_assert_str_eq(trouble, "");
    ck_assert_ptr_null(hf_fanout_blocked(world->fanout, &trouble));
    ck_assert_int_eq(offer(world, 0), HF_FANOUT_STORED);
    run_s(world, 5);
    check_seen(world, 0, 1, 1);
    world_free(world);
}
END_TEST

/* A disk that does not give back a spool's files: the sink is not opened without them, at first. */
START_TEST(an_unreadable_sink_is_tried_again_before_it_counts_as_damaged)
{
    struct world *world = world_new(8);
    bool lasts = _i == 1;

    start(world);
    ck_assert_int_eq(offer(world, 0), HF_FANOUT_STORED);
    run_s(world, 5);
    world->away = true;
    ck_assert_int_eq(offer(world, 1), HF_FANOUT_STORED);
    run_s(world, 5);
    hf_simfs_count_only(world->node.fs, HF_SIMFS_READS);
    hf_simproc_kill(world->node.proc);
    hf_simfs_kill(world->node.fs);
    stop(world);
    hf_simfs_fail_at(world->node.fs, 1, EIO, 0);
    start(world);
    ck_assert_uint_eq(hf_fanout_outlets(world->fanout), 0);
    run_s(world, lasts ? 400 : 40);
    hf_simfs_fail_at(world->node.fs, 0, 0, 0);
    world->away = false;
    run_s(world, 40);
    ck_assert_uint_eq(hf_fanout_outlets(world->fanout), SINKS);
    ck_assert_int_eq(offer(world, 1), HF_FANOUT_DUPLICATE);
    run_s(world, 5);
    check_seen(world, 0, 1, 1);
    check_seen(world, 1, 1, 1);
    world_free(world);
}
END_TEST

/* The name of a sink in reports of its trouble. */
START_TEST(a_sink_without_a_name_is_the_default_one)
{
    struct world *world = world_new(6);
    char text[1024] = "";

    world->log_fd = memfd_create("log", MFD_CLOEXEC);
    world->sinks[TWO].name = NULL;
    hf_simfs_put(world->node.fs, "/data/default/urgent", "x", 1, 0600);
    start(world);
    ck_assert_int_gt(pread(world->log_fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_msg(strstr(text, "\"sink default\"") != NULL, "%s", text);
    ck_assert_int_eq(close(world->log_fd), 0);
    world_free(world);
}
END_TEST

/* An orderly stop: the next process reports the events dropped in the last seconds. */
START_TEST(what_was_dropped_is_told_before_a_stop)
{
    struct world *world = world_new(5);
    uint64_t lost = 0;

    world->spec.when_full = HF_WHEN_FULL_DROP_OLDEST;
    world->spec.buffer_max_bytes = 4 << 20;
    world->away = true;
    start(world);
    for (unsigned i = 0; i < EVENTS; i++) {
        while (offer(world, i) == -EAGAIN)
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
    }
    (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_S);
    hf_fanout_report_drops(world->fanout);
    ck_assert_uint_gt(hf_fanout_pending(world->fanout), 0);
    (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_S);
    ck_assert_uint_eq(hf_fanout_pending(world->fanout), 0);
    crash(world);
    world->away = false;
    run_s(world, 600);
    for (unsigned i = 0; i < EVENTS; i++)
        lost += (world->seen[ONE][i] == 0 ? 1u : 0u) + (world->seen[TWO][i] == 0 ? 1u : 0u);
    ck_assert_uint_gt(lost, 0);
    ck_assert_uint_eq(world->told_dropped, lost);
    world_free(world);
}
END_TEST

/* Events of 1,000 bytes that the sinks store while they are away. */
static unsigned stored_beside(uint64_t former_bytes)
{
    struct world *world = world_new(7);
    unsigned n = 0;

    world->spec.when_full = HF_WHEN_FULL_BLOCK;
    world->spec.buffer_max_bytes = 8 << 20;
    world->away = true;
    start(world);
    hf_fanout_close(world->fanout, NULL, NULL);
    run_s(world, 1);
    hf_fanout_open(world->fanout, &world->spec, former_bytes);
    for (unsigned tries = 0; n < EVENTS && tries < 200; tries++) {
        int r = offer(world, n);
        n += r == HF_FANOUT_STORED;
        if (r == HF_FANOUT_STORED)
            tries = 0;
        else
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
    }
    run_s(world, 1);
    unsigned kept = world->kept;
    world_free(world);
    return kept;
}

/* Folders of former sinks count towards the buffer: the present sinks get the rest, at least a little. */
START_TEST(former_sinks_leave_less_room)
{
    unsigned whole = stored_beside(0), half = stored_beside(4 << 20), none = stored_beside(9 << 20);

    ck_assert_msg(whole > half + half / 2 && half > none + none / 2 && none > 0, "%u, %u and %u", whole, half, none);
}
END_TEST

/* Offers events of a user until its share of the queues is full; returns the next number. */
static unsigned flood(struct world *world, const char *uid, unsigned number)
{
    for (unsigned tries = 0; number < EVENTS && tries < 1000; tries++) {
        int r = offer_of(world, uid, number);
        number += r == HF_FANOUT_STORED;
        if (r == -EAGAIN && hf_fanout_over_share(world->fanout))
            return number;
        if (r == HF_FANOUT_STORED)
            tries = 0;
        else
            (void)hf_simloop_run_for(world->node.loop, HF_NS_PER_MS);
    }
    ck_abort_msg("no share ended the flood of user %s at event %u", uid, number);
    return 0;
}

/* One user posts without end while the sinks are away, also over a kill of the agent: what another user stores stays,
 * and there is room for more of it. */
START_TEST(a_flood_takes_nothing_of_another_user)
{
    struct world *world = world_new((uint64_t)_i);

    world->spec.buffer_max_bytes = 4 << 20;
    world->spec.when_full = _i % 2 == 0 ? HF_WHEN_FULL_BLOCK : HF_WHEN_FULL_DROP_OLDEST;
    world->away = true;
    start(world);
    ck_assert_int_eq(offer_of(world, "1000", 0), HF_FANOUT_STORED);
    unsigned next = flood(world, "65534", 1);
    ck_assert_uint_gt(next, 500); /* of the 1800 for which each sink has room */
    ck_assert_int_eq(offer_of(world, "1000", next++), HF_FANOUT_STORED);
    run_s(world, 1);
    crash(world);
    run_s(world, 1);
    unsigned after = flood(world, "65534", next);
    ck_assert_uint_lt(after - next, next / 5); /* what was in the last part of the queue at the kill */
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(offer_of(world, "1000", after + i), HF_FANOUT_STORED);
    run_s(world, 1);
    ck_assert_uint_eq(world->failed, 0);
    world->away = false;
    run_s(world, 900);
    for (unsigned i = 0; i < after + 20; i++)
        check_seen(world, i, 1, 1);
    ck_assert_int_eq(offer_of(world, "65534", after + 20), HF_FANOUT_STORED);
    run_s(world, 5);
    world_free(world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_sink_that_fails_does_not_double_at_the_others, 0, 6);
    tcase_add_test(tc, what_all_of_them_have_is_known_after_a_restart);
    tcase_add_test(tc, a_sink_that_cannot_be_opened_is_tried_again);
    tcase_add_loop_test(tc, an_unreadable_sink_is_tried_again_before_it_counts_as_damaged, 0, 2);
    tcase_add_test(tc, a_sink_without_a_name_is_the_default_one);
    tcase_add_test(tc, what_was_dropped_is_told_before_a_stop);
    tcase_add_test(tc, former_sinks_leave_less_room);
    tcase_add_loop_test(tc, a_flood_takes_nothing_of_another_user, 0, 4);
}

HF_TEST_MAIN("telemetry/fanout", cases)
