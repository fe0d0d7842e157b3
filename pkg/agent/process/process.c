/* SPDX-License-Identifier: Apache-2.0 */
/* Wires the real operations into an agent. The only decision here is the order of the steps. */
#include "agent/process/process.h"
#include "agent/process/downloads.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/identity/client_certificate.h"
#include "agent/identity/kubelet_identity.h"
#include "agent/page/page.h"
#include "agent/process/configuration.h"
#include "agent/process/host_condition.h"
#include "agent/process/listeners.h"
#include "agent/process/notify.h"
#include "agent/process/outside.h"
#include "agent/process/status_export.h"
#include "agent/process/supervised.h"
#include "agent/process/telemetry.h"
#include "kube/folder/folder.h"
#include "kube/split.h"
#include "kube/upstream.h"
#include "loop/http/client.h"
#include "loop/loop.h"
#include "loop/tpm_key.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "tpm/helper.h"
#include "trust/identity.h"
#include "web/process_metrics.h"
#include "web/web.h"

enum {
    MAX_IDENTITY = 64 << 10,
    STOP_TIMEOUT_S = 5,
    JOBS_TIMEOUT_S = 2,
    CREDENTIALS_PERIOD_S = 60,
    LOCK_TRIES = 50 /* one second in all */
};

#define MAX_SKEW_NS (5 * 60 * HF_NS_PER_S) /* until a policy sets it */

struct process {
    const struct hf_agent_options *options;
    char node_name[HF_API_MAX_NAME + 1];
    struct hf_loop *loop;
    struct hf_world world; /* clock: the home's */
    struct hf_home home;
    char tpm_program[PATH_MAX], cli_program[PATH_MAX];
    struct hf_agent_configuration config;
    struct hf_listeners *listeners;
    struct hf_downloads *downloads;
    struct hf_upstream *read;                  /* source of the desired state; NULL: a folder */
    struct hf_upstream *written;               /* server for the status; NULL: the same as `read` */
    struct hf_split *split;                    /* combines both; NULL: there is only one */
    struct hf_identity *identity;              /* the certificate in use, for other servers */
    struct hf_client_certificate *certificate; /* NULL: not asked for */
    struct hf_upstream *kubelet;               /* the issuer, with the kubelet's identity; NULL: not in use */
    struct hf_folder *folder;
    struct hf_agent *agent;
    struct hf_agent_telemetry *telemetry;
    struct hf_status_export *status_export; /* NULL: not asked for */
    struct hf_agent_page *page;
    struct hf_timer *timer; /* credentials; then the deadline of stopping */
    struct hf_outside *hold_watch, *link_watch, *clock_watch;
    struct hf_supervised *supervised;
    int supervisor_fd;                /* -1: none, or given to `supervised` */
    char own_unit[256];               /* "": none */
    char own_exe[PATH_MAX];           /* "": unknown */
    char run_path[PATH_MAX];          /* "": none */
    char host_life[HF_HOSTLIFE_TEXT]; /* text of the condition */
    bool stopping;
    bool credential_changed; /* of the issuer, since hf_client_certificate_credential() */
    int exit_code;
    struct hf_fs_counter counters[HF_FS_PARTS]; /* file systems of the parts, which count what they write */
};

static int log_failure(struct process *p, const char *event, const struct hf_err *err)
{
    hf_log_err(p->world.log, HF_LOG_ERROR, event, "stateDir", p->options->state_dir, err);
    return HF_EXIT_FAILED;
}

/* ---- local server ------------------------------------------------------------------------------------------------ */

static bool desired_state_is_known(void *arg, char *reason, size_t n)
{
    const struct process *p = arg;
    bool ready = p->agent != NULL && hf_agent_ready(p->agent);

    if (!ready)
        (void)snprintf(reason, n, "the agent does not have the desired state yet: %s",
                       p->agent != NULL && hf_agent_source_failure(p->agent) != NULL
                           ? hf_agent_source_failure(p->agent)
                           : "no contact with its source yet, and no cached objects");
    return ready;
}

