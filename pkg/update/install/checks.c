#include "update/install/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"

static const uint64_t first_again_ns = 250 * HF_NS_PER_MS;

struct run {
    struct hf_checks *checks;
    const struct hf_check *check;
    size_t i;
    struct hf_timer *timer;
    struct hf_http_call *http;
    struct hf_proc_call *proc;
    struct hf_probe_call *probe;
    struct hf_unit_call *unit;
    int status;        /* of the HTTP answer; 0 none yet */
    uint64_t again_ns; /* after a bad result */
};

struct hf_checks {
    struct hf_checks_params p;
    struct hf_health health;
    struct hf_timer *deadline;
    struct run runs[HF_MAX_CHECKS];
};

static void finish(struct hf_checks *checks)
{
    struct hf_checks_params p = checks->p;
    struct hf_health health = checks->health;

    hf_checks_free(checks);
    p.done(p.arg, &health);
}

/* A result is there: verdict, or the next try after the period. May free the checks. */
static void result(struct run *run, enum hf_health_outcome outcome, const char *text)
{
    struct hf_checks *checks = run->checks;

    if (hf_health_result(&checks->health, run->i, outcome, text) != HF_HEALTH_PENDING) {
        finish(checks);
        return;
    }
    /* A service that has just been started is good a moment later: nobody wants to wait a whole period for that, nor to lose the
     * one chance before a short deadline. */
    uint64_t wait_ns = outcome == HF_HEALTH_GOOD ? run->check->period_ns : HF_MIN(run->again_ns, run->check->period_ns);
    run->again_ns = outcome == HF_HEALTH_GOOD ? first_again_ns : wait_ns * 2;
    checks->p.sched->timer_arm(checks->p.sched->ctx, run->timer, wait_ns);
}

static void good_or(struct run *run, int r, const char *what)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
    result(run, r == 0 ? HF_HEALTH_GOOD : HF_HEALTH_BAD, text);
}

/* ---- http ------------------------------------------------------------------------------------------------------------ */

/* The status is all that is asked for: an answer without end is not waited for. */
static int http_response(void *arg, const struct hf_http_response *response)
{
    struct run *run = arg;

    run->status = response->status;
    return -ECANCELED;
}

static void http_done(void *arg, int r, const struct hf_http_response *response, struct hf_view body,
                      const struct hf_err *err)
{
    struct run *run = arg;
    char text[96], why[200];

    (void)body;
    (void)response;
    run->http = NULL;
    if (run->status == run->check->status) {
        result(run, HF_HEALTH_GOOD, "");
        return;
    }
    if (run->status != 0)
        (void)snprintf(text, sizeof(text), "status %d, wanted %d", run->status, run->check->status);
    else
        (void)snprintf(text, sizeof(text), "%.90s", err != NULL ? hf_err_text(err, why, sizeof(why)) : strerror(-r));
    result(run, HF_HEALTH_BAD, text);
}

static int start_http(struct run *run, struct hf_err *err)
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

/* ---- tcp ------------------------------------------------------------------------------------------------------------- */

static void tcp_done(void *arg, int r)
{
    struct run *run = arg;

    run->probe = NULL;
    good_or(run, r, "connect");
}

static int start_tcp(struct run *run, struct hf_err *err)
{
    const struct hf_probe_ops *probe = run->checks->p.probe;

    return probe->tcp(probe->ctx, run->check->host, run->check->port, run->check->timeout_ns, tcp_done, run,
                      &run->probe, err);
}

/* ---- exec ------------------------------------------------------------------------------------------------------------ */

static void exec_done(void *arg, int r, int exit_code, struct hf_view output)
{
    struct run *run = arg;
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

static int start_exec(struct run *run, struct hf_err *err)
{
    const struct hf_proc_ops *proc = run->checks->p.proc;
    struct hf_proc_request request = {
        .argv = run->check->command, .timeout_ns = run->check->timeout_ns, .done = exec_done, .arg = run};

    return proc->spawn(proc->ctx, &request, &run->proc, err);
}

/* ---- unit ------------------------------------------------------------------------------------------------------------ */

static void unit_done(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err)
{
    struct run *run = arg;
    char text[96], why[200];

    run->unit = NULL;
    if (r < 0) {
        (void)snprintf(text, sizeof(text), "%.90s", err != NULL ? hf_err_text(err, why, sizeof(why)) : strerror(-r));
        result(run, HF_HEALTH_BAD, text);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s (%s)", active_state, sub_state);
    /* failed: systemd itself will not try again. */
    result(run,
           strcmp(active_state, "active") == 0   ? HF_HEALTH_GOOD
           : strcmp(active_state, "failed") == 0 ? HF_HEALTH_HOPELESS
                                                 : HF_HEALTH_BAD,
           text);
}

static int start_unit(struct run *run, struct hf_err *err)
{
    const struct hf_unit_ops *unit = run->checks->p.unit;

    return unit->state(unit->ctx, run->check->unit, run->check->timeout_ns, unit_done, run, &run->unit, err);
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
    static int (*const starters[])(struct run *, struct hf_err *) = {[HF_CHECK_HTTP] = start_http,
                                                                     [HF_CHECK_TCP] = start_tcp,
                                                                     [HF_CHECK_EXEC] = start_exec,
                                                                     [HF_CHECK_UNIT] = start_unit};
    struct run *run = arg;
    struct hf_err err = HF_ERR_INIT;
    char text[200];
    int r = starters[run->check->kind](run, &err);

    if (r < 0)
        result(run, HF_HEALTH_BAD, hf_err_text(&err, text, sizeof(text)));
}

static void on_deadline(void *arg)
{
    struct hf_checks *checks = arg;

    if (hf_health_tick(&checks->health, hf_mono_ns(checks->p.clock)) != HF_HEALTH_PENDING || checks->p.n == 0)
        finish(checks);
    else /* the timer was early by a rounding */
        checks->p.sched->timer_arm(checks->p.sched->ctx, checks->deadline, HF_NS_PER_MS);
}

static bool make_timers(struct hf_checks *checks)
{
    const struct hf_sched_ops *sched = checks->p.sched;

    checks->deadline = sched->timer_new(sched->ctx, on_deadline, checks);
    for (size_t i = 0; checks->deadline != NULL && i < checks->p.n; i++) {
        checks->runs[i] =
            (struct run){.checks = checks, .check = &checks->p.checks[i], .i = i, .again_ns = first_again_ns};
        checks->runs[i].timer = sched->timer_new(sched->ctx, on_timer, &checks->runs[i]);
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
    params->sched->timer_arm(params->sched->ctx, checks->deadline, checks->p.n == 0 ? 0 : params->deadline_ns);
    for (size_t i = 0; i < checks->p.n; i++)
        params->sched->timer_arm(params->sched->ctx, checks->runs[i].timer, 0);
    *ret_checks = checks;
    return 0;
}

void hf_checks_free(struct hf_checks *checks)
{
    if (checks == NULL)
        return;
    const struct hf_checks_params *p = &checks->p;
    for (size_t i = 0; i < HF_MAX_CHECKS; i++) {
        struct run *run = &checks->runs[i];
        if (run->http != NULL)
            p->http->cancel(p->http->ctx, run->http);
        if (run->proc != NULL)
            p->proc->cancel(p->proc->ctx, run->proc);
        if (run->probe != NULL)
            p->probe->cancel(p->probe->ctx, run->probe);
        if (run->unit != NULL)
            p->unit->cancel(p->unit->ctx, run->unit);
        p->sched->timer_free(p->sched->ctx, run->timer);
    }
    p->sched->timer_free(p->sched->ctx, checks->deadline);
    free(checks);
}
