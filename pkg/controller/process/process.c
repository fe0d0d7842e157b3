/* SPDX-License-Identifier: Apache-2.0 */
/* Wires the real operations into a controller. The only decision here is the order of the steps. */
#include "controller/process/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controller/csr/approver.h"
#include "controller/fleet/conductor.h"
#include "controller/lead/leader.h"
#include "kube/upstream.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "web/process_metrics.h"
#include "web/web.h"

enum { STOP_TIMEOUT_S = 8, STOP_CHECK_MS = 50, CREDENTIALS_PERIOD_S = 60 };

#define MAX_SKEW_NS (5 * 60 * HF_NS_PER_S)
#define FIELD_MANAGER "holdfast-controller"
#define RECONNECT_SPREAD_NS HF_NS_PER_S /* one controller: it need not wait for the fleet to spread */

struct controller_process {
    const struct hf_controller_options *options;
    char identity[HOST_NAME_MAX + 1];
    char account[400];
    struct hf_loop *loop;
    struct hf_world world;
    struct hf_web *web[HF_CONTROLLER_LISTENERS];
    struct hf_upstream *upstream;
    struct hf_leader_env env;
    struct hf_leader *leader;
    struct hf_conductor *conductor;
    struct hf_approver *approver;
    struct hf_label_writer *labels; /* NULL without --write-labels=on */
    struct hf_node_binder *binder;
    struct hf_policy_writer *policies;
    struct hf_timer *timer; /* credentials; then the end of stopping */
    uint64_t stop_by_ns;    /* 0: not stopping */
    bool released;
};

static int log_failure(struct controller_process *p, const char *event, const struct hf_err *err)
{
    hf_log_err(p->world.log, HF_LOG_ERROR, event, "identity", p->identity, err);
    return HF_CONTROLLER_EXIT_FAILED;
}

static void arm(struct controller_process *p, uint64_t delay_ns)
{
    hf_timer_arm(hf_loop_sched(p->loop), p->timer, delay_ns);
}

/* ---- local servers ----------------------------------------------------------------------------------------------- */

static bool fleet_is_known(void *arg, char *reason, size_t n)
{
    const struct controller_process *p = arg;

    return p->conductor != NULL && hf_conductor_is_complete(p->conductor, reason, n);
}

static int open_page(struct controller_process *p, enum hf_controller_listener i, struct hf_err *err)
{
    static const char *const names[HF_CONTROLLER_LISTENERS] = {
        [HF_CONTROLLER_METRICS] = "metrics", [HF_CONTROLLER_HEALTH] = "health"};
    const struct hf_listen_flag *at = &p->options->listen[i];
    const struct hf_web_check check = {.name = "fleet", .ready = fleet_is_known, .arg = p};
    const struct hf_web_params params = {
        .address = at->address,
        .port = at->port,
        .metrics = i == HF_CONTROLLER_METRICS ? p->world.metrics : NULL,
        .limits = {.max_connections = 64, .idle_s = 10, .replace_oldest = true},
        .checks = &check,
        .n_checks = 1,
    };

    if (at->off)
        return 0;
    int r = hf_web_new(p->loop, &params, &p->web[i], err);
    if (r < 0)
        return hf_err_wrap(err, r, "--%s-address %s --%s-port %u", names[i], at->address, names[i], at->port);
    hf_log(p->world.log, HF_LOG_INFO, "server.listening", HF_S("listener", names[i]), HF_S("address", at->address),
           HF_D("port", hf_web_port(p->web[i])));
    return 0;
}

/* ---- leadership -------------------------------------------------------------------------------------------------- */

static bool leads(void *arg)
{
    const struct controller_process *p = arg;

    return p->leader != NULL && p->stop_by_ns == 0 && hf_leader_leads(p->leader);
}

static void lead_changed(void *arg, uint64_t epoch)
{
    struct controller_process *p = arg;

    hf_conductor_lead(p->conductor, epoch);
    hf_approver_lead(p->approver);
    hf_label_writer_lead(p->labels);
    hf_node_binder_lead(p->binder);
    hf_policy_writer_lead(p->policies);
}

static void went_back(void *arg)
{
    const struct controller_process *p = arg;

    hf_kube_restored(hf_upstream_kube(p->upstream));
}

static bool may_collect(void *arg)
{
    const struct controller_process *p = arg;
    const char *value = hf_leader_annotation(p->leader, HF_CONDUCTOR_ALLOW_COLLECT);

    return value != NULL && strcmp(value, "true") == 0;
}

static uint64_t heard_ns(void *arg)
{
    const struct controller_process *p = arg;

    return p->leader != NULL ? hf_leader_heard_ns(p->leader) : 0;
}

static bool saw_epoch(void *arg, uint64_t epoch)
{
    const struct controller_process *p = arg;

    return hf_leader_floor(p->leader, epoch);
}

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

static void released(void *arg)
{
    struct controller_process *p = arg;

    p->released = true;
    arm(p, 0);
}