static int serve(struct process *p, struct hf_err *err)
{
    struct hf_listeners_params params = {
        .options = p->options,
        .loop = p->loop,
        .log = p->world.log,
        .metrics = p->world.metrics,
        .ready = {.name = "desired-state", .ready = desired_state_is_known, .arg = p},
        .ingest = hf_agent_telemetry_route(p->telemetry),
        .run_dir = p->run_path[0] != '\0' ? p->options->run_dir : NULL,
    };

    params.page = hf_agent_page_routes(p->page, &params.n_page);
    return hf_listeners_new(&params, &p->listeners, err);
}

static void policy_changed(void *arg, const struct hf_syncpolicy *policy, const json_t *labels)
{
    struct process *p = arg;

    hf_agent_telemetry_follow(p->telemetry, policy, labels);
    hf_downloads_follow(p->downloads, policy);
    hf_upstream_follow(p->read, policy->retry_interval_ns, policy->clock_max_skew_ns);
    hf_upstream_follow(p->written, policy->retry_interval_ns, policy->clock_max_skew_ns);
}

static json_t *telemetry_status(void *arg)
{
    return hf_agent_telemetry_status(((const struct process *)arg)->telemetry);
}

static void writes_paused(void *arg, bool paused)
{
    struct process *p = arg;

    hf_agent_telemetry_pause_writes(p->telemetry, paused);
}

static void link_gate_changed(void *arg, const char *closed)
{
    struct process *p = arg;

    hf_agent_telemetry_set_link(p->telemetry, closed);
}

static struct hf_http_traffic api_traffic(void *arg)
{
    const struct process *p = arg;
    struct hf_http_traffic read = hf_upstream_traffic(p->read), written = hf_upstream_traffic(p->written);

    read.sent_bytes += written.sent_bytes;
    read.received_bytes += written.received_bytes;
    return read;
}

static void telemetry_sent(void *arg, uint64_t bytes, bool backlog)
{
    const struct process *p = arg;

    if (p->agent != NULL)
        hf_agent_telemetry_sent(p->agent, bytes, backlog);
}

static void telemetry_changed(void *arg)
{
    struct process *p = arg;

    if (p->agent != NULL)
        hf_agent_telemetry_changed(p->agent);
}

static void status_shown(void *arg, struct hf_view text)
{
    struct process *p = arg;

    hf_status_export_set(p->status_export, text);
    hf_agent_page_show(p->page, text);
}

