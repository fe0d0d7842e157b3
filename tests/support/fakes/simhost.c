/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simhost.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hf_simhost {
    struct hf_simproc *proc;
    struct hf_simhost_world world;
    struct hf_proc_ops proc_ops;
    struct hf_probe_ops probe_ops;
    struct hf_unit_ops unit_ops;
    unsigned calls;
    char env[4096];
};

enum kind { EXEC, CONNECT, RESTART, STATE };

/* Every kind of call is one of these behind its own opaque type. */
struct call {
    struct hf_simhost *host;
    struct hf_timer *timer;
    enum kind kind;
    uint64_t timeout_ns;
    char name[256];
    const char **argv; /* owned, with its strings */
    struct hf_buf output;
    uint16_t port;
    bool hung, reloads;
    void (*exec_done)(void *arg, int r, int exit_code, struct hf_view output);
    void (*tcp_done)(void *arg, int r);
    void (*restart_done)(void *arg, int r, const struct hf_err *err);
    void (*state_done)(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err);
    void *arg;
};

static const char **copy_argv(const char *const *argv)
{
    size_t n = 0;

    while (argv[n] != NULL)
        n++;
    const char **copy = calloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        if (copy == NULL || (copy[i] = strdup(argv[i])) == NULL)
            abort();
    return copy;
}

static void end_call(struct call *call)
{
    const struct hf_sched_ops *sched = hf_simproc_sched(call->host->proc);

    for (size_t i = 0; call->argv != NULL && call->argv[i] != NULL; i++)
        free((void *)(uintptr_t)call->argv[i]);
    free(call->argv);
    hf_buf_done(&call->output);

    call->host->calls--;
    hf_timer_free(sched, call->timer);
    free(call);
}

static void answer(struct call *call, int r, int exit_code, const char *state)
{
    _cleanup_(hf_buf_done) struct hf_buf output = call->output;
    struct call copy = *call;
    struct hf_err err = HF_ERR_INIT;

    call->output = (struct hf_buf)HF_BUF_INIT(0);

    if (r < 0)
        (void)hf_err_sys(&err, r, "'%s'", call->name);
    end_call(call);
    if (copy.kind == EXEC)
        copy.exec_done(copy.arg, r, exit_code, hf_buf_view(&output));
    else if (copy.kind == CONNECT)
        copy.tcp_done(copy.arg, r);
    else if (copy.kind == RESTART)
        copy.restart_done(copy.arg, r, r < 0 ? &err : NULL);
    else
        copy.state_done(copy.arg, r, r < 0 ? NULL : state, r < 0 ? NULL : "running", r < 0 ? &err : NULL);
}

static void on_timer(void *arg)
{
    struct call *call = arg;
    const struct hf_simhost_world *world = &call->host->world;
    const struct hf_sched_ops *sched = hf_simproc_sched(call->host->proc);
    const char *state = "inactive";
    int r = -ENOENT, exit_code = 0;

    if (call->hung) {
        answer(call, -ETIMEDOUT, 128 + 15, state);
        return;
    }
    if (call->kind == EXEC && world->run != NULL)
        r = world->run(world->arg, call->argv, &exit_code, &call->output);
    else if (call->kind == EXEC && world->exec != NULL && hf_buf_addf(&call->output, "said something\n") == 0)
        r = world->exec(world->arg, call->argv, &exit_code);
    else if (call->kind == CONNECT)
        r = world->connect != NULL ? world->connect(world->arg, call->name, call->port) : -ECONNREFUSED;
    else if (call->kind == RESTART && call->reloads && world->reload != NULL)
        r = world->reload(world->arg, call->name);
    else if (call->kind == RESTART && !call->reloads && world->restart != NULL)
        r = world->restart(world->arg, call->name);
    else if (call->kind == STATE && world->state != NULL)
        r = world->state(world->arg, call->name, &state);
    if (r == HF_SIMHOST_HANGS) {
        call->hung = true;
        hf_timer_arm(sched, call->timer, call->timeout_ns);
        return;
    }
    answer(call, r, exit_code, state);
}