/* Writes that are on their way get their answers before the Lease is free, so that the next leader sees them. */
static void continue_stop(struct controller_process *p)
{
    const uint64_t now = hf_mono_ns(hf_clock_posix());

    if (p->released || now >= p->stop_by_ns) {
        hf_loop_stop(p->loop);
        return;
    }
    arm(p, STOP_CHECK_MS * HF_NS_PER_MS);
    if (hf_conductor_is_idle(p->conductor) || now + HF_NS_PER_S >= p->stop_by_ns)
        hf_leader_release(p->leader, released, p);
}

static void on_term(void *arg)
{
    struct controller_process *p = arg;

    if (p->stop_by_ns != 0)
        return;
    hf_log(p->world.log, HF_LOG_INFO, "controller.stopping");
    p->stop_by_ns = hf_mono_ns(hf_clock_posix()) + STOP_TIMEOUT_S * HF_NS_PER_S;
    if (p->conductor == NULL || p->leader == NULL)
        hf_loop_stop(p->loop);
    else
        hf_conductor_lead(p->conductor, 0);
    arm(p, 0);
}

static void on_hangup(void *arg)
{
    const struct controller_process *p = arg;

    hf_upstream_reload(p->upstream);
}

static void on_timer(void *arg)
{
    struct controller_process *p = arg;

    if (p->stop_by_ns != 0) {
        continue_stop(p);
        return;
    }
    hf_upstream_reload(p->upstream);
    arm(p, CREDENTIALS_PERIOD_S * HF_NS_PER_S);
}