static int open_status_export(struct process *p, struct hf_err *err)
{
    if (p->options->export_dir == NULL)
        return 0;
    p->status_export =
        hf_status_export_new(hf_fs_posix(), p->world.sched, p->world.log, p->options->export_dir, p->node_name);
    return p->status_export != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

static bool policy_is_known(void *arg)
{
    const struct process *p = arg;

    return p->agent != NULL && hf_agent_knows_policy(p->agent);
}

/* With a file system that counts what this part writes. */
static struct hf_world counted(const struct process *p, enum hf_fs_part part)
{
    struct hf_world world = p->world;

    world.fs = &p->counters[part].ops;
    return world;
}

static int open_telemetry(struct process *p, struct hf_err *err)
{
    const struct hf_agent_telemetry_params params = {
        .options = p->options,
        .loop = p->loop,
        .world = counted(p, HF_FS_TELEMETRY),
        .node = p->node_name,
        .identity = p->identity,
        .config = p->config.now,
        .policy_known = policy_is_known,
        .changed = telemetry_changed,
        .sent = telemetry_sent,
        .arg = p,
    };

    return hf_agent_telemetry_new(&params, &p->telemetry, err);
}

/* ---- client certificate ------------------------------------------------------------------------------------------ */

static struct hf_upstream_params upstream_params(struct process *p)
{
    const struct hf_agent_options *o = p->options;

    return (struct hf_upstream_params){
        .loop = p->loop,
        .world = p->world,
        .server = o->server,
        .kubeconfig = o->kubeconfig,
        .api = o->api,
        .user_agent = "holdfast-agent/" HF_VERSION,
        .field_manager = HF_FIELD_MANAGER,
        .max_skew_ns = MAX_SKEW_NS,
        .arg = p,
    };
}

/* The cluster that gets the status, where that is another one than the source. */
static void as_issuer(const struct process *p, struct hf_upstream_params *params)
{
    if (p->options->status_kubeconfig == NULL)
        return;
    params->server = NULL;
    params->kubeconfig = p->options->status_kubeconfig;
    params->api = HF_KUBE_APISERVER;
    params->world.metrics = NULL; /* the counters count the source's requests */
}

/* The server that gets our writes issues the certificate. */
static struct hf_upstream *issuer_of(const struct process *p)
{
    return p->written != NULL ? p->written : p->read;
}

static int use_certificate(void *arg, const char *certificate_pem, const char *key_pem, struct hf_err *err)
{
    const struct process *p = arg;
    int r = hf_upstream_use_certificate(issuer_of(p), certificate_pem, key_pem, err);

    return r == 0 ? hf_identity_set(p->identity, certificate_pem, key_pem, err) : r;
}

static void credentials_refused(void *arg)
{
    const struct process *p = arg;

    hf_client_certificate_refused(p->certificate);
}

static void credentials_changed(void *arg)
{
    struct process *p = arg;

    p->credential_changed = true;
}

static const char *certificate_problem(void *arg, bool *ret_valid, const char **ret_reason)
{
    const struct process *p = arg;

    return hf_client_certificate_problem(p->certificate, ret_valid, ret_reason);
}

static void certificate_issued(void *arg, enum hf_way way, const char *request)
{
    const struct process *p = arg;
    char text[128];

    (void)snprintf(text, sizeof(text), "the cluster gave the node a client certificate by %s", hf_way_text(way));
    if (p->agent != NULL)
        hf_agent_certificate_issued(p->agent, request, hf_way_reason(way), text);
}

/* For certificate requests alone: as its kubelet, the agent asks for nothing else. */
static struct hf_kube *kubelet_client(void *arg, struct hf_err *err)
{
    struct process *p = arg;
    struct hf_upstream_params params = upstream_params(p);

    if (p->kubelet == NULL) {
        as_issuer(p, &params);
        params.world.metrics = NULL;
        p->kubelet = hf_upstream_new(&params, err);
    }
    return p->kubelet != NULL && hf_kubelet_identity_use(hf_fs_posix(), p->options->identity.kubelet, p->node_name,
                                                         p->kubelet, err) == 0
               ? hf_upstream_kube(p->kubelet)
               : NULL;
}

static void kubelet_done(void *arg)
{
    struct process *p = arg;

    hf_upstream_free(p->kubelet);
    p->kubelet = NULL;
}

static void node_seen(void *arg, const char *uid)
{
    const struct process *p = arg;

    hf_client_certificate_node(p->certificate, uid);
}

static void certificate_changed(void *arg)
{
    const struct process *p = arg;

    if (p->agent != NULL)
        hf_agent_certificate_changed(p->agent);
}

/* A pod does not see the kubelet's files. */
static bool may_use_kubelet(const struct process *p)
{
    return !p->options->pod_mode && strcmp(p->options->identity.kubelet, HF_KUBELET_IDENTITY_OFF) != 0;
}

static int open_certificate(struct process *p, struct hf_err *err)
{
    const struct hf_client_certificate_params params = {
        .world = p->world,
        .kube = hf_upstream_kube(issuer_of(p)),
        .node_name = p->node_name,
        .dir = p->options->identity.dir,
        .lifetime_ns = p->options->identity.lifetime_ns,
        .key_in_tpm = p->options->identity.key_in_tpm,
        .use = use_certificate,
        .kubelet = may_use_kubelet(p) ? kubelet_client : NULL,
        .kubelet_done = kubelet_done,
        .issued = certificate_issued,
        .changed = certificate_changed,
        .arg = p,
    };

    if (params.dir == NULL)
        return 0;
    int r = hf_tpm_key_provide(hf_outside_beside(p->own_exe, HF_TPM_PROGRAM, p->tpm_program),
                               hf_config_tpm(p->config.now).tcti);
    return r < 0 ? hf_err_set(err, ENOMEM, "out of memory") : hf_client_certificate_new(&params, &p->certificate, err);
}

/* ---- upstreams --------------------------------------------------------------------------------------------------- */

static int open_upstreams(struct process *p, struct hf_err *err)
{
    const struct hf_agent_options *o = p->options;
    struct hf_upstream_params params = upstream_params(p);

    if (o->status_kubeconfig == NULL) {
        params.refused = credentials_refused;
        params.changed = credentials_changed;
    }
    p->read = hf_upstream_new(&params, err);
    if (p->read == NULL || o->status_kubeconfig == NULL)
        return p->read == NULL ? -err->code : open_certificate(p, err);
    params.refused = credentials_refused;
    params.changed = credentials_changed;
    as_issuer(p, &params);
    p->written = hf_upstream_new(&params, err);
    if (p->written == NULL)
        return hf_err_wrap(err, -err->code, "--status-kubeconfig");
    p->split = hf_split_new(hf_upstream_source(p->read), hf_upstream_source(p->written));
    return p->split == NULL ? hf_err_set(err, ENOMEM, "out of memory") : open_certificate(p, err);
}

static const struct hf_source_ops *source_of(struct process *p)
{
    if (p->folder != NULL)
        return hf_folder_source(p->folder);
    return p->split != NULL ? hf_split_source(p->split) : hf_upstream_source(p->read);
}

static int open_folder(struct process *p, struct hf_err *err)
{
    char status_dir[PATH_MAX];
    struct hf_folder_params params = {
        .dir = p->options->source, .status_dir = hf_home_path(&p->home, "status", status_dir), .world = p->world};

    p->folder = hf_folder_new(&params, err);
    return p->folder == NULL ? -err->code : 0;
}

/* ---- events from outside ----------------------------------------------------------------------------------------- */

static void hold_changed(void *arg)
{
    struct process *p = arg;

    hf_agent_hold_changed(p->agent);
}

static void clock_changed(void *arg)
{
    struct process *p = arg;

    hf_agent_clock_changed(p->agent);
}

static void link_changed(void *arg)
{
    struct process *p = arg;

    hf_upstream_nudge(p->read);
    hf_upstream_nudge(p->written);
}

/* Without a watch, the agent still reads the hold file and the clock at each interval, and tries the network when its
 * back-off ends. */
static void watch_outside(struct process *p)
{
    p->hold_watch = hf_outside_watch_file(p->loop, p->home.dir, "hold", hold_changed, p);
    hf_agent_hold_changed(p->agent); /* a file written after the agent read it and before the watch began */
    p->clock_watch = hf_outside_watch_clock(p->loop, clock_changed, p);
    if (p->read != NULL)
        p->link_watch = hf_outside_watch_links(p->loop, link_changed, p);
}

static bool is_in_memory(const char *dir)
{
    struct statfs fs;

    return statfs(dir, &fs) == 0 && ((uint32_t)fs.f_type == TMPFS_MAGIC || (uint32_t)fs.f_type == RAMFS_MAGIC);
}

/* A failure only makes a log line: `holdfast status` then reads the outbox in the state folder. */
static void make_run_folder(struct process *p)
{
    struct hf_err err = HF_ERR_INIT;
    const char *dir = p->options->run_dir;

    p->run_path[0] = '\0';
    if (dir == NULL)
        return;
    if (strlen(dir) > sizeof(p->run_path) - 32)
        (void)hf_err_set(&err, ENAMETOOLONG, "the path is too long");
    else if (hf_dir_make(hf_fs_posix(), dir, 0755, &err) == 0 && !p->options->run_dir_given && !is_in_memory(dir))
        (void)hf_err_set(&err, EMEDIUMTYPE, "the folder is not in memory (tmpfs); give --run-dir to use it anyway");
    else if (err.code == 0)
        (void)snprintf(p->run_path, sizeof(p->run_path), "%s/status.json", dir);
    if (p->run_path[0] == '\0')
        hf_log_err(p->world.log, HF_LOG_INFO, "run_dir.not_used", "dir", dir, &err);
}

static void find_own_program(struct process *p)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    ssize_t n = readlink("/proc/self/exe", p->own_exe, sizeof(p->own_exe) - 1);

    p->own_exe[HF_MAX(n, 0)] = '\0';
    if (hf_file_read(hf_fs_posix(), "/proc/self/cgroup", &text, NULL) < 0 ||
        !hf_outside_own_unit(hf_buf_view(&text), p->own_unit, sizeof(p->own_unit)))
        p->own_unit[0] = '\0';
}

