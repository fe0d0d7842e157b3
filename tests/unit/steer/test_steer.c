/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of a small user of pkg/steer: a valve, which a slow motor opens and shuts. Its record is one word on disk.
 *
 *         Open            Turned
 *     Shut ----> Opening -------> Opened ----> Shut (Shut, which turns the motor back)
 *                   '--- Failed --> Shut
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"
#include "steer/job.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"
#include "support/print_machine.h"

/* ---- the table --------------------------------------------------------------------------------------------------- */

enum state { SHUT, OPENING, OPENED, STATES };
enum event { STARTED, OPEN, TURNED, FAILED, SHUT_IT, EVENTS };
enum action { NONE, TURN, TURN_BACK, ACTIONS };

static const struct hf_steer_move moves[STATES][EVENTS] = {
    [SHUT] = {[STARTED] = {true, SHUT, NONE}, [OPEN] = {true, OPENING, TURN}},
    [OPENING] = {[STARTED] = {true, OPENING, TURN}, [TURNED] = {true, OPENED, NONE}, [FAILED] = {true, SHUT, NONE}},
    [OPENED] = {[STARTED] = {true, OPENED, NONE}, [SHUT_IT] = {true, SHUT, TURN_BACK}},
};

static const char *const state_names[] = {"Shut", "Opening", "Opened"},
                         *const event_names[] = {"Started", "Open", "Turned", "Failed", "ShutIt"},
                         *const action_names[] = {"-", "turn", "turn back"};

static const char *state_name(unsigned state)
{
    return state_names[state];
}

static const struct hf_steer_table table = {.moves = &moves[0][0],
                                            .n_states = STATES,
                                            .n_events = EVENTS,
                                            .n_actions = ACTIONS,
                                            .state_name = state_name,
                                            .event_names = event_names,
                                            .action_names = action_names};

/* ---- the valve: five functions ----------------------------------------------------------------------------------- */

struct valve {
    struct hf_steer_core core;
    struct hf_steer_machine machine;
    enum state state; /* its record */
    int position;     /* of the motor */
    bool broken;      /* the motor cannot turn */
    /* what the tests see */
    char disk[20], said[100], log[400];
    int disk_r, writes, looks, changes, unexpected;
    bool gone, ran_cancelled;
};

static struct valve *of(struct hf_steer_machine *machine)
{
    return hf_container_of(machine, struct valve, machine);
}

static void note(struct valve *valve, const char *what)
{
    size_t n = strlen(valve->log);

    (void)snprintf(valve->log + n, sizeof(valve->log) - n, "%s ", what);
}

static unsigned state_of(struct hf_steer_machine *machine)
{
    return of(machine)->state;
}

static void enter(struct hf_steer_machine *machine, unsigned event, unsigned next, const void *why)
{
    struct valve *valve = of(machine);

    (void)event;
    valve->state = (enum state)next;
    (void)snprintf(valve->said, sizeof(valve->said), "%s", why != NULL ? (const char *)why : "");
    note(valve, state_names[next]);
}

static int format(struct hf_steer_machine *machine, struct hf_buf *text)
{
    return hf_buf_addf(text, "%s", state_names[of(machine)->state]);
}

static int write_it(struct hf_steer_machine *machine, struct hf_view text, struct hf_err *err)
{
    struct valve *valve = of(machine);

    valve->writes++;
    if (valve->disk_r < 0)
        return hf_err_sys(err, valve->disk_r, "write the valve");
    (void)snprintf(valve->disk, sizeof(valve->disk), "%.*s", (int)text.n, text.p);
    return 0;
}

static void check(struct hf_steer_machine *machine)
{
    const struct valve *valve = of(machine);

    assert(valve->state != OPENED || valve->position == 1);
}

static void unexpected(struct hf_steer_machine *machine, unsigned event)
{
    (void)event;
    of(machine)->unexpected++;
}

static bool saved(struct hf_steer_machine *machine, bool written)
{
    if (machine->unsaved)
        hf_steer_machine_wait(machine, 1, 0, NULL);
    note(of(machine), written ? "saved" : "same");
    return true;
}

