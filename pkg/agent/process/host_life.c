/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's side of an agent that lives on the host.
 *
 * --install-host runs in a container of its own before the pod's agent starts, because it alone may write the folder
 * of units. It finds out what the host is like, does what the plan says, and leaves the decision in the state folder.
 * What goes wrong there keeps the agent in the pod, under the condition HostLife, and never ends the pod.
 *
 * The agent's own container then reads the decision. Where the agent lives on the host, this process is small and
 * watches: it renews the files with the pod's token, and looks whether another process has the state folder. If none
 * has it for a minute and the host's unit does not run, this process starts the agent as a child, and ends it as soon
 * as the unit is wanted again. The lock of the state folder keeps the two apart in any case. */
#include "agent/process/host_life.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/process/host_condition.h"
#include "agent/process/process.h"
#include "host/credentials.h"
#include "host/facts.h"
#include "host/install.h"
#include "host/inventory.h"
#include "host/unit_text.h"
#include "host/watch.h"
#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/file.h"

#define POD_SECRETS "HOLDFAST_POD_SECRETS" /* the chart says that the pod has files that a host has not */
#define TEMPLATE "/holdfast-host.service"

enum { MAX_TEXT = 65536, LOOK_S = 2, SYNC_LOOKS = 5, BUS_TRIES = 50 };

struct host_life {
    const struct hf_agent_options *options;
    struct hf_hostlife_place place;
    struct hf_log *log;
    struct hf_loop *loop;
    struct hf_hostlife_systemd systemd;
};

static int begin(struct host_life *life, const struct hf_agent_options *options)
{
    struct hf_err err = HF_ERR_INIT;

    *life = (struct host_life){.options = options, .place = hf_host_condition_place(options)};
    life->log = hf_log_new(STDERR_FILENO, options->log_level, hf_clock_posix());
    life->loop = hf_loop_new(&err);
    if (life->log == NULL || life->loop == NULL)
        return -ENOMEM;
    life->systemd = hf_hostlife_systemd(life->loop);
    return 0;
}

