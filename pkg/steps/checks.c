/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the checks of a release, all at once.
 *
 * Each check has a timer and at most one call in progress: http, tcp, exec or unit. A result goes to steps/health.h,
 * which knows the verdict; without one, the timer starts the next try after the period. After a bad result it starts
 * earlier, at first after 250 ms and then after twice as long each time, because a service that has just started is
 * often good a moment later. An HTTP check ends when the status is known, because a body may be endless. A unit that
 * systemd calls failed ends the checks at once: systemd does not start it again by itself. */
#include "steps/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"

static const uint64_t first_again_ns = 250 * HF_NS_PER_MS;

struct check_run {
    struct hf_checks *checks;
    const struct hf_check *check;
    size_t i;
    struct hf_timer *timer;
    struct hf_http_call *http;
    struct hf_proc_call *proc;
    struct hf_probe_call *probe;
    struct hf_unit_call *unit;
    int status;        /* HTTP status; 0 none yet */
    uint64_t again_ns; /* wait after the next bad result */
};

struct hf_checks {
    struct hf_checks_params p;
    struct hf_health health;
    struct hf_timer *deadline;
    struct check_run runs[HF_MAX_CHECKS];
};

static void finish(struct hf_checks *checks)
{
    struct hf_checks_params p = checks->p;
    struct hf_health health = checks->health;

    hf_checks_free(checks);
    p.done(p.arg, &health);
}

/* Records a result; then the verdict, or the next try after the period. May free the checks. */
static void result(struct check_run *run, enum hf_health_outcome outcome, const char *text)
{
    struct hf_checks *checks = run->checks;

    if (hf_health_result(&checks->health, run->i, outcome, text) != HF_HEALTH_PENDING) {
        finish(checks);
        return;
    }
    /* A service that just started is often good a moment later: try again soon after a bad result, long periods and
     * short deadlines notwithstanding. */
    uint64_t wait_ns = outcome == HF_HEALTH_GOOD ? run->check->period_ns : HF_MIN(run->again_ns, run->check->period_ns);
    run->again_ns = outcome == HF_HEALTH_GOOD ? first_again_ns : wait_ns * 2;
    hf_timer_arm(checks->p.sched, run->timer, wait_ns);
}

static void good_or(struct check_run *run, int r, const char *what)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
    result(run, r == 0 ? HF_HEALTH_GOOD : HF_HEALTH_BAD, text);
}

/* ---- http -------------------------------------------------------------------------------------------------------- */

/* Only the status counts: do not wait for the body, which may be endless. */
static int http_response(void *arg, const struct hf_http_response *response)
{
    struct check_run *run = arg;

    run->status = response->status;
    return -ECANCELED;
}

static void http_done(void *arg, int r, HF_UNUSED const struct hf_http_response *response,
                      HF_UNUSED struct hf_view body, const struct hf_err *err)
{
    struct check_run *run = arg;
    char text[96], why[200];

    run->http = NULL;
    if (run->status == run->check->status) {
        result(run, HF_HEALTH_GOOD, "");
        return;
    }
    if (run->status != 0)
        (void)snprintf(text, sizeof(text), "status %d, expected %d", run->status, run->check->status);
    else
        (void)snprintf(text, sizeof(text), "%s",
                       HF_CUT(90, err != NULL ? hf_err_text(err, why, sizeof(why)) : strerror(-r)));
    result(run, HF_HEALTH_BAD, text);
}

static int start_http(struct check_run *run, struct hf_err *err)
{
    const struct hf_http_ops *http = run->checks->p.http;
    struct hf_http_request request = {.method = "GET",
                                      .url = run->check->url,
                                      .connect_timeout_ns = run->check->timeout_ns,
                                      .timeout_ns = run->check->timeout_ns,
                                      .on_response = http_response,
                                      .done = http_done,
                                      .arg = run};

    run->status = 0;
    return http->start(http->ctx, &request, &run->http, err);
}

static void cancel_http(struct check_run *run)
{
    const struct hf_http_ops *http = run->checks->p.http;

    if (run->http != NULL)
        http->cancel(http->ctx, run->http);
}

/* ---- tcp --------------------------------------------------------------------------------------------------------- */

static void tcp_done(void *arg, int r)
{
    struct check_run *run = arg;

    run->probe = NULL;
    good_or(run, r, "connect");
}

static int start_tcp(struct check_run *run, struct hf_err *err)
{
    const struct hf_probe_ops *probe = run->checks->p.probe;

    return probe->tcp(probe->ctx, run->check->host, run->check->port, run->check->timeout_ns, tcp_done, run,
                      &run->probe, err);
}

static void cancel_tcp(struct check_run *run)
{
    const struct hf_probe_ops *probe = run->checks->p.probe;

    if (run->probe != NULL)
        probe->cancel(probe->ctx, run->probe);
}

/* ---- exec -------------------------------------------------------------------------------------------------------- */

static void exec_done(void *arg, int r, int exit_code, struct hf_view output)
{
    struct check_run *run = arg;
    struct hf_view said = hf_view_trim(output);
    char text[96];

    run->proc = NULL;
    if (r < 0) {
        good_or(run, r, "run");
        return;
    }
    (void)snprintf(text, sizeof(text), "exit code %d %.*s", exit_code, (int)HF_MIN(said.n, 70u),
                   said.p != NULL ? said.p : "");
    result(run, exit_code == 0 ? HF_HEALTH_GOOD : HF_HEALTH_BAD, text);
}

