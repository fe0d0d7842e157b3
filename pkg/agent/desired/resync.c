/* SPDX-License-Identifier: Apache-2.0 */
/* To ask a time service means to restart the unit of chronyd or systemd-timesyncd: the active one, or else one that
 * has failed. A service that the node's owner has stopped stays stopped. After a start, both ask their own servers
 * at once; then systemd-timesyncd steps the clock, and chronyd does if its configuration has `makestep`, as those of
 * the distributions have. The command `chronyc makestep` does not help: until chronyd has asked its servers again,
 * it knows of no error, and steps the clock by 0 s. */
#include "agent/desired/resync.h"

#include <errno.h>
#include <string.h>

#include "agent/counters.h"
#include "agent/turn.h"
#include "sync/stale_table.h"

#define TIMEOUT_NS (30 * HF_NS_PER_S)

/* chronyd's unit has the first name, and the second on Debian and Ubuntu. */
static const char *const services[] = {"chronyd.service", "chrony.service", "systemd-timesyncd.service"};

static void look_at_next(struct hf_resync *resync);

void hf_resync_init(struct hf_resync *resync, const struct hf_agent_env *env)
{
    *resync = (struct hf_resync){.env = env, .wait_ns = HF_NEVER};
}

void hf_resync_done(struct hf_resync *resync)
{
    if (resync->env == NULL)
        return;
    const struct hf_agent_params *params = resync->env->params;
    if (resync->call != NULL)
        params->unit->cancel(params->unit->ctx, resync->call);
    resync->call = NULL;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static void asked(struct hf_resync *resync, const char *service, const struct hf_err *err)
{
    hf_counters_add(resync->env->counters->resyncs, err == NULL ? "asked" : "failed");
    if (err != NULL)
        hf_log_err(resync->env->world.log, HF_LOG_WARNING, "clock.resync_failed", "service", service, err);
    else
        hf_log(resync->env->world.log, HF_LOG_INFO, "clock.resync", HF_S("service", service));
    hf_turn_wake(resync->env->turn, 0);
}

static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct hf_resync *resync = arg;

    resync->call = NULL;
    asked(resync, resync->service, r < 0 ? err : NULL);
}

static void restart(struct hf_resync *resync, const char *service)
{
    const struct hf_unit_ops *unit = resync->env->params->unit;
    struct hf_err err = HF_ERR_INIT;

    resync->service = service;
    if (unit->restart(unit->ctx, service, TIMEOUT_NS, restarted, resync, &resync->call, &err) < 0)
        asked(resync, service, &err);
}

/* After all services have been looked at: none of them is active. */
static void restart_failed_one(struct hf_resync *resync)
{
    struct hf_err err = HF_ERR_INIT;

    if (resync->service != NULL) {
        restart(resync, resync->service);
        return;
    }
    (void)hf_err_set(&err, ENOENT, "neither %s nor %s nor %s runs", services[0], services[1], services[2]);
    asked(resync, "none", &err);
}

static void state_read(void *arg, int r, const char *active_state, HF_UNUSED const char *sub_state,
                       const struct hf_err *err)
{
    struct hf_resync *resync = arg;
    const char *service = services[resync->looked_at];

    resync->call = NULL;
    if (r < 0 && r != -ENOENT) {
        asked(resync, service, err);
        return;
    }
    if (r == 0 && (strcmp(active_state, "active") == 0 || strcmp(active_state, "activating") == 0)) {
        restart(resync, service);
        return;
    }
    if (r == 0 && strcmp(active_state, "failed") == 0 && resync->service == NULL)
        resync->service = service;
    resync->looked_at++;
    look_at_next(resync);
}

static void look_at_next(struct hf_resync *resync)
{
    const struct hf_unit_ops *unit = resync->env->params->unit;
    struct hf_err err = HF_ERR_INIT;

    if (resync->looked_at == HF_LEN(services)) {
        restart_failed_one(resync);
        return;
    }
    const char *service = services[resync->looked_at];
    if (unit->state(unit->ctx, service, TIMEOUT_NS, state_read, resync, &resync->call, &err) < 0)
        asked(resync, service, &err);
}

static void ask(struct hf_resync *resync)
{
    resync->service = NULL;
    resync->looked_at = 0;
    look_at_next(resync);
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
    hf_metric_add(resync->env->counters->leaps, 1);
    hf_log(resync->env->world.log, HF_LOG_WARNING, "clock.stepped",
           HF_D("leapMilliseconds", leap / (int64_t)HF_NS_PER_MS));
    return true;
}

bool hf_resync_work(struct hf_resync *resync, const struct hf_contact *contact, const struct hf_syncpolicy *policy)
{
    uint64_t mono_ns = hf_mono_ns(resync->env->world.clock);
    bool leapt = find_leap(resync, mono_ns, policy->clock_max_skew_ns);
    bool wanted = policy->clock_resync && contact->skew.exceeded && resync->call == NULL &&
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