static void end(struct host_life *life)
{
    hf_loop_free(life->loop);
    hf_log_free(life->log);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool is_named(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Variables of the pod that mean the same on the host. */
static int add_variables(struct hf_buf *out, struct hf_err *err)
{
    static const char *const not_there[] = {"HOLDFAST_MODE", "HOLDFAST_HOST_ROOT", "HOLDFAST_HOST_LIFE",
                                            "HOLDFAST_HOST_PATHS", NULL};
    static const char *const more[] = {"HTTPS_PROXY", "https_proxy", "http_proxy", "HTTP_PROXY",
                                       "ALL_PROXY",   "all_proxy",   "NO_PROXY",   "no_proxy"};
    const char *name;
    int r = 0;

    for (size_t i = 0; r == 0 && hf_agent_options_variable(i, &name); i++) {
        const char *value = name != NULL && !is_named(not_there, name) ? getenv(name) : NULL;
        if (value != NULL && value[0] != '\0')
            r = hf_hostlife_add_variable(out, name, value, err);
    }
    for (size_t i = 0; r == 0 && i < HF_LEN(more); i++)
        if (getenv(more[i]) != NULL)
            r = hf_hostlife_add_variable(out, more[i], getenv(more[i]), err);
    return r;
}

/* The pod's arguments without those that are about the pod. */
static int add_arguments(struct hf_buf *out, int argc, char *const *argv, struct hf_err *err)
{
    static const char *const pods[] = {"--mode", "--host-root", "--host-life", "--host-paths", "--install-host", NULL};
    char *words[64], name[32];
    size_t n = 0;

    for (int i = 1; i < argc && n < HF_LEN(words); i++) {
        size_t length = strcspn(argv[i], "=");
        (void)snprintf(name, sizeof(name), "%.*s", (int)HF_MIN(length, sizeof(name) - 1), argv[i]);
        if (!is_named(pods, name))
            words[n++] = argv[i];
        else if (argv[i][length] == '\0' && strcmp(name, "--install-host") != 0)
            i++; /* its value */
    }
    return hf_hostlife_add_words(out, "HOLDFAST_ARGS", words, n, err);
}

static int environment_text(const struct host_life *life, int argc, char *const *argv, struct hf_buf *out,
                            struct hf_err *err)
{
    const struct hf_agent_options *o = life->options;
    char path[PATH_MAX];
    int r = add_variables(out, err);

    if (r == 0 && o->server == NULL && o->kubeconfig == NULL && o->source == NULL)
        r = hf_hostlife_add_variable(out, "HOLDFAST_KUBECONFIG",
                                     hf_hostlife_path(&life->place, HF_HOSTLIFE_POD_DIR "/kubeconfig", path), err);
    if (r == 0 && o->device_key_ref != NULL && strncmp(o->device_key_ref, "env:", 4) == 0 &&
        getenv(o->device_key_ref + 4) != NULL)
        r = hf_hostlife_add_variable(out, o->device_key_ref + 4, getenv(o->device_key_ref + 4), err);
    return r == 0 ? add_arguments(out, argc, argv, err) : r;
}

/* An image without the template has no build for hosts: the text stays empty. */
static int unit_text(const struct host_life *life, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%.3000s" TEMPLATE, life->place.image_dir);
    int r = hf_file_read(life->place.fs, path, &text, err);
    if (r == -ENOENT)
        return 0;
    return r == 0 ? hf_hostlife_unit_text(hf_buf_view(&text), life->options->host.paths, out, err) : r;
}

/* ---- --install-host ---------------------------------------------------------------------------------------------- */

static int sync_credentials(const struct host_life *life, struct hf_err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    const struct hf_agent_options *o = life->options;
    char server[300];

    if (o->server != NULL || o->kubeconfig != NULL || o->source != NULL || host == NULL)
        return 0;
    (void)snprintf(server, sizeof(server), strchr(host, ':') != NULL ? "https://[%s]:%s" : "https://%s:%s", host,
                   port != NULL ? port : "443");
    return hf_hostlife_credentials_sync(&life->place, HF_HOSTLIFE_SERVICE_ACCOUNT, server, err);
}

/* The filter in the other container may begin to listen a moment later. */
static void await_bus(const struct host_life *life)
{
    const struct timespec pause = {.tv_nsec = 100 * (long)HF_NS_PER_MS};
    char active[HF_HOSTLIFE_STATE];

    assert(life->systemd.state != NULL);
    for (int i = 0; i < BUS_TRIES; i++) {
        if (life->systemd.state(life->systemd.ctx, active, NULL) != -ENOTCONN)
            return;
        (void)nanosleep(&pause, NULL);
    }
}

static int act(const struct host_life *life, const struct hf_hostlife_install *install,
               struct hf_hostlife_decision *decision, struct hf_err *err)
{
    int r = 0;

    switch (decision->act) {
    case HF_HOSTLIFE_STAY_POD:
        return 0;
    case HF_HOSTLIFE_REMOVE:
        return hf_hostlife_remove(&life->place, &life->systemd, err);
    case HF_HOSTLIFE_INSTALL:
        r = sync_credentials(life, err);
        if (r == 0)
            return hf_hostlife_install(install, &decision->reason, err);
        decision->reason = HF_HOSTLIFE_R_FAILED;
        return r;
    case HF_HOSTLIFE_REFRESH:
        r = sync_credentials(life, err);
        return r == 0 ? hf_hostlife_refresh(install, &decision->reason, err) : r;
    case HF_HOSTLIFE_WATCH:
        return hf_hostlife_start(&life->systemd, err);
    }
    return r;
}

/* An installation that fails goes again, so that the pod's agent is the only one. One that ran before stays: the watch
 * sees whether it runs. */
static void settle(const struct host_life *life, struct hf_hostlife_decision *decision, int r, const struct hf_err *err)
{
    struct hf_err ignored = HF_ERR_INIT;

    if (r == 0)
        return;
    hf_log_err(life->log, HF_LOG_WARNING, "host.failed", "act", hf_hostlife_act_name(decision->act), err);
    if (decision->act == HF_HOSTLIFE_INSTALL) {
        (void)hf_err_text(err, decision->message, sizeof(decision->message));
        decision->act = HF_HOSTLIFE_STAY_POD;
        if (hf_hostlife_remove(&life->place, &life->systemd, &ignored) < 0)
            hf_log_err(life->log, HF_LOG_WARNING, "host.failed", "act", "Remove", &ignored);
    } else if (decision->act == HF_HOSTLIFE_REFRESH) {
        decision->act = HF_HOSTLIFE_WATCH;
        decision->reason = HF_HOSTLIFE_NO_REASON;
    }
}

static void keep(const struct host_life *life, const struct hf_hostlife_decision *decision)
{
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    if (hf_hostlife_decision_save(&life->place, decision, &err) < 0 ||
        hf_dir_make(life->place.fs, hf_hostlife_path(&life->place, HF_HOSTLIFE_POD_DIR, path), 0700, &err) < 0)
        hf_log_err(life->log, HF_LOG_WARNING, "host.failed", "act", "Decide", &err);
}

static int install(const struct host_life *life, struct hf_view unit, struct hf_view environment)
{
    const struct hf_hostlife_wanted wanted = {unit, environment, getenv(POD_SECRETS) != NULL};
    const struct hf_hostlife_install what = {&life->place, &life->systemd, unit, environment, HF_VERSION};
    struct hf_hostlife_decision decision = {.act = HF_HOSTLIFE_STAY_POD};
    struct hf_err err = HF_ERR_INIT;
    struct hf_hostlife_facts facts;

    if (life->options->host.life != HF_HOSTLIFE_POD)
        await_bus(life);
    hf_hostlife_facts(&life->place, &life->systemd, &wanted, &facts, decision.message);
    struct hf_hostlife_plan plan = hf_hostlife_plan(life->options->host.life, &facts);
    decision.act = plan.act;
    decision.reason = plan.reason;
    if (plan.reason != HF_HOSTLIFE_R_NO_SYSTEMD)
        decision.message[0] = '\0';
    hf_log(life->log, HF_LOG_INFO, "host.planned", HF_S("act", hf_hostlife_act_name(plan.act)),
           HF_S("reason", hf_hostlife_reason_name(plan.reason)));
    int r = act(life, &what, &decision, &err);
    settle(life, &decision, r, &err);
    if (life->options->host.life == HF_HOSTLIFE_POD)
        return r == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
    if ((facts.has & HF_HOSTLIFE_FORGOT) != 0)
        decision.act = HF_HOSTLIFE_REMOVE; /* remembered */
    keep(life, &decision);
    return HF_EXIT_OK;
}

int hf_host_life_install(const struct hf_agent_options *options, int argc, char *const *argv)
{
    _cleanup_(hf_buf_done) struct hf_buf unit = HF_BUF_INIT(MAX_TEXT);
    _cleanup_(hf_buf_wipe) struct hf_buf environment = HF_BUF_INIT(MAX_TEXT);
    struct hf_err err = HF_ERR_INIT;
    struct host_life life;
    int exit_code = HF_EXIT_FAILED;

    if (begin(&life, options) == 0) {
        int r = unit_text(&life, &unit, &err);
        if (r == 0)
            r = environment_text(&life, argc, argv, &environment, &err);
        if (r == 0)
            exit_code = install(&life, hf_buf_view(&unit), hf_buf_view(&environment));
        else
            hf_log_err(life.log, HF_LOG_ERROR, "host.failed", "act", "Plan", &err);
    }
    end(&life);
    return exit_code;
}

/* ---- the watch --------------------------------------------------------------------------------------------------- */

struct watcher {
    struct host_life life;
    struct hf_hostlife_watch watch;
    char *const *argv;
    int argc;
    pid_t child; /* 0: none */
    int lock;    /* for `holdfast node host`; -1: the pod before this one still has it */
};

/* A shared lock for a moment: a process that starts at the same time tries for a second. */
static bool is_locked(const struct watcher *w)
{
    char path[PATH_MAX];
    int fd;

    (void)snprintf(path, sizeof(path), "%.3000s/agent.lock", w->life.place.state_dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    (void)close(fd);
    return locked;
}

static bool is_wanted(const struct watcher *w)
{
    char active[HF_HOSTLIFE_STATE] = "";

    assert(w->life.systemd.state != NULL);
    return w->life.systemd.state(w->life.systemd.ctx, active, NULL) == 0 &&
           (strcmp(active, "active") == 0 || strcmp(active, "activating") == 0 || strcmp(active, "reloading") == 0);
}

/* The agent as a child, with this process's arguments. */
static void step_in(struct watcher *w, const sigset_t *signals)
{
    char **argv = calloc((size_t)w->argc + 2, sizeof(*argv)), off[] = "--host-life=off";

    if (argv == NULL)
        return;
    memcpy(argv, w->argv, (size_t)w->argc * sizeof(*argv));
    argv[w->argc] = off;
    (void)setenv(HF_HOST_CONDITION_VARIABLE, hf_hostlife_reason_name(HF_HOSTLIFE_R_GONE), 1);
    pid_t pid = fork();
    if (pid == 0) {
        (void)sigprocmask(SIG_UNBLOCK, signals, NULL);
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    free(argv);
    w->child = HF_MAX(pid, 0);
    hf_log(w->life.log, HF_LOG_WARNING, "host.stepped_in", HF_D("pid", pid));
}

/* Waits for the child's orderly end. Returns its exit code. */
static int end_child(struct watcher *w)
{
    int status = 0;

    if (w->child <= 0)
        return HF_EXIT_OK;
    (void)kill(w->child, SIGTERM);
    while (waitpid(w->child, &status, 0) < 0 && errno == EINTR)
        continue;
    w->child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : HF_EXIT_FAILED;
}

static void look(struct watcher *w, unsigned n, const sigset_t *signals)
{
    struct hf_hostlife_seen seen = {.acts = w->child > 0};
    struct hf_err err = HF_ERR_INIT;

    if (w->lock < 0)
        w->lock = hf_hostlife_watch_lock(&w->life.place, NULL);
    if (n % SYNC_LOOKS == 0 && sync_credentials(&w->life, &err) < 0)
        hf_log_err(w->life.log, HF_LOG_WARNING, "host.credentials", "folder", HF_HOSTLIFE_POD_DIR, &err);
    seen.locked = !seen.acts && is_locked(w);
    seen.wanted = !seen.locked && is_wanted(w);
    switch (hf_hostlife_watch_step(&w->watch, &seen, hf_mono_ns(hf_clock_posix()))) {
    case HF_HOSTLIFE_KEEP:
        break;
    case HF_HOSTLIFE_STEP_IN:
        step_in(w, signals);
        break;
    case HF_HOSTLIFE_STEP_BACK:
        hf_log(w->life.log, HF_LOG_INFO, "host.stepped_back", HF_D("exit", end_child(w)));
        break;
    }
}

/* A child that ends by itself ends this process, too: the kubelet starts both again, and counts. */
static bool child_ended(const struct watcher *w, int *exit_code)
{
    int status = 0;

    if (w->child <= 0 || waitpid(w->child, &status, WNOHANG) != w->child)
        return false;
    *exit_code = WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : HF_EXIT_FAILED;
    return true;
}

static int watch(struct watcher *w)
{
    const struct timespec period = {.tv_sec = LOOK_S};
    int exit_code = HF_EXIT_OK;
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    hf_log(w->life.log, HF_LOG_INFO, "host.watching", HF_S("stateDir", w->life.place.state_dir));
    for (unsigned n = 0;; n++) {
        look(w, n, &signals);
        int signum = sigtimedwait(&signals, NULL, &period);
        if (child_ended(w, &exit_code))
            break;
        if (signum == SIGHUP && w->child > 0)
            (void)kill(w->child, SIGHUP);
        if (signum != SIGTERM && signum != SIGINT)
            continue;
        exit_code = end_child(w);
        break;
    }
    hf_log(w->life.log, HF_LOG_INFO, "host.watched", HF_D("exit", exit_code));
    return exit_code;
}

static bool lives_on_host(const struct hf_hostlife_decision *decision)
{
    return decision->act == HF_HOSTLIFE_INSTALL || decision->act == HF_HOSTLIFE_REFRESH ||
           decision->act == HF_HOSTLIFE_WATCH;
}

int hf_host_life_run(const struct hf_agent_options *options, int argc, char *const *argv)
{
    const struct hf_hostlife_place place = hf_host_condition_place(options);
    struct hf_hostlife_decision decision = {.act = HF_HOSTLIFE_STAY_POD};
    struct watcher w = {.argc = argc, .argv = argv, .watch = {.gone_since_ns = HF_NEVER}, .lock = -1};
    int exit_code = HF_EXIT_FAILED;

    if (hf_hostlife_decision_load(&place, &decision, NULL) < 0)
        decision = (struct hf_hostlife_decision){.act = HF_HOSTLIFE_STAY_POD};
    if (!lives_on_host(&decision) && options->host.life != HF_HOSTLIFE_HOST)
        return hf_agent_process(options);
    if (begin(&w.life, options) == 0 && lives_on_host(&decision))
        exit_code = watch(&w);
    else if (w.life.log != NULL)
        hf_log(w.life.log, HF_LOG_ERROR, "host.refused", HF_S("reason", hf_hostlife_reason_name(decision.reason)),
               HF_S("message", hf_hostlife_reason_message(decision.reason)), HF_S("detail", decision.message));
    end(&w.life);
    return exit_code;
}