static void unsaved(struct hf_steer_machine *machine, const struct hf_err *err)
{
    char text[300];

    hf_steer_machine_wait(machine, 1, 7, hf_err_text(err, text, sizeof(text)));
    note(of(machine), "unsaved");
}

/* ---- its only job ------------------------------------------------------------------------------------------------ */

struct turn {
    struct hf_steer_job job;
    int by;
};

static int run_turn(struct hf_steer_job *job)
{
    struct valve *valve = of(job->machine);

    valve->ran_cancelled = atomic_load(&job->cancel);
    if (valve->broken || valve->ran_cancelled)
        return -EIO;
    valve->position += hf_container_of(job, struct turn, job)->by;
    return 0;
}

static void lost(struct hf_steer_job *job, int r, const char *what)
{
    (void)r;
    note(of(job->machine), what);
}

static void turned(struct hf_steer_job *job)
{
    if (hf_container_of(job, struct turn, job)->by > 0)
        hf_steer_machine_event(job->machine, job->r < 0 ? FAILED : TURNED, job->r < 0 ? "the motor is stuck" : NULL);
}

static void free_turn(struct hf_steer_job *job)
{
    free(hf_container_of(job, struct turn, job));
}

static void act(struct hf_steer_machine *machine, unsigned action)
{
    static const struct hf_steer_operation turns = {.run = run_turn, .lost = lost, .then = turned, .free = free_turn};
    struct turn *turn = NULL;

    note(of(machine), action_names[action]);
    if (action == NONE)
        return;
    turn = calloc(1, sizeof(*turn));
    ck_assert_ptr_nonnull(turn);
    hf_steer_job_init(&turn->job, &turns, machine);
    turn->by = action == TURN ? 1 : -1;
    hf_steer_job_submit(&turn->job);
}

static const struct hf_steer_type type = {.table = &table,
                                          .state = state_of,
                                          .enter = enter,
                                          .format = format,
                                          .write = write_it,
                                          .act = act,
                                          .check = check,
                                          .unexpected = unexpected,
                                          .saved = saved,
                                          .unsaved = unsaved,
                                          .record = "valve",
                                          .max_bytes = 100,
                                          .save_retry_ns = 5 * HF_NS_PER_S,
                                          .save_retry_cap_ns = 20 * HF_NS_PER_S};

static uint64_t consider(struct hf_steer_core *core)
{
    struct valve *valve = hf_container_of(core, struct valve, core);

    valve->looks++;
    if (valve->machine.job == NULL)
        (void)hf_steer_machine_retry(&valve->machine);
    return hf_steer_machine_retry_ns(&valve->machine);
}

static void changed(struct hf_steer_core *core)
{
    hf_container_of(core, struct valve, core)->changes++;
}

static void gone(struct hf_steer_core *core)
{
    hf_container_of(core, struct valve, core)->gone = true;
}

static const struct hf_steer_engine engine = {.consider = consider, .changed = changed, .gone = gone, .one_job = true};

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static struct hf_simloop *loop;
static struct hf_simproc *node;
static struct valve valve;

static void set_up(void)
{
    loop = hf_simloop_new(1);
    node = hf_simproc_new(loop, "node");
    valve = (struct valve){.state = SHUT};
    const struct hf_world world = hf_simproc_world(node, NULL);
    ck_assert_int_eq(hf_steer_core_init(&valve.core, &engine, &world), 0);
    hf_steer_machine_init(&valve.machine, &type, &valve.core);
}

static void tear_down(void)
{
    if (!valve.core.closing) {
        hf_steer_core_close(&valve.core);
        hf_steer_core_unref(&valve.core);
    }
    hf_simloop_run_for(loop, HF_NS_PER_S);
    ck_assert(valve.gone);
    hf_steer_machine_done(&valve.machine);
    hf_simproc_free(node);
    hf_simloop_free(loop);
}

static void run_for(uint64_t seconds)
{
    hf_simloop_run_for(loop, seconds * HF_NS_PER_S);
}

