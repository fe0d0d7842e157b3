/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/unit.h"
#include "os/clock_posix.h"
#include "support/bus.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS

static struct hf_loop *loop;
static const struct hf_unit_ops *unit;
static int pending;

static void set_up(void)
{
    bus_folder_make();
    bus_start(false);
    manager_start();
    loop = hf_loop_new(NULL);
    unit = hf_loop_unit(loop);
    pending = 0;
}

static void tear_down(void)
{
    hf_loop_free(loop);
    helper_stop(&manager);
    helper_stop(&bus);
    bus_folder_remove();
}

struct outcome {
    struct hf_unit_call *call;
    int done;
    int r;
    char error[600];
    char active[64];
    char sub[64];
};

static void end(struct outcome *o, int r, const struct hf_err *err)
{
    o->done++;
    o->r = r;
    o->call = NULL;
    (void)hf_err_text(err, o->error, sizeof(o->error));
    if (--pending == 0)
        hf_loop_stop(loop);
}

static void on_restarted(void *arg, int r, const struct hf_err *err)
{
    end(arg, r, err);
}

static void on_state(void *arg, int r, const char *active, const char *sub, const struct hf_err *err)
{
    struct outcome *o = arg;

    (void)snprintf(o->active, sizeof(o->active), "%s", active);
    (void)snprintf(o->sub, sizeof(o->sub), "%s", sub);
    end(o, r, err);
}

static void restart(struct outcome *o, const char *name, uint64_t timeout_ns)
{
    *o = (struct outcome){.done = 0};
    pending++;
    ck_assert_int_eq(unit->restart(unit->ctx, name, timeout_ns, on_restarted, o, &o->call, NULL), 0);
    ck_assert_int_eq(o->done, 0);
}

static void ask(struct outcome *o, const char *name, uint64_t timeout_ns)
{
    *o = (struct outcome){.done = 0};
    pending++;
    ck_assert_int_eq(unit->state(unit->ctx, name, timeout_ns, on_state, o, &o->call, NULL), 0);
    ck_assert_int_eq(o->done, 0);
}

static const struct {
    const char *name;
    int want_r;
    const char *want_text;
} restarts[] = {
    {"good.service", 0, ""},
    {"tired.service", 0, ""},
    {"bad.service", -EIO, "'failed'"},
    {"absent.service", -ENOENT, "not found"},
    {"denied.service", -EACCES, "authentication"},
    {"slow.service", -ETIMEDOUT, "no answer"},
    {"noreply.service", -ETIMEDOUT, "no answer"},
};

START_TEST(restart_ends)
{
    struct outcome o;

    restart(&o, restarts[_i].name, restarts[_i].want_r == -ETIMEDOUT ? 400 * MS : 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.done == 1 && o.r == restarts[_i].want_r && strstr(o.error, restarts[_i].want_text) != NULL,
                  "%s: r %d '%s'", restarts[_i].name, o.r, o.error);
    restart(&o, "good.service", 60 * HF_NS_PER_S); /* and again, on the same connection */
    hf_loop_run(loop);
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
}
END_TEST

static const struct {
    const char *name;
    int want_r;
    const char *want_active;
    const char *want_sub;
} states[] = {
    {"good.service", 0, "active", "running"},
    {"dead.service", 0, "failed", "failed"},
    {"absent.service", -ENOENT, "inactive", "dead"},
    {"noreply.service", -ETIMEDOUT, "", ""},
    {"with-dash@instance\\x2d1.service", 0, "active", "running"},
};

START_TEST(state_is_read)
{
    struct outcome o;

    ask(&o, states[_i].name, states[_i].want_r == -ETIMEDOUT ? 300 * MS : 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.done == 1 && o.r == states[_i].want_r, "%s: r %d '%s'", states[_i].name, o.r, o.error);
    ck_assert_str_eq(o.active, states[_i].want_active);
    ck_assert_str_eq(o.sub, states[_i].want_sub);
}
END_TEST

