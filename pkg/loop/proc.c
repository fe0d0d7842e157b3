/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes over uv_spawn().
 *
 * Each child leads a session of its own, so that we can find and end its process group and everything that stays in
 * its session. The stages of a call:
 *
 *     RUNNING --deadline--> TERM (to the group) --2 s--> KILL (group and session) --2 s--> GIVEN_UP: report, abandon
 *        `---------------------- child ends: read the rest of its pipe, `done` ----------------------'
 *
 * Guarantees: `done` comes at most 4 s after the deadline, whatever the child does. After a deadline no process of
 * the child's session is left, except one in an uninterruptible system call. A call that names what its child may hang
 * at does not start while such a child of an earlier call is left. A descendant with a session of its own
 * (setsid, as daemons do) survives: a restart hook must be able to start a daemon. As PID 1 of a container, or as a
 * subreaper, we reap the orphans that become our children. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"
#include "loop/core.h"

enum { DEFAULT_OUTPUT = 4096, READ_STEP = 16384, MAX_DRAIN = 1 << 20, SWEEPS = 3, END_TRIES = 50 };

#define DEFAULT_TIMEOUT_NS (30 * HF_NS_PER_S)
#define GRACE_NS (2 * HF_NS_PER_S)

enum proc_stage { ST_RUNNING, ST_TERM, ST_KILL, ST_GIVEN_UP };

struct hf_procs {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_list calls;
    uv_signal_t child_signal;
    struct hf_loop_task reap;
    bool reaps; /* orphans become our children */
};

struct hf_proc_call {
    struct hf_list link; /* in procs->calls until the child is reaped */
    struct hf_procs *procs;
    struct hf_loop_task report;
    uv_process_t process;
    uv_poll_t pipe;
    uv_timer_t timer;
    unsigned open; /* number of open handles; the last one to close frees the call */
    int fd;        /* read end of the pipe; -1 when closed */
    pid_t pid;
    enum proc_stage stage;
    char *resource;     /* what the child may hang at; NULL: nothing in particular */
    uint64_t killed_ns; /* uv_hrtime() of SIGKILL; 0: not yet */
    bool silent;        /* `done` was called, or nobody wants it */
    bool ended;         /* reaped */
    bool secret;        /* overwrite the output before it is freed */
    int exit_code;
    struct hf_buf output;
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

/* ---- ending processes -------------------------------------------------------------------------------------------- */

/* Returns the session of a process, -1 if it is gone. It is field 6 of /proc/PID/stat; the name before it may hold
 * anything, also ')'. */
static pid_t session_of(const char *pid)
{
    char path[64], text[512];
    int state_session;

    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    const char *after = strrchr(text, ')');
    if (after == NULL || sscanf(after + 1, " %*c %*d %*d %d", &state_session) != 1)
        return -1;
    return state_session;
}

/* Kills all processes of this session; returns their number. */
static int sweep_session(pid_t session)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    int found = 0;

    if (proc == NULL)
        return 0;
    while ((entry = readdir(proc)) != NULL) {
        uint64_t pid;
        if (hf_parse_u64(entry->d_name, 2, INT32_MAX, &pid) < 0 || session_of(entry->d_name) != session)
            continue;
        /* A zombie counts too; SWEEPS bounds the rounds. */
        (void)kill((pid_t)pid, SIGKILL);
        found++;
    }
    (void)closedir(proc);
    return found;
}

static void kill_all(pid_t leader)
{
    (void)kill(-leader, SIGKILL);
    for (int i = 0; i < SWEEPS && sweep_session(leader) > 0; i++)
        ;
}

/* ---- the end of a call ------------------------------------------------------------------------------------------- */

static void unref_handle(struct hf_proc_call *call)
{
    if (--call->open > 0)
        return;
    hf_loop_task_drop(&call->report);
    hf_list_remove(&call->link);
    if (call->secret)
        hf_buf_wipe(&call->output);
    else
        hf_buf_done(&call->output);
    free(call->resource);
    free(call);
}

static void closed_process(uv_handle_t *handle)
{
    unref_handle(hf_container_of(handle, struct hf_proc_call, process));
}

static void closed_pipe(uv_handle_t *handle)
{
    unref_handle(hf_container_of(handle, struct hf_proc_call, pipe));
}

static void closed_timer(uv_handle_t *handle)
{
    unref_handle(hf_container_of(handle, struct hf_proc_call, timer));
}

static void close_pipe(struct hf_proc_call *call)
{
    if (call->fd < 0)
        return;
    (void)uv_poll_stop(&call->pipe);
    uv_close((uv_handle_t *)&call->pipe, closed_pipe);
    (void)close(call->fd);
    call->fd = -1;
}

/* Closes everything except the process itself, which stays until it is reaped. */
static void close_rest(struct hf_proc_call *call)
{
    close_pipe(call);
    if (!uv_is_closing((uv_handle_t *)&call->timer))
        uv_close((uv_handle_t *)&call->timer, closed_timer);
}

static void report(struct hf_loop_task *task)
{
    struct hf_proc_call *call = hf_container_of(task, struct hf_proc_call, report);

    if (call->silent)
        return;
    call->silent = true;
    close_rest(call); /* frees nothing before the end of this turn */
    call->done(call->arg, call->stage == ST_RUNNING ? 0 : -ETIMEDOUT, call->exit_code, hf_buf_view(&call->output));
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

/* Reads once and keeps the bytes that fit. Returns the bytes read, 0 at the end, or -errno. */
static ssize_t read_some(struct hf_proc_call *call)
{
    char bytes[READ_STEP];
    ssize_t n = read(call->fd, bytes, sizeof(bytes));

    if (n < 0)
        return -errno;
    size_t fits = HF_MIN((size_t)n, call->output.max - call->output.n);
    if (hf_buf_add(&call->output, bytes, fits) < 0)
        call->output.max = call->output.n; /* no memory: cut the output; the exit code still counts */
    if (call->secret)
        explicit_bzero(bytes, (size_t)n);
    return n;
}

static void on_pipe(uv_poll_t *poll, int status, HF_UNUSED int events)
{
    struct hf_proc_call *call = hf_container_of(poll, struct hf_proc_call, pipe);

    ssize_t n = status < 0 ? status : read_some(call);
    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0)
        close_pipe(call); /* a child may close its output and run on */
}

/* The child is gone, but its last output is still in the pipe. A daemon that it started may hold the other end and
 * write forever. */
static void drain(struct hf_proc_call *call)
{
    ssize_t n = 1;

    for (size_t total = 0; call->fd >= 0 && n > 0 && total<MAX_DRAIN; total += n> 0 ? (size_t)n : 0)
        n = read_some(call);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void on_exit_status(uv_process_t *process, int64_t status, int term_signal)
{
    struct hf_proc_call *call = hf_container_of(process, struct hf_proc_call, process);

    call->ended = true;
    hf_list_remove(&call->link);
    call->exit_code = term_signal != 0 ? 128 + term_signal : (int)(status & 0xff);
    /* No new process can have this pid yet: a group or session with it still exists, or it was just reaped. */
    if (call->stage != ST_RUNNING)
        kill_all(call->pid);
    drain(call);
    close_rest(call);
    uv_close((uv_handle_t *)&call->process, closed_process);
    if (!call->silent)
        report(&call->report);
}

static void on_deadline(uv_timer_t *timer)
{
    struct hf_proc_call *call = hf_container_of(timer, struct hf_proc_call, timer);

    switch (call->stage) {
    case ST_RUNNING:
        call->stage = ST_TERM;
        (void)kill(-call->pid, SIGTERM);
        (void)kill(-call->pid, SIGCONT); /* else a stopped process would not receive it */
        break;
    case ST_TERM:
        call->stage = ST_KILL;
        call->killed_ns = uv_hrtime();
        kill_all(call->pid);
        break;
    case ST_KILL:
    case ST_GIVEN_UP:
        call->stage = ST_GIVEN_UP;
        call->exit_code = 128 + SIGKILL;
        report(&call->report);
        return;
    }
    (void)uv_timer_start(timer, on_deadline, hf_loop_delay_ms(call->procs->loop, GRACE_NS), 0);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static int make_pipe(int ret_fds[2], struct hf_err *err)
{
    if (pipe2(ret_fds, O_CLOEXEC) < 0)
        return hf_err_sys(err, -errno, "make a pipe");
    if (fcntl(ret_fds[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;
        (void)close(ret_fds[0]);
        (void)close(ret_fds[1]);
        return hf_err_sys(err, r, "make a pipe");
    }
    return 0;
}

/* Some libraries open descriptors without O_CLOEXEC (libcurl 7.88). A child must inherit none of them, least of all
 * connections to the API server. */
static void mark_all_descriptors(void)
{
    if (syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    /* before Linux 5.11 */
    DIR *list = opendir("/proc/self/fd");
    const struct dirent *entry;
    uint64_t fd;
    while (list != NULL && (entry = readdir(list)) != NULL)
        if (hf_parse_u64(entry->d_name, 3, INT32_MAX, &fd) == 0)
            (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    if (list != NULL)
        (void)closedir(list);
}

/* uv does not write to argv and env; its type only lacks the const. */
static char **unconst(const char *const *strings)
{
    union {
        const char *const *in;
        char **out;
    } same = {.in = strings};

    return same.out;
}

/* Returns the read end of a pipe that holds the bytes and then ends, or -errno. */
static int make_input(struct hf_view input, struct hf_err *err)
{
    int fds[2];

    if (input.n > HF_PROC_MAX_INPUT)
        return hf_err_set(err, E2BIG, "%zu bytes of input, at most %d", input.n, HF_PROC_MAX_INPUT);
    if (pipe2(fds, O_CLOEXEC) < 0)
        return hf_err_sys(err, -errno, "make a pipe");
    ssize_t n = write(fds[1], input.p, input.n);
    int r = n < 0 ? -errno : 0;
    (void)close(fds[1]);
    if (r == 0 && (size_t)n == input.n)
        return fds[0];
    (void)close(fds[0]);
    return hf_err_sys(err, r < 0 ? r : -EIO, "write to a pipe");
}

static int spawn_with_pipe(struct hf_proc_call *call, const struct hf_proc_request *request, int input_fd,
                           int output_fd)
{
    static const char *const default_env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                              "LANG=C", NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = input_fd >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = input_fd},
        {.flags = UV_INHERIT_FD, .data.fd = output_fd},
        {.flags = request->stdout_only ? UV_IGNORE : UV_INHERIT_FD, .data.fd = output_fd},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = request->argv[0],
        .args = unconst(request->argv),
        .env = unconst(request->env != NULL ? request->env : default_env),
        .cwd = request->cwd != NULL ? request->cwd : "/",
        .flags = UV_PROCESS_DETACHED, /* setsid() */
        .stdio_count = 3,
        .stdio = stdio,
    };

    return uv_spawn(&call->procs->loop->uv, &call->process, &options);
}

static void start_watching(struct hf_proc_call *call, int fd, const struct hf_proc_request *request)
{
    struct hf_loop *loop = call->procs->loop;
    uint64_t timeout_ns = request->timeout_ns > 0 ? request->timeout_ns : DEFAULT_TIMEOUT_NS;

    call->pid = call->process.pid;
    (void)uv_timer_init(&loop->uv, &call->timer);
    call->open++;
    (void)uv_timer_start(&call->timer, on_deadline, hf_loop_delay_ms(loop, timeout_ns), 0);
    if (uv_poll_init(&loop->uv, &call->pipe, fd) < 0) {
        (void)close(fd); /* no descriptor left: the child runs on, without output */
        return;
    }
    call->fd = fd;
    call->open++;
    (void)uv_poll_start(&call->pipe, UV_READABLE | UV_DISCONNECT, on_pipe);
}

static struct hf_proc_call *call_new(struct hf_procs *procs, const struct hf_proc_request *request)
{
    struct hf_proc_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->procs = procs;
    call->fd = -1;
    call->output.max = request->max_output > 0 ? request->max_output : DEFAULT_OUTPUT;
    call->done = request->done;
    call->arg = request->arg;
    call->secret = request->secret;
    hf_list_init(&call->link);
    hf_loop_task_init(&call->report, report);
    bool has_memory = true;
    if (request->resource != NULL)
        has_memory = (call->resource = strdup(request->resource)) != NULL;
    if (request->secret && has_memory) /* a buf that grows leaves copies */
        has_memory = hf_buf_reserve(&call->output, call->output.max) == 0;
    if (has_memory)
        return call;
    free(call->resource);
    free(call);
    return NULL;
}

/* Returns the pid of a child that hangs at this resource, or 0. */
static pid_t find_stuck(const struct hf_procs *procs, const char *resource)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &procs->calls) {
        const struct hf_proc_call *call = hf_container_of(it, struct hf_proc_call, link);
        bool stuck = call->stage == ST_GIVEN_UP || (call->killed_ns != 0 && uv_hrtime() - call->killed_ns >= GRACE_NS);
        if (stuck && call->resource != NULL && strcmp(call->resource, resource) == 0)
            return call->pid;
    }
    return 0;
}

/* Checks that the loop may start this child. */
static int check_request(const struct hf_procs *procs, const struct hf_proc_request *request, struct hf_err *err)
{
    if (procs->loop->closing)
        return hf_err_set(err, ECANCELED, "the process is stopping");
    if (request->argv == NULL || request->argv[0] == NULL || request->argv[0][0] != '/')
        return hf_err_set(err, EINVAL, "command '%s' is not an absolute path",
                          request->argv != NULL && request->argv[0] != NULL ? request->argv[0] : "");
    pid_t stuck = request->resource != NULL ? find_stuck(procs, request->resource) : 0;
    if (stuck != 0)
        return hf_err_set(err, EBUSY, "process %d hangs at '%.100s', and SIGKILL does not end it", (int)stuck,
                          request->resource);
    return 0;
}

static void close_input(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static int proc_spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call,
                      struct hf_err *err)
{
    struct hf_procs *procs = ctx;
    int pipe_fds[2], r = check_request(procs, request, err);

    if (r < 0)
        return r;
    int input_fd = request->input.n > 0 ? make_input(request->input, err) : -1;
    if (request->input.n > 0 && input_fd < 0)
        return input_fd;
    struct hf_proc_call *call = call_new(procs, request);
    r = call == NULL ? hf_err_set(err, ENOMEM, "not enough memory to run '%s'", request->argv[0])
                     : make_pipe(pipe_fds, err);
    if (r < 0) {
        if (call != NULL) {
            hf_buf_done(&call->output);
            free(call->resource);
        }
        free(call);
        close_input(input_fd);
        return r;
    }
    call->open = 1;
    mark_all_descriptors();
    r = spawn_with_pipe(call, request, input_fd, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    close_input(input_fd);
    if (r < 0) {
        (void)close(pipe_fds[0]);
        uv_close((uv_handle_t *)&call->process, closed_process);
        return hf_err_sys(err, hf_loop_errno(r), "run '%s'", request->argv[0]);
    }
    hf_list_append(&procs->calls, &call->link);
    start_watching(call, pipe_fds[0], request);
    *ret_call = call;
    return 0;
}

static void proc_cancel(HF_UNUSED void *ctx, struct hf_proc_call *call)
{
    if (call == NULL || call->silent)
        return;
    call->silent = true;
    if (!call->ended) {
        call->killed_ns = uv_hrtime();
        kill_all(call->pid);
    }
    close_rest(call);
}

/* ---- orphans ----------------------------------------------------------------------------------------------------- */

static bool is_ours(const struct hf_procs *procs, pid_t pid)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &procs->calls)
        if (hf_container_of(it, struct hf_proc_call, link)->pid == pid)
            return true;
    return false;
}

/* uv waits for its own children by pid; this reaps all others. Runs after uv had its turn, so a child of ours that
 * is still a zombie has only just ended, and uv will hear of it. */
static void reap_orphans(struct hf_loop_task *task)
{
    struct hf_procs *procs = hf_container_of(task, struct hf_procs, reap);

    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 || is_ours(procs, info.si_pid))
            return;
        (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}

static void on_child_signal(uv_signal_t *signal, HF_UNUSED int signum)
{
    struct hf_procs *procs = hf_container_of(signal, struct hf_procs, child_signal);

    hf_loop_task_post(procs->loop, &procs->reap);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void closed_signal(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_procs, child_signal));
}

/* The loop ends: kill the child and reap it, unless it is in an uninterruptible system call. */
static void end_call(struct hf_proc_call *call)
{
    call->silent = true;
    kill_all(call->pid);
    for (int i = 0; i < END_TRIES && waitpid(call->pid, NULL, WNOHANG) == 0; i++)
        uv_sleep(2);
    close_rest(call);
    hf_list_remove(&call->link);
    uv_close((uv_handle_t *)&call->process, closed_process);
}

static void end_procs(struct hf_loop_guest *guest)
{
    struct hf_procs *procs = hf_container_of(guest, struct hf_procs, guest);

    while (!hf_list_empty(&procs->calls))
        end_call(hf_container_of(procs->calls.next, struct hf_proc_call, link));
    hf_loop_task_drop(&procs->reap);
    uv_close((uv_handle_t *)&procs->child_signal, closed_signal);
}

/* The parent may have left signals from 32 on ignored; children inherit that, and libuv resets only those below.
 * Reset them by system call, because libc hides the first two, which it uses itself. Leave signals with a handler
 * alone. */
static void stop_ignoring_realtime(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } now, plain = {.handler = SIG_DFL};

    for (int signum = 32; signum <= 64; signum++)
        if (syscall(SYS_rt_sigaction, signum, NULL, &now, sizeof(now.mask)) == 0 && now.handler == SIG_IGN)
            (void)syscall(SYS_rt_sigaction, signum, &plain, NULL, sizeof(plain.mask));
}

int hf_proc_init(struct hf_loop *loop, struct hf_err *err)
{
    struct hf_procs *procs = calloc(1, sizeof(*procs));
    int subreaper = 0;

    if (procs == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the event loop");
    procs->loop = loop;
    stop_ignoring_realtime();
    hf_list_init(&procs->calls);
    hf_loop_task_init(&procs->reap, reap_orphans);
    (void)uv_signal_init(&loop->uv, &procs->child_signal);
    (void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    procs->reaps = getpid() == 1 || subreaper != 0;
    if (procs->reaps)
        (void)uv_signal_start(&procs->child_signal, on_child_signal, SIGCHLD);
    hf_loop_guest_add(loop, &procs->guest, end_procs);
    loop->procs = procs;
    loop->proc = (struct hf_proc_ops){.ctx = procs, .spawn = proc_spawn, .cancel = proc_cancel};
    return 0;
}