START_TEST(table_is_printed)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);

    ck_assert_int_eq(hf_print_table(&table, &text), 0);
    ck_assert_str_eq(hf_buf_str(&text), "Shut\n"
                                        "  Started    Shut          -\n"
                                        "  Open       Opening       turn\n"
                                        "  Turned     .\n"
                                        "  Failed     .\n"
                                        "  ShutIt     .\n"
                                        "Opening\n"
                                        "  Started    Opening       turn\n"
                                        "  Open       .\n"
                                        "  Turned     Opened        -\n"
                                        "  Failed     Shut          -\n"
                                        "  ShutIt     .\n"
                                        "Opened\n"
                                        "  Started    Opened        -\n"
                                        "  Open       .\n"
                                        "  Turned     .\n"
                                        "  Failed     .\n"
                                        "  ShutIt     Shut          turn back\n");
    ck_assert(!hf_steer_table_move(&table, STATES, OPEN).known);
    ck_assert(!hf_steer_table_move(&table, SHUT, EVENTS).known);
    ck_assert_str_eq(hf_steer_table_event_name(&table, EVENTS), "");
    struct hf_buf small = HF_BUF_INIT(20);
    ck_assert_int_lt(hf_print_table(&table, &small), 0);
    hf_buf_done(&small);
}
END_TEST

START_TEST(reasons_have_topics)
{
    struct hf_steer_wait wait = {.reason = 0};
    char longer[HF_STEER_MESSAGE + 1];

    ck_assert(!hf_steer_wait_set(&wait, 2, 0, NULL));
    ck_assert(hf_steer_wait_set(&wait, 2, 5, "why"));
    ck_assert(!hf_steer_wait_set(&wait, 1, 5, "why")); /* the same to a reader, about something else */
    ck_assert(!hf_steer_wait_end(&wait, 2) && wait.reason == 5);
    ck_assert(hf_steer_wait_end(&wait, 1) && wait.reason == 0 && wait.message[0] == '\0');
    memset(longer, 'a', sizeof(longer));
    memcpy(longer + HF_STEER_MESSAGE - 2, "\xc3\xa4", 3);
    ck_assert(hf_steer_wait_set(&wait, 0, 5, longer));
    ck_assert_uint_eq(strlen(wait.message), HF_STEER_MESSAGE - 2); /* no half of a character */
}
END_TEST

START_TEST(acts_after_the_record_is_durable)
{
    hf_steer_machine_event(&valve.machine, OPEN, "a person asks");
    ck_assert_str_eq(valve.log, "Opening "); /* no action before the record */
    ck_assert_str_eq(valve.said, "a person asks");
    ck_assert_str_eq(valve.disk, "");
    run_for(1);
    ck_assert_str_eq(valve.log, "Opening saved turn Opened saved - ");
    ck_assert_str_eq(valve.disk, "Opened");
    ck_assert_int_eq(valve.position, 1);
    ck_assert_int_eq(valve.writes, 2);
    ck_assert_ptr_null(valve.core.active);
    ck_assert_uint_eq(valve.core.refs, 1);
}
END_TEST

START_TEST(same_text_is_not_written)
{
    struct hf_buf text = HF_BUF_INIT(100);

    ck_assert_int_eq(hf_buf_addf(&text, "Shut"), 0);
    ck_assert(!hf_steer_machine_has_text(&valve.machine, &text));
    hf_steer_machine_keep_text(&valve.machine, &text);
    ck_assert_uint_eq(text.n, 0);
    hf_steer_machine_event(&valve.machine, STARTED, NULL);
    ck_assert_str_eq(valve.log, "Shut same - "); /* at once */
    ck_assert_int_eq(valve.writes, 0);
}
END_TEST

