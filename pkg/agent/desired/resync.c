#include "agent/desired/resync.h"

#include <errno.h>

#include "agent/counters.h"
#include "agent/turn.h"
#include "sync/stale_table.h"

#define TIMEOUT_NS (30 * HF_NS_PER_S)
#define CHRONYC "/usr/bin/chronyc"
#define TIMESYNCD "systemd-timesyncd.service"

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env)
{
    *resync = (struct hf_resync){.env = env, .wait_ns = HF_NEVER};
}

void hf_resync_done(struct hf_resync *resync)
{
    if (resync->env == NULL)
        return;
    const struct hf_agent_params *params = resync->env->params;
    if (resync->child != NULL)
        params->proc->cancel(params->proc->ctx, resync->child);
    if (resync->job != NULL)
        params->unit->cancel(params->unit->ctx, resync->job);
    resync->child = NULL;
    resync->job = NULL;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static void asked(struct hf_resync *resync, const char *service, const struct hf_err *err)
{
    hf_counters_add_resync(resync->env->counters, err == NULL ? "asked" : "failed");
    if (err != NULL)
        hf_log_err(resync->env->log, HF_LOG_WARNING, "clock.resync_failed", "service", service, err);
    else
        hf_log(resync->env->log, HF_LOG_INFO, "clock.resync", HF_S("service", service));
    hf_turn_wake(resync->env->turn, 0);
}

static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct hf_resync *resync = arg;

    resync->job = NULL;
    asked(resync, TIMESYNCD, r < 0 ? err : NULL);
}

static void restart_timesyncd(struct hf_resync *resync)
{
    const struct hf_unit_ops *unit = resync->env->params->unit;
    struct hf_err err = HF_ERR_INIT;

    if (unit->restart(unit->ctx, TIMESYNCD, TIMEOUT_NS, restarted, resync, &resync->job, &err) < 0)
        asked(resync, TIMESYNCD, &err);
}

static void chronyc_ended(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_resync *resync = arg;
    struct hf_err err = HF_ERR_INIT;

    resync->child = NULL;
    if (r == 0 && exit_code == 0) {
        asked(resync, "chronyd", NULL);
        return;
    }
    if (r == -ENOENT) { /* no chrony on this node */
        restart_timesyncd(resync);
        return;
    }
    (void)hf_err_set(&err, r < 0 ? -r : EIO, "'%s makestep' exited with %d: %.*s", CHRONYC, exit_code,
                     (int)HF_MIN(output.n, (size_t)100), output.n > 0 ? output.p : "");
    asked(resync, "chronyd", &err);
}

static void ask(struct hf_resync *resync)
{
    static const char *const argv[] = {CHRONYC, "makestep", NULL};
    const struct hf_agent_params *params = resync->env->params;
    const struct hf_proc_request request = {
        .argv = argv, .timeout_ns = TIMEOUT_NS, .done = chronyc_ended, .arg = resync};
    struct hf_err err = HF_ERR_INIT;

    if (params->pod_mode) {
        restart_timesyncd(resync);
        return;
    }
    int r = params->proc->spawn(params->proc->ctx, &request, &resync->child, &err);
    if (r == -ENOENT)
        restart_timesyncd(resync);
    else if (r < 0)
        asked(resync, "chronyd", &err);
}

/* ---- a turn ------------------------------------------------------------------------------------------------------ */

static bool find_leap(struct hf_resync *resync, uint64_t mono_ns, uint64_t max_skew_ns)
{
    uint64_t wall = hf_unix_ns(resync->env->params->home->clock.wall);
    int64_t leap = hf_clock_resync_leap_ns(&resync->rule, mono_ns, wall, max_skew_ns);

    if (leap == 0)
        return false;
    resync->leaps++;
    resync->leap_ns = leap;
    hf_counters_add_leap(resync->env->counters);
    hf_log(resync->env->log, HF_LOG_WARNING, "clock.stepped", HF_D("leapMilliseconds", leap / (int64_t)HF_NS_PER_MS));
    return true;
}

bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy)
{
    uint64_t mono_ns = hf_mono_ns(resync->env->clock);
    bool leapt = find_leap(resync, mono_ns, policy->clock_max_skew_ns);
    bool wanted = policy->clock_resync && contact->skew.exceeded && resync->child == NULL && resync->job == NULL &&
                  hf_config_allows_clock_resync(resync->env->config, NULL) &&
                  hf_stale_table_may(HF_STALE_ACT_CLOCK_RESYNC, contact->staleness, policy->on_expiry);

    resync->work_mono_ns = mono_ns;
    if (hf_clock_resync_take(&resync->rule, wanted, mono_ns, &resync->wait_ns))
        ask(resync);
    return leapt;
}

uint64_t hf_resync_wait_until_ns(const struct hf_resync *resync)
{
    return resync->wait_ns == HF_NEVER ? HF_NEVER : resync->work_mono_ns + resync->wait_ns;
}