static int catch_signals(struct controller_process *p, struct hf_err *err)
{
    int r = hf_loop_on_signal(p->loop, SIGTERM, on_term, p);

    (void)signal(SIGPIPE, SIG_IGN);
    if (r == 0)
        r = hf_loop_on_signal(p->loop, SIGINT, on_term, p);
    if (r == 0)
        r = hf_loop_on_signal(p->loop, SIGHUP, on_hangup, p);
    return r == 0 ? 0 : hf_err_sys(err, r, "catch signals");
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

static int find_names(struct controller_process *p, struct hf_err *err)
{
    const struct hf_controller_options *o = p->options;
    const char *slash = o->agent_account != NULL ? strchr(o->agent_account, '/') : NULL;

    if (slash != NULL)
        (void)snprintf(p->account, sizeof(p->account), "system:serviceaccount:%.*s:%s", (int)(slash - o->agent_account),
                       o->agent_account, slash + 1);
    else
        (void)snprintf(p->account, sizeof(p->account), "system:serviceaccount:%s:holdfast-agent", o->lease_namespace);
    if (o->identity != NULL)
        (void)snprintf(p->identity, sizeof(p->identity), "%s", o->identity);
    else if (gethostname(p->identity, sizeof(p->identity) - 1) < 0)
        return hf_err_sys(err, -errno, "read the host's name");
    return 0;
}

static int open_base(struct controller_process *p, struct hf_err *err)
{
    const struct hf_sched_ops *sched;

    p->loop = hf_loop_new(err);
    p->world.metrics = hf_metrics_new();
    if (p->loop == NULL || p->world.metrics == NULL)
        return p->loop == NULL ? -err->code : hf_err_set(err, ENOMEM, "out of memory");
    sched = p->world.sched = hf_loop_sched(p->loop);
    p->timer = hf_timer_new(sched, on_timer, p);
    if (p->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_web_process_metrics(p->world.metrics);
    if (r < 0)
        return hf_err_sys(err, r, "register the metrics of the process");
    r = catch_signals(p, err);
    for (enum hf_controller_listener i = 0; i < HF_CONTROLLER_LISTENERS && r == 0; i++)
        r = open_page(p, i, err);
    return r;
}

static int open_upstream(struct controller_process *p, struct hf_err *err)
{
    const struct hf_upstream_params params = {
        .loop = p->loop,
        .world = p->world,
        .server = p->options->server,
        .kubeconfig = p->options->kubeconfig,
        .api = HF_KUBE_APISERVER,
        .user_agent = "holdfast-controller/" HF_VERSION,
        .field_manager = FIELD_MANAGER,
        .fleet = true,
        .max_skew_ns = MAX_SKEW_NS,
    };

    p->upstream = hf_upstream_new(&params, err);
    if (p->upstream == NULL)
        return -err->code;
    hf_kube_set_spread(hf_upstream_kube(p->upstream), RECONNECT_SPREAD_NS);
    p->env = (struct hf_leader_env){
        .kube = hf_upstream_kube(p->upstream),
        .world = p->world,
        .leads = leads,
        .arg = p,
    };
    return 0;
}

static int open_leader(struct controller_process *p, struct hf_err *err)
{
    const struct hf_leader_params params = {
        .kube = hf_upstream_kube(p->upstream),
        .world = p->world,
        .ns = p->options->lease_namespace,
        .name = p->options->lease_name,
        .identity = p->identity,
        .alone = p->options->no_election,
        .changed = lead_changed,
        .went_back = went_back,
        .arg = p,
    };

    p->leader = hf_leader_new(&params, err);
    return p->leader == NULL ? -err->code : 0;
}

static int open_labels(struct controller_process *p, struct hf_err *err)
{
    if (!p->options->write_labels)
        return 0;
    p->labels = hf_label_writer_new(&p->env);
    return p->labels == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

static bool knows_nodes(void *arg)
{
    char reason[300];

    return fleet_is_known(arg, reason, sizeof(reason));
}

static int open_binder(struct controller_process *p, struct hf_err *err)
{
    const struct hf_node_binder_params params = {.env = p->env, .is_complete = knows_nodes};

    p->binder = hf_node_binder_new(&params);
    return p->binder == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

static uint64_t server_unix_ns(void *arg)
{
    const struct controller_process *p = arg;

    return hf_conductor_unix_ns(p->conductor);
}

static int open_policies(struct controller_process *p, struct hf_err *err)
{
    const struct hf_policy_writer_params params = {
        .env = p->env, .is_complete = knows_nodes, .unix_ns = server_unix_ns};

    p->policies = hf_policy_writer_new(&params, err);
    return p->policies == NULL ? -err->code : 0;
}

static int open_conductor(struct controller_process *p, struct hf_err *err)
{
    const struct hf_controller_options *o = p->options;
    const struct hf_conductor_params params = {
        .env = p->env,
        .rollout = {.collect_after_ns = o->collect_after_ns},
        .labels = p->labels,
        .binder = p->binder,
        .policies = p->policies,
        .identity = p->identity,
        .may_collect = may_collect,
        .heard_ns = heard_ns,
        .saw_epoch = saw_epoch,
    };

    p->conductor = hf_conductor_new(&params, err);
    return p->conductor == NULL ? -err->code : 0;
}

static int open_approver(struct controller_process *p, struct hf_err *err)
{
    const struct hf_approver_params params = {
        .env = p->env,
        .terms = {.account = p->account,
                  .min_lifetime_s = HF_CSR_MIN_LIFETIME_S,
                  .max_lifetime_s = HF_CSR_MAX_LIFETIME_S},
    };

    if (!p->options->approve_certificates)
        return 0;
    p->approver = hf_approver_new(&params, err);
    return p->approver == NULL ? -err->code : 0;
}

static int run(struct controller_process *p)
{
    struct hf_err err = HF_ERR_INIT;
    int r = find_names(p, &err);

    if (r == 0)
        r = open_base(p, &err); /* a taken port fails the start before anything else happens */
    if (r == 0)
        r = open_upstream(p, &err);
    if (r == 0)
        r = open_labels(p, &err);
    if (r == 0)
        r = open_binder(p, &err);
    if (r == 0)
        r = open_policies(p, &err);
    if (r == 0)
        r = open_conductor(p, &err);
    if (r == 0)
        r = open_approver(p, &err);
    if (r == 0)
        r = open_leader(p, &err);
    if (r < 0)
        return log_failure(p, "controller.not_started", &err);
    if (p->stop_by_ns == 0 && hf_upstream_has_files(p->upstream))
        arm(p, CREDENTIALS_PERIOD_S * HF_NS_PER_S);
    hf_log(p->world.log, HF_LOG_INFO, "controller.started", HF_S("identity", p->identity), HF_S("version", HF_VERSION));
    hf_loop_run(p->loop);
    hf_log(p->world.log, HF_LOG_INFO, "controller.stopped");
    return HF_CONTROLLER_EXIT_OK;
}

/* In the reverse order of their creation; the loop last. */
static void clean_up(struct controller_process *p)
{
    for (int i = 0; i < HF_CONTROLLER_LISTENERS; i++)
        hf_web_free(p->web[i]);
    hf_leader_free(p->leader);
    p->leader = NULL;
    hf_approver_free(p->approver);
    hf_conductor_free(p->conductor);
    hf_label_writer_free(p->labels);
    hf_node_binder_free(p->binder);
    hf_policy_writer_free(p->policies);
    hf_upstream_free(p->upstream);
    if (p->loop != NULL && p->timer != NULL) {
        const struct hf_sched_ops *sched = hf_loop_sched(p->loop);
        hf_timer_free(sched, p->timer);
    }
    hf_loop_free(p->loop);
    hf_metrics_free(p->world.metrics);
    hf_log_free(p->world.log);
}

int hf_controller_process(const struct hf_controller_options *options)
{
    struct controller_process p = {.options = options};
    int exit_code = HF_CONTROLLER_EXIT_FAILED;

    p.world = (struct hf_world){.fs = hf_fs_posix(),
                                .clock = hf_clock_posix(),
                                .rng = hf_rand_posix(),
                                .log = hf_log_new(STDERR_FILENO, options->log_level, hf_clock_posix())};
    if (p.world.log != NULL)
        exit_code = run(&p);
    clean_up(&p);
    return exit_code;
}