START_TEST(failed_write_is_tried_again)
{
    valve.disk_r = -ENOSPC;
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    run_for(4);
    ck_assert_str_eq(valve.log, "Opening unsaved ");
    ck_assert(valve.machine.unsaved && valve.machine.wait.reason == 7);
    ck_assert(strstr(valve.machine.wait.message, "write the valve") != NULL);
    ck_assert_int_eq(valve.changes, 1);
    run_for(60);
    ck_assert_int_ge(valve.writes, 4); /* after 5 s, then between 5 s and 20 s */
    ck_assert_int_le(valve.writes, 13);
    ck_assert_int_eq(valve.position, 0); /* and no action */
    valve.disk_r = 0;
    run_for(21);
    ck_assert(strstr(valve.log, "unsaved saved turn Opened saved - ") != NULL);
    ck_assert(!valve.machine.unsaved && valve.machine.wait.reason == 0);
    ck_assert_uint_eq(valve.machine.save_backoff.attempt, 0);
    ck_assert_int_eq(valve.position, 1);
}
END_TEST

START_TEST(unexpected_event_changes_nothing)
{
    hf_steer_machine_event(&valve.machine, TURNED, "x");
    run_for(1);
    ck_assert_int_eq(valve.unexpected, 1);
    ck_assert_str_eq(valve.log, "");
    ck_assert_str_eq(valve.said, "");
    ck_assert(valve.state == SHUT && valve.writes == 0);
}
END_TEST

START_TEST(failure_of_the_action_is_an_event)
{
    valve.broken = true;
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    run_for(1);
    ck_assert_str_eq(valve.disk, "Shut");
    ck_assert_str_eq(valve.said, "the motor is stuck");
}
END_TEST

START_TEST(cancel_reaches_the_work)
{
    hf_simproc_set_job_delay(node, 100 * HF_NS_PER_S);
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    hf_steer_job_cancel(valve.machine.job); /* a save does not look */
    for (int i = 0; i < 1000 && strstr(valve.log, "turn") == NULL; i++)
        run_for(1);
    ck_assert_ptr_nonnull(valve.machine.job);
    hf_steer_job_cancel(valve.machine.job);
    hf_steer_job_cancel(NULL);
    run_for(500);
    ck_assert(valve.ran_cancelled);
    ck_assert_str_eq(valve.disk, "Shut");
}
END_TEST

/* An engine of many machines asks each one only for a reason: a start, a wake-up, a time that has come, the end of a job
 * or a save. */
START_TEST(due_for_a_reason)
{
    struct hf_steer_machine *machine = &valve.machine;
    uint64_t now = hf_steer_core_now_ns(&valve.core);

    ck_assert(hf_steer_machine_take_due(machine, now));
    ck_assert(!hf_steer_machine_take_due(machine, now));
    hf_steer_machine_wake(machine);
    run_for(1);
    ck_assert_int_eq(valve.looks, 1);
    ck_assert(hf_steer_machine_take_due(machine, now));
    hf_steer_machine_wake_in(machine, 40 * HF_NS_PER_S);
    hf_steer_machine_wake_in(machine, 9 * HF_NS_PER_S);
    hf_steer_machine_wake_in(machine, 30 * HF_NS_PER_S);
    now = hf_steer_core_now_ns(&valve.core);
    run_for(1);
    ck_assert(!hf_steer_machine_take_due(machine, now + 9 * HF_NS_PER_S - 1));
    run_for(9); /* the core looks at that time */
    ck_assert_int_eq(valve.looks, 2);
    ck_assert(hf_steer_machine_take_due(machine, now + 9 * HF_NS_PER_S));
    ck_assert(!hf_steer_machine_take_due(machine, now + 60 * HF_NS_PER_S));
    hf_steer_machine_event(machine, OPEN, NULL);
    run_for(60);
    ck_assert_int_eq(valve.position, 1);
    ck_assert(hf_steer_machine_take_due(machine, now));
    hf_steer_machine_save(machine); /* the disk has this text: no job */
    ck_assert_ptr_null(machine->job);
    ck_assert(hf_steer_machine_take_due(machine, now));
}
END_TEST