static struct call *begin(void *ctx, enum kind kind, const char *name, uint64_t timeout_ns, void *arg)
{
    struct hf_simhost *host = ctx;
    const struct hf_sched_ops *sched = hf_simproc_sched(host->proc);
    struct call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        abort();
    *call =
        (struct call){.host = host, .kind = kind, .timeout_ns = timeout_ns, .arg = arg, .output = HF_BUF_INIT(1 << 20)};
    (void)snprintf(call->name, sizeof(call->name), "%s", name);
    call->timer = hf_timer_new(sched, on_timer, call);
    hf_timer_arm(sched, call->timer, 2 * HF_NS_PER_MS);
    host->calls++;
    return call;
}

static int sim_spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                     struct hf_err *err)
{
    struct call *call = begin(ctx, EXEC, request->argv[0],
                              request->timeout_ns != 0 ? request->timeout_ns : 30 * HF_NS_PER_S, request->arg);

    (void)err;
    call->host->env[0] = '\0';
    for (size_t i = 0, n = 0; request->env != NULL && request->env[i] != NULL; i++)
        n += (size_t)snprintf(call->host->env + n, sizeof(call->host->env) - n, "%s\n", request->env[i]);
    call->argv = copy_argv(request->argv);
    call->exec_done = request->done;
    *ret_call = (struct hf_proc_call *)(void *)call;
    return 0;
}

static int sim_tcp(void *ctx, const char *host, uint16_t port, uint64_t timeout_ns, void (*done)(void *arg, int r),
                   void *arg, struct hf_probe_call **ret_call, struct hf_err *err)
{
    struct call *call = begin(ctx, CONNECT, host, timeout_ns, arg);

    (void)err;
    call->port = port;
    call->tcp_done = done;
    *ret_call = (struct hf_probe_call *)(void *)call;
    return 0;
}

static int sim_restart(void *ctx, const char *unit, uint64_t timeout_ns,
                       void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                       struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct call *call = begin(ctx, RESTART, unit, timeout_ns, arg);

    (void)err;
    call->restart_done = done;
    *ret_call = (struct hf_unit_call *)(void *)call;
    return 0;
}

static int sim_reload(void *ctx, const char *unit, uint64_t timeout_ns,
                      void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                      struct hf_unit_call **ret_call, struct hf_err *err)
{
    int r = sim_restart(ctx, unit, timeout_ns, done, arg, ret_call, err);

    ((struct call *)(void *)*ret_call)->reloads = true;
    return r;
}

static int sim_state(void *ctx, const char *unit, uint64_t timeout_ns,
                     void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                  const struct hf_err *err),
                     void *arg, struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct call *call = begin(ctx, STATE, unit, timeout_ns, arg);

    (void)err;
    call->state_done = done;
    *ret_call = (struct hf_unit_call *)(void *)call;
    return 0;
}

static void cancel_proc(void *ctx, struct hf_proc_call *call)
{
    (void)ctx;
    if (call != NULL)
        end_call((struct call *)(void *)call);
}

static void cancel_probe(void *ctx, struct hf_probe_call *call)
{
    (void)ctx;
    if (call != NULL)
        end_call((struct call *)(void *)call);
}

static void cancel_unit(void *ctx, struct hf_unit_call *call)
{
    (void)ctx;
    if (call != NULL)
        end_call((struct call *)(void *)call);
}

struct hf_simhost *hf_simhost_new(struct hf_simproc *proc, const struct hf_simhost_world *world)
{
    struct hf_simhost *host = calloc(1, sizeof(*host));

    if (host == NULL)
        abort();
    host->proc = proc;
    host->world = *world;
    host->proc_ops = (struct hf_proc_ops){.ctx = host, .spawn = sim_spawn, .cancel = cancel_proc};
    host->probe_ops = (struct hf_probe_ops){.ctx = host, .tcp = sim_tcp, .cancel = cancel_probe};
    host->unit_ops = (struct hf_unit_ops){
        .ctx = host, .restart = sim_restart, .reload = sim_reload, .state = sim_state, .cancel = cancel_unit};
    return host;
}

void hf_simhost_free(struct hf_simhost *host)
{
    free(host);
}

const struct hf_proc_ops *hf_simhost_proc(struct hf_simhost *host)
{
    return &host->proc_ops;
}

const struct hf_probe_ops *hf_simhost_probe(struct hf_simhost *host)
{
    return &host->probe_ops;
}

const struct hf_unit_ops *hf_simhost_unit(struct hf_simhost *host)
{
    return &host->unit_ops;
}

const char *hf_simhost_env(const struct hf_simhost *host)
{
    return host->env;
}

unsigned hf_simhost_calls(const struct hf_simhost *host)
{
    return host->calls;
}