static int start_exec(struct check_run *run, struct hf_err *err)
{
    const struct hf_proc_ops *proc = run->checks->p.proc;
    struct hf_proc_request request = {
        .argv = run->check->command, .timeout_ns = run->check->timeout_ns, .done = exec_done, .arg = run};

    return proc->spawn(proc->ctx, &request, &run->proc, err);
}

static void cancel_exec(struct check_run *run)
{
    const struct hf_proc_ops *proc = run->checks->p.proc;

    if (run->proc != NULL)
        proc->cancel(proc->ctx, run->proc);
}

/* ---- unit -------------------------------------------------------------------------------------------------------- */

static void unit_done(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err)
{
    struct check_run *run = arg;
    char text[96], why[200];

    run->unit = NULL;
    if (r < 0) {
        (void)snprintf(text, sizeof(text), "%s",
                       HF_CUT(90, err != NULL ? hf_err_text(err, why, sizeof(why)) : strerror(-r)));
        result(run, HF_HEALTH_BAD, text);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s (%s)", active_state, sub_state);
    /* failed: systemd will not start the unit again by itself. */
    result(run,
           strcmp(active_state, "active") == 0   ? HF_HEALTH_GOOD
           : strcmp(active_state, "failed") == 0 ? HF_HEALTH_HOPELESS
                                                 : HF_HEALTH_BAD,
           text);
}

static int start_unit(struct check_run *run, struct hf_err *err)
{
    const struct hf_unit_ops *unit = run->checks->p.unit;

    return unit->state(unit->ctx, run->check->unit, run->check->timeout_ns, unit_done, run, &run->unit, err);
}

static void cancel_unit(struct check_run *run)
{
    const struct hf_unit_ops *unit = run->checks->p.unit;

    if (run->unit != NULL)
        unit->cancel(unit->ctx, run->unit);
}

/* ---- all kinds --------------------------------------------------------------------------------------------------- */

static const struct {
    int (*start)(struct check_run *run, struct hf_err *err); /* calls result() later, or returns -errno */
    void (*cancel)(struct check_run *run);                   /* the call in progress, if there is one */
} kinds[] = {
    [HF_CHECK_HTTP] = {start_http, cancel_http},
    [HF_CHECK_TCP] = {start_tcp, cancel_tcp},
    [HF_CHECK_EXEC] = {start_exec, cancel_exec},
    [HF_CHECK_UNIT] = {start_unit, cancel_unit},
};
_Static_assert(HF_LEN(kinds) == HF_CHECK_COUNT, "a kind of health check has no row");

/* ---- all --------------------------------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct check_run *run = arg;
    struct hf_err err = HF_ERR_INIT;
    char text[200];
    int r = kinds[run->check->kind].start(run, &err);

    if (r < 0)
        result(run, HF_HEALTH_BAD, hf_err_text(&err, text, sizeof(text)));
}

static void on_deadline(void *arg)
{
    struct hf_checks *checks = arg;

    if (hf_health_tick(&checks->health, hf_mono_ns(checks->p.clock)) != HF_HEALTH_PENDING || checks->p.n == 0)
        finish(checks);
    else /* rounding made the timer fire early */
        hf_timer_arm(checks->p.sched, checks->deadline, HF_NS_PER_MS);
}

static bool make_timers(struct hf_checks *checks)
{
    const struct hf_sched_ops *sched = checks->p.sched;

    checks->deadline = hf_timer_new(sched, on_deadline, checks);
    for (size_t i = 0; checks->deadline != NULL && i < checks->p.n; i++) {
        checks->runs[i] =
            (struct check_run){.checks = checks, .check = &checks->p.checks[i], .i = i, .again_ns = first_again_ns};
        checks->runs[i].timer = hf_timer_new(sched, on_timer, &checks->runs[i]);
        if (checks->runs[i].timer == NULL)
            return false;
    }
    return checks->deadline != NULL;
}

int hf_checks_start(const struct hf_checks_params *params, struct hf_checks **ret_checks, struct hf_err *err)
{
    struct hf_checks *checks = calloc(1, sizeof(*checks));

    if (checks == NULL)
        return hf_err_sys(err, -ENOMEM, "start health checks");
    checks->p = *params;
    checks->p.n = HF_MIN(params->n, (size_t)HF_MAX_CHECKS);
    if (!make_timers(checks)) {
        hf_checks_free(checks);
        return hf_err_sys(err, -ENOMEM, "start health checks");
    }
    hf_health_init(&checks->health, params->checks, checks->p.n, hf_mono_ns(params->clock), params->deadline_ns);
    hf_timer_arm(params->sched, checks->deadline, checks->p.n == 0 ? 0 : params->deadline_ns);
    for (size_t i = 0; i < checks->p.n; i++)
        hf_timer_arm(params->sched, checks->runs[i].timer, 0);
    *ret_checks = checks;
    return 0;
}

void hf_checks_free(struct hf_checks *checks)
{
    if (checks == NULL)
        return;
    const struct hf_checks_params *p = &checks->p;
    for (size_t i = 0; i < HF_MAX_CHECKS; i++) {
        struct check_run *run = &checks->runs[i];
        if (run->check != NULL)
            kinds[run->check->kind].cancel(run);
        hf_timer_free(p->sched, run->timer);
    }
    hf_timer_free(p->sched, checks->deadline);
    free(checks);
}