START_TEST(closing_with_a_job_in_progress)
{
    hf_simproc_set_job_delay(node, 100 * HF_NS_PER_S);
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    hf_steer_core_close(&valve.core);
    hf_steer_core_unref(&valve.core);
    ck_assert(!valve.gone);
    hf_steer_core_wake(&valve.core); /* a late callback of something else */
    hf_steer_core_notify(&valve.core);
    run_for(300);
    ck_assert(valve.gone);
    ck_assert_str_eq(valve.disk, "Opening"); /* the next process goes on from there */
    ck_assert_str_eq(valve.log, "Opening ");
    ck_assert_int_eq(valve.looks, 0);
}
END_TEST

/* The power is cut: workers take nothing more. */
START_TEST(no_worker_takes_the_job)
{
    hf_simproc_kill(node);
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    ck_assert_str_eq(valve.log, "Opening unsaved ");
    ck_assert(strstr(valve.machine.wait.message, "hand work to a worker") != NULL);
    ck_assert_ptr_null(valve.machine.job);
    ck_assert_uint_eq(valve.core.refs, 1);
}
END_TEST

START_TEST(runs_inline)
{
    valve.core.inline_ = true;
    hf_steer_machine_event(&valve.machine, OPEN, NULL);
    ck_assert_str_eq(valve.log, "Opening saved turn Opened saved - ");
}
END_TEST

START_TEST(wakes_and_turns)
{
    struct hf_steer_machine other = {.type = &type};

    hf_steer_core_wake_in(&valve.core, 10 * HF_NS_PER_S);
    hf_steer_core_wake_in(&valve.core, 20 * HF_NS_PER_S); /* the first one comes first */
    ck_assert(!hf_steer_core_is_woken(&valve.core));
    run_for(9);
    ck_assert_int_eq(valve.looks, 0);
    run_for(2);
    ck_assert_int_eq(valve.looks, 1);
    valve.core.active = &valve.machine;
    hf_steer_core_leave_turn(&valve.core, &other);
    ck_assert(valve.core.active == &valve.machine && !hf_steer_core_is_woken(&valve.core));
    hf_steer_core_leave_turn(&valve.core, &valve.machine);
    ck_assert(valve.core.active == NULL && hf_steer_core_is_woken(&valve.core));
    run_for(1);
    ck_assert_int_eq(valve.looks, 2);
    ck_assert_int_eq(valve.changes, 0);
}
END_TEST

START_TEST(pauses_grow)
{
    uint64_t now = hf_steer_core_now_ns(&valve.core), at;

    at = hf_steer_machine_pause(&valve.machine, HF_NS_PER_S, 0, HF_NS_PER_S, 0); /* a cap below the base counts as it */
    ck_assert_uint_eq(at, now + HF_NS_PER_S);
    for (int i = 0; i < 20; i++) {
        at = hf_steer_machine_pause(&valve.machine, HF_NS_PER_S, 60 * HF_NS_PER_S, HF_NS_PER_S / 2, 0);
        ck_assert(at >= now + HF_NS_PER_S / 2 && at <= now + 60 * HF_NS_PER_S);
    }
    at = hf_steer_machine_pause(&valve.machine, HF_NS_PER_S, 2 * HF_NS_PER_S, 0, 100 * HF_NS_PER_S);
    ck_assert_uint_ge(at, now + 100 * HF_NS_PER_S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, table_is_printed);
    tcase_add_test(tc, reasons_have_topics);
    tcase_add_test(tc, acts_after_the_record_is_durable);
    tcase_add_test(tc, same_text_is_not_written);
    tcase_add_test(tc, failed_write_is_tried_again);
    tcase_add_test(tc, unexpected_event_changes_nothing);
    tcase_add_test(tc, failure_of_the_action_is_an_event);
    tcase_add_test(tc, cancel_reaches_the_work);
    tcase_add_test(tc, due_for_a_reason);
    tcase_add_test(tc, closing_with_a_job_in_progress);
    tcase_add_test(tc, no_worker_takes_the_job);
    tcase_add_test(tc, runs_inline);
    tcase_add_test(tc, wakes_and_turns);
    tcase_add_test(tc, pauses_grow);
}

HF_TEST_MAIN("steer", cases)