/* ---- stopping ---------------------------------------------------------------------------------------------------- */

/* The agent stops first, because it has little to write; then telemetry flushes its stages. */
static void telemetry_stopped(void *arg)
{
    hf_loop_stop(((struct process *)arg)->loop);
}

static void stopped(void *arg)
{
    struct process *p = arg;

    hf_agent_telemetry_stop(p->telemetry, telemetry_stopped, p);
}

static void stop(struct process *p, const char *why, enum hf_agent_stop how)
{
    if (p->stopping)
        return;
    p->stopping = true;
    hf_notify_systemd("STOPPING=1");
    hf_log(p->world.log, HF_LOG_INFO, "agent.stopping", HF_S("why", why));
    hf_timer_arm(p->world.sched, p->timer, STOP_TIMEOUT_S * HF_NS_PER_S);
    hf_agent_stop(p->agent, how);
}

static void on_term(void *arg)
{
    stop(arg, "signal", HF_AGENT_STOP_REQUESTED);
}

static void reload_credentials(struct process *p)
{
    hf_upstream_reload(p->read);
    hf_upstream_reload(p->written);
    if (p->credential_changed)
        hf_client_certificate_credential(p->certificate);
    p->credential_changed = false;
    hf_client_certificate_check(p->certificate);
}

static void reload_config(struct process *p)
{
    struct hf_err err = HF_ERR_INIT;
    int r = hf_agent_configuration_read(&p->config, &err);

    if (r < 0)
        (void)log_failure(p, "config.not_read", &err);
    if (r <= 0)
        return;
    hf_agent_telemetry_configure(p->telemetry, p->config.now);
    hf_agent_configure(p->agent, p->config.now);
    hf_downloads_configure(p->downloads, p->config.now);
}