START_TEST(several_at_once)
{
    struct outcome o[6];

    for (int i = 0; i < 5; i++)
        ask(&o[i], i % 2 ? "good.service" : "dead.service", 60 * HF_NS_PER_S);
    restart(&o[5], "good.service", 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    for (int i = 0; i < 6; i++)
        ck_assert_msg(o[i].done == 1 && o[i].r == 0, "%d: %d '%s'", i, o[i].r, o[i].error);
}
END_TEST

/* Nobody there: no bus at all, a bus without systemd, a bus that went away; said at once, and well again when it is back. */
START_TEST(no_bus)
{
    struct outcome o;
    uint64_t start_ns = hf_mono_ns(hf_clock_posix()), starved_ns = loop_starved_ns();

    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/such/socket", 1);
    restart(&o, "good.service", 30 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == -ENOTCONN, "%d '%s'", o.r, o.error);
    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", "rubbish", 1);
    ask(&o, "good.service", 30 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == -ENOTCONN, "%d '%s'", o.r, o.error);
    ck_assert_uint_lt(hf_mono_ns(hf_clock_posix()) - start_ns, HF_NS_PER_S + 2 * (loop_starved_ns() - starved_ns));
    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.line, 1);
    ask(&o, "good.service", 30 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, 0);
}
END_TEST

START_TEST(no_systemd_on_the_bus)
{
    struct outcome o;

    helper_stop(&manager);
    if (_i == 1) {
        helper_stop(&bus);
        bus_start(true);
    }
    restart(&o, "good.service", 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == -ENOTCONN, "%d '%s'", o.r, o.error);
    manager_start();
    restart(&o, "good.service", 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
}
END_TEST

static void kill_bus(void *arg)
{
    (void)arg;
    helper_stop(&bus);
}

START_TEST(bus_goes_away_in_the_middle)
{
    const struct hf_sched_ops *sched = hf_loop_sched(loop);
    struct hf_timer *timer = hf_timer_new(sched, kill_bus, NULL);
    struct outcome o, other;

    restart(&o, "slow.service", 30 * HF_NS_PER_S);
    ask(&other, "noreply.service", 30 * HF_NS_PER_S);
    hf_timer_arm(sched, timer, 100 * MS);
    hf_loop_run(loop);
    ck_assert_msg(o.r == -ENOTCONN && other.r == -ENOTCONN, "%d %d", o.r, other.r);
    helper_stop(&manager);
    bus_start(false);
    manager_start();
    restart(&o, "good.service", 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
}
END_TEST

static const uint64_t cancel_after_ns[] = {0, 1, 100 * MS};

START_TEST(cancel)
{
    struct outcome o, other;

    restart(&o, "slow.service", 60 * HF_NS_PER_S);
    ask(&other, "noreply.service", 60 * HF_NS_PER_S);
    if (cancel_after_ns[_i] > 0)
        loop_run_for(loop, cancel_after_ns[_i]);
    unit->cancel(unit->ctx, o.call);
    unit->cancel(unit->ctx, other.call);
    unit->cancel(unit->ctx, NULL);
    loop_run_for(loop, 100 * MS);
    ck_assert_int_eq(o.done + other.done, 0);
    pending = 0;
    ask(&o, "good.service", 60 * HF_NS_PER_S);
    hf_loop_run(loop);
    ck_assert_int_eq(o.r, 0);
}
END_TEST

START_TEST(loop_ends_with_calls)
{
    struct outcome o, other;

    restart(&o, "slow.service", 60 * HF_NS_PER_S);
    ask(&other, "noreply.service", 60 * HF_NS_PER_S);
    loop_run_for(loop, 100 * MS);
    hf_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(o.done + other.done, 0);
}
END_TEST

START_TEST(bad_names)
{
    struct outcome o = {.done = 0};
    struct hf_err err = HF_ERR_INIT;
    char longest[400];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_int_eq(unit->restart(unit->ctx, "", 0, on_restarted, &o, &o.call, &err), -EINVAL);
    ck_assert_int_eq(unit->state(unit->ctx, longest, 0, on_state, &o, &o.call, &err), -EINVAL);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, restart_ends, 0, (int)HF_LEN(restarts));
    tcase_add_loop_test(tc, state_is_read, 0, (int)HF_LEN(states));
    tcase_add_test(tc, several_at_once);
    tcase_add_test(tc, no_bus);
    tcase_add_loop_test(tc, no_systemd_on_the_bus, 0, 2);
    tcase_add_test(tc, bus_goes_away_in_the_middle);
    tcase_add_loop_test(tc, cancel, 0, (int)HF_LEN(cancel_after_ns));
    tcase_add_test(tc, loop_ends_with_calls);
    tcase_add_test(tc, bad_names);
}

HF_TEST_MAIN("loop/unit", cases)