static void on_hangup(void *arg)
{
    struct process *p = arg;

    reload_credentials(p);
    if (p->agent != NULL && !p->stopping)
        reload_config(p);
    link_changed(p);
}

static void page_acted(void *arg, const char *act, const char *reason, const char *message)
{
    if (((struct process *)arg)->agent != NULL)
        hf_agent_page_acted(((struct process *)arg)->agent, act, reason, message);
}

static int open_page(struct process *p, struct hf_err *err)
{
    const struct hf_agent_page_params in = {
        .configuration = &p->config,
        .world = p->world,
        .state_dir = p->options->state_dir,
        .run_dir = p->options->run_dir,
        .telemetry = telemetry_status,
        .arg = p,
        .acts = {.proc = hf_loop_proc(p->loop),
                 .program = hf_outside_beside(p->own_exe, "holdfast", p->cli_program),
                 .retry = on_hangup,
                 .audited = page_acted,
                 .arg = p},
    };

    p->page = hf_agent_page_new(&in);
    return p->page != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

static void on_timer(void *arg)
{
    struct process *p = arg;

    if (p->stopping) {
        /* A disk that hangs must not block the shutdown of the node. The next start resumes from the state on the
         * disk. */
        hf_log(p->world.log, HF_LOG_WARNING, "agent.stop_late");
        hf_loop_stop(p->loop);
        return;
    }
    reload_credentials(p);
    hf_timer_arm(p->world.sched, p->timer, CREDENTIALS_PERIOD_S * HF_NS_PER_S);
}

static void settled(void *arg)
{
    struct process *p = arg;

    if (!p->options->once)
        return;
    p->exit_code = hf_agent_result(p->agent) == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
    stop(p, "settled", HF_AGENT_STOP_DONE);
}

static int catch_signals(struct process *p)
{
    int r = hf_loop_on_signal(p->loop, SIGTERM, on_term, p);

    (void)signal(SIGPIPE, SIG_IGN);
    if (r == 0)
        r = hf_loop_on_signal(p->loop, SIGINT, on_term, p);
    return r == 0 ? hf_loop_on_signal(p->loop, SIGHUP, on_hangup, p) : r;
}

/* ---- the supervisor ---------------------------------------------------------------------------------------------- */

static struct hf_supervised_facts look(void *arg)
{
    const struct process *p = arg;

    return (struct hf_supervised_facts){.has_state = hf_home_is_locked(&p->home),
                                        .has_turned = p->agent != NULL && !p->stopping};
}

static void restart(void *arg, const char *why)
{
    stop(arg, why, HF_AGENT_STOP_REQUESTED);
}

static int open_supervised(struct process *p, struct hf_err *err)
{
    const struct hf_supervised_params params = {
        .world = p->world,
        .state_dir = p->home.dir,
        .probation_ns = p->options->probation_ns,
        .look = look,
        .stop = restart,
        .arg = p,
    };

    p->supervised = hf_supervised_new(&params, p->supervisor_fd);
    return p->supervised == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

static int find_name(struct process *p, struct hf_err *err)
{
    char host[HOST_NAME_MAX + 1] = "";

    if (p->options->node_name != NULL)
        return hf_agent_node_name(p->options->node_name, p->node_name, sizeof(p->node_name), err);
    if (gethostname(host, sizeof(host) - 1) < 0)
        return hf_err_sys(err, -errno, "read the host's name");
    return hf_agent_node_name(host, p->node_name, sizeof(p->node_name), err);
}

static int open_downloads(struct process *p, struct hf_err *err)
{
    p->identity = hf_identity_new(hf_home_clock(&p->home));
    if (p->identity == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    const struct hf_downloads_params params = {.loop = p->loop,
                                               .clock = hf_home_clock(&p->home),
                                               .identity = p->identity,
                                               .log = p->world.log,
                                               .metrics = p->world.metrics,
                                               .node_name = p->node_name,
                                               .options = p->options,
                                               .max_skew_ns = MAX_SKEW_NS};

    return hf_downloads_new(&params, p->config.now, &p->downloads, err);
}

static int open_parts(struct process *p, struct hf_err *err)
{
    const struct hf_sched_ops *sched;

    p->loop = hf_loop_new(err);
    p->world.metrics = hf_metrics_new();
    if (p->loop == NULL || p->world.metrics == NULL)
        return p->loop == NULL ? -err->code : hf_err_set(err, ENOMEM, "out of memory");
    sched = p->world.sched = hf_loop_sched(p->loop);
    int r = hf_web_process_metrics(p->world.metrics);
    if (r < 0)
        return hf_err_sys(err, r, "register the metrics of the process");
    p->timer = hf_timer_new(sched, on_timer, p);
    if (p->timer == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = open_supervised(p, err);
    if (r < 0)
        return r;
    hf_supervised_alive(p->supervised);
    r = open_downloads(p, err);
    if (r < 0)
        return r;
    r = catch_signals(p);
    if (r < 0)
        return hf_err_sys(err, r, "catch signals");
    r = open_telemetry(p, err);
    if (r < 0)
        return r;
    r = open_status_export(p, err);
    if (r == 0)
        r = open_page(p, err);
    if (r < 0)
        return r;
    return p->options->source != NULL ? open_folder(p, err) : open_upstreams(p, err);
}

static int start_agent(struct process *p, struct hf_err *err)
{
    const struct hf_agent_options *o = p->options;
    struct hf_agent_params params = {
        .home = &p->home,
        .world = counted(p, HF_FS_STATE),
        .source = source_of(p),
        .source_echoes = p->read != NULL,
        .source_kube = p->read != NULL ? hf_upstream_kube(p->read) : NULL,
        .kubelet_http = p->read != NULL ? hf_upstream_kubelet(p->read, p->node_name) : NULL,
        .events = p->written != NULL ? hf_upstream_kube(p->written)
                  : p->read != NULL  ? hf_upstream_kube(p->read)
                                     : NULL,
        .status_apart = p->split != NULL,
        .proc = hf_loop_proc(p->loop),
        .tpm_program = hf_outside_beside(p->own_exe, HF_TPM_PROGRAM, p->tpm_program),
        .probe = hf_loop_probe(p->loop),
        .unit = hf_loop_unit(p->loop),
        .watch = hf_loop_watch(p->loop),
        .node_name = p->node_name,
        .version = HF_VERSION,
        .trust_dir = o->trust_dir,
        .config = p->config.now,
        .roots = hf_agent_configuration_roots(&p->config),
        .facts_root = "",
        .pod_mode = o->pod_mode,
        .host_root = o->host.root,
        .labels_by_controller = o->labels_by_controller,
        .once = o->once,
        .run_path = p->run_path[0] != '\0' ? p->run_path : NULL,
        .uid = geteuid(),
        .storage_dir = o->storage_dir,
        .update_fs = &p->counters[HF_FS_UPDATES].ops,
        .written = p->counters,
        .own_exe = p->own_exe[0] != '\0' && !o->pod_mode ? p->own_exe : NULL,
        .own_unit = p->own_unit[0] != '\0' ? p->own_unit : NULL,
        .life = hf_supervised_life(p->supervised),
        .retry_base_ns = o->retry_base_ns,
        .owner = {.policy_changed = policy_changed,
                  .writes_paused = writes_paused,
                  .link_changed = link_gate_changed,
                  .api_traffic = p->read != NULL ? api_traffic : NULL,
                  .telemetry = telemetry_status,
                  .certificate_problem = certificate_problem,
                  .node_seen = node_seen,
                  .status_shown = status_shown,
                  .settled = settled,
                  .stopped = stopped,
                  .arg = p},
    };

    hf_downloads_fill(p->downloads, &params);
    hf_host_condition(o, &params.host_life, p->host_life);
    return hf_agent_new(&params, &p->agent, err);
}

/* An agent that was killed while it started a child leaves the lock with that child until its exec. So only a lock that
 * stays for a second belongs to another agent. */
static int open_home(struct process *p, struct hf_err *err)
{
    const struct timespec pause = {.tv_nsec = 20 * (long)HF_NS_PER_MS};
    int r = -EWOULDBLOCK;

    for (int tries = 0; r == -EWOULDBLOCK && tries < LOCK_TRIES; tries++) {
        if (tries > 0)
            (void)nanosleep(&pause, NULL);
        r = hf_home_open(&p->home, &p->counters[HF_FS_STATE].ops, p->options->state_dir, (int)getpid(),
                         hf_clock_posix(), p->world.log, err);
    }
    return r;
}

static int run(struct process *p)
{
    struct hf_err err = HF_ERR_INIT;
    const struct hf_sched_ops *sched;
    int r = find_name(p, &err);

    if (r == 0)
        r = open_home(p, &err);
    if (r == -EWOULDBLOCK) {
        (void)log_failure(p, "agent.locked", &err);
        return HF_EXIT_LOCKED;
    }
    find_own_program(p);
    make_run_folder(p);
    if (r == 0)
        r = HF_MIN(hf_agent_configuration_read(&p->config, &err), 0);
    if (r == 0)
        r = open_parts(p, &err);
    if (r == 0 && hf_agent_configuration_keep(&p->config, p->world.sched) < 0)
        r = hf_err_set(&err, ENOMEM, "out of memory");
    if (r == 0)
        r = serve(p, &err); /* a taken port fails the start before the agent changes anything */
    if (r == 0)
        r = start_agent(p, &err);
    if (r < 0)
        return log_failure(p, "agent.not_started", &err);
    watch_outside(p);
    sched = p->world.sched;
    if ((hf_upstream_has_files(p->read) || hf_upstream_has_files(p->written) || p->certificate != NULL) && !p->stopping)
        hf_timer_arm(sched, p->timer, CREDENTIALS_PERIOD_S * HF_NS_PER_S);
    hf_notify_systemd("READY=1");
    hf_supervised_ready(p->supervised);
    hf_loop_run(p->loop);
    hf_log(p->world.log, HF_LOG_INFO, "agent.stopped", HF_D("exit", p->exit_code));
    return p->exit_code;
}

/* A job that hangs in the kernel must not block the end. Everything that it uses stays until the process has ended. */
static void end_jobs(struct process *p, int exit_code)
{
    if (p->loop == NULL || hf_loop_drain(p->loop, JOBS_TIMEOUT_S * HF_NS_PER_S))
        return;
    hf_log(p->world.log, HF_LOG_WARNING, "agent.job_left", HF_D("exit", exit_code));
    hf_log_free(p->world.log);
    _exit(exit_code);
}

/* In the reverse order of their creation; the loop last. */
static void clean_up(struct process *p, int exit_code)
{
    hf_outside_free(p->hold_watch);
    hf_outside_free(p->link_watch);
    hf_outside_free(p->clock_watch);
    hf_agent_free(p->agent);
    hf_supervised_free(p->supervised);
    hf_folder_free(p->folder);
    hf_split_free(p->split);
    hf_client_certificate_free(p->certificate);
    hf_upstream_free(p->kubelet);
    hf_upstream_free(p->written);
    hf_upstream_free(p->read);
    hf_downloads_free(p->downloads);
    hf_agent_telemetry_free(p->telemetry);
    hf_identity_free(p->identity);
    hf_status_export_free(p->status_export);
    hf_listeners_free(p->listeners);
    hf_agent_page_free(p->page);
    if (p->loop != NULL) {
        const struct hf_sched_ops *sched = p->world.sched;
        hf_timer_free(sched, p->timer);
    }
    end_jobs(p, exit_code);
    hf_agent_configuration_done(&p->config);
    hf_loop_free(p->loop);
    hf_metrics_free(p->world.metrics);
    hf_home_close(&p->home);
    hf_log_free(p->world.log);
}

int hf_agent_process(const struct hf_agent_options *options)
{
    struct process *p = calloc(1, sizeof(*p)); /* on the stack, its paths of 4 KiB would all be pages of our own */

    if (p == NULL)
        return HF_EXIT_FAILED;
    p->options = options;
    p->home.lock_fd = -1;
    p->supervisor_fd = hf_supervised_take_fd();
    for (size_t i = 0; i < HF_FS_PARTS; i++)
        hf_fs_counter_init(&p->counters[i]);
    p->world = (struct hf_world){.fs = hf_fs_posix(),
                                 .clock = hf_home_clock(&p->home),
                                 .rng = hf_rand_posix(),
                                 .log = hf_log_new(STDERR_FILENO, options->log_level, hf_clock_posix())};
    p->config = (struct hf_agent_configuration){.options = options, .fs = hf_fs_posix(), .log = p->world.log};
    int exit_code = p->world.log != NULL ? run(p) : HF_EXIT_FAILED;
    clean_up(p, exit_code);
    free(p);
    return exit_code;
}
