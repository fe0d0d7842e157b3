/* The loop itself: turns, tasks, signals, watched descriptors, and the order in which everything ends. */
#include "loop/core.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "os/memory.h"

/* ---- tasks and guests ------------------------------------------------------------------------------------------------ */

void hf_task_init(struct hf_task *task, void (*run)(struct hf_task *task))
{
    hf_list_init(&task->link);
    task->run = run;
}

/* What is posted while tasks run waits for the next turn, so that two that post each other do not starve the rest. */
static void run_tasks(uv_idle_t *idle)
{
    struct hf_loop *loop = idle->data;
    struct hf_list now;

    hf_list_init(&now);
    while (!loop->closing && !hf_list_empty(&loop->tasks)) {
        struct hf_list *first = loop->tasks.next;
        hf_list_remove(first);
        hf_list_append(&now, first);
    }
    while (!hf_list_empty(&now)) {
        struct hf_list *first = now.next;
        hf_list_remove(first);
        struct hf_task *task = hf_container_of(first, struct hf_task, link);
        task->run(task);
    }
    if (loop->closing || hf_list_empty(&loop->tasks))
        (void)uv_idle_stop(&loop->idle);
}

void hf_task_post(struct hf_loop *loop, struct hf_task *task)
{
    if (!hf_list_empty(&task->link))
        return;
    hf_list_append(&loop->tasks, &task->link);
    (void)uv_idle_start(&loop->idle, run_tasks);
}

void hf_task_drop(struct hf_task *task)
{
    hf_list_remove(&task->link);
}

void hf_guest_add(struct hf_loop *loop, struct hf_guest *guest, void (*end)(struct hf_guest *guest))
{
    guest->end = end;
    hf_list_append(&loop->guests, &guest->link);
}

void hf_guest_remove(struct hf_guest *guest)
{
    hf_list_remove(&guest->link);
}

void hf_guest_end_last(struct hf_loop *loop, struct hf_guest *guest, void (*end)(struct hf_guest *guest))
{
    guest->end = end;
    hf_list_append(&loop->last, &guest->link);
}

/* ---- small uv helpers ------------------------------------------------------------------------------------------------ */

int hf_uv_errno(int r)
{
    /* Errnos end below 134; uv's own begin at -3000 (names that cannot be resolved) and -4000 (end of file and the like). */
    if (r > -1000)
        return r;
    return r > -4000 ? -EHOSTUNREACH : -EIO;
}

uint64_t hf_uv_delay_ms(struct hf_loop *loop, uint64_t delay_ns)
{
    static const uint64_t century_ns = 100ull * 365 * 86400 * HF_NS_PER_S;

    uv_update_time(&loop->uv);
    /* uv counts in whole milliseconds that it rounds down: start from the exact time and round the end up. */
    uint64_t due_ms = (uv_hrtime() + HF_MIN(delay_ns, century_ns) + HF_NS_PER_MS - 1) / HF_NS_PER_MS;
    uint64_t now_ms = uv_now(&loop->uv);
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

enum { TRIM_AFTER_MS = 10000, TRIM_SPARE_BYTES = 256 * 1024 };

#define TRIM_PERIOD_NS (600 * HF_NS_PER_S) /* at the most, where there is little to be given back */

static void on_trim(uv_timer_t *timer)
{
    struct hf_loop *loop = hf_container_of(timer, struct hf_loop, trim);
    uint64_t now_ns = uv_hrtime();

    if (loop->trimmed_ns != 0 && now_ns - loop->trimmed_ns < TRIM_PERIOD_NS && hf_memory_spare() < TRIM_SPARE_BYTES)
        return;
    loop->trimmed_ns = now_ns;
    hf_memory_trim();
}

void hf_loop_worked(struct hf_loop *loop)
{
    if (!loop->closing && !uv_is_active((const uv_handle_t *)&loop->trim))
        (void)uv_timer_start(&loop->trim, on_trim, TRIM_AFTER_MS, 0);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void on_alive(uv_async_t *async)
{
    (void)async;
}

static int open_loop(struct hf_loop *loop, struct hf_err *err)
{
    /* Two workers: one may be held for minutes by a patch, the other still syncs and hashes. uv reads this once, when the
     * first job is queued; what the user set stays. */
    (void)setenv("UV_THREADPOOL_SIZE", "2", 0);
    hf_memory_frugal();
    int r = uv_loop_init(&loop->uv);
    if (r < 0)
        return hf_err_sys(err, r, "make the event loop");
    (void)uv_async_init(&loop->uv, &loop->alive, on_alive);
    (void)uv_idle_init(&loop->uv, &loop->idle);
    (void)uv_timer_init(&loop->uv, &loop->trim);
    loop->idle.data = loop;
    loop->uv.data = loop;
    hf_loop_worked(loop); /* what starting up needed */
    return 0;
}

struct hf_loop *hf_loop_new(struct hf_err *err)
{
    struct hf_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        (void)hf_err_set(err, ENOMEM, "no memory for the event loop");
        return NULL;
    }
    hf_list_init(&loop->tasks);
    hf_list_init(&loop->guests);
    hf_list_init(&loop->last);
    hf_list_init(&loop->jobs);
    if (open_loop(loop, err) < 0) {
        free(loop);
        return NULL;
    }
    /* A peer that goes away in the middle of a write is an error code, not a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* so is a file larger than a limit: EFBIG */
    hf_sched_init(loop);
    hf_probe_init(loop);
    hf_unit_init(loop);
    if (hf_procs_init(loop, err) < 0) {
        hf_loop_free(loop);
        return NULL;
    }
    return loop;
}

static void close_left(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void end_all(struct hf_list *guests)
{
    while (!hf_list_empty(guests)) {
        struct hf_guest *guest = hf_container_of(guests->next, struct hf_guest, link);
        hf_guest_remove(guest);
        guest->end(guest);
    }
}

void hf_loop_free(struct hf_loop *loop)
{
    if (loop == NULL)
        return;
    loop->closing = true;
    hf_sched_drain(loop);
    end_all(&loop->guests);
    /* Guests close their handles in their own time; then the loop's own. */
    (void)uv_idle_stop(&loop->idle);
    (void)uv_timer_stop(&loop->trim);
    uv_unref((uv_handle_t *)&loop->alive);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_walk(&loop->uv, close_left, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
    end_all(&loop->last);
    free(loop);
}

void hf_loop_run(struct hf_loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void hf_loop_stop(struct hf_loop *loop)
{
    uv_stop(&loop->uv);
}

const struct hf_sched_ops *hf_loop_sched(struct hf_loop *loop)
{
    return &loop->sched;
}

const struct hf_proc_ops *hf_loop_proc(struct hf_loop *loop)
{
    return &loop->proc;
}

const struct hf_probe_ops *hf_loop_probe(struct hf_loop *loop)
{
    return &loop->probe;
}

const struct hf_unit_ops *hf_loop_unit(struct hf_loop *loop)
{
    return &loop->unit;
}

/* ---- signals --------------------------------------------------------------------------------------------------------- */

struct signal_watch {
    struct hf_guest guest;
    uv_signal_t uv;
    struct hf_loop *loop;
    void (*fire)(void *arg);
    void *arg;
};

static void free_signal(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct signal_watch, uv));
}

static void end_signal(struct hf_guest *guest)
{
    struct signal_watch *watch = hf_container_of(guest, struct signal_watch, guest);

    uv_close((uv_handle_t *)&watch->uv, free_signal);
}

static void on_signal(uv_signal_t *uv, int signum)
{
    struct signal_watch *watch = hf_container_of(uv, struct signal_watch, uv);

    (void)signum;
    if (!watch->loop->closing)
        watch->fire(watch->arg);
}

int hf_loop_on_signal(struct hf_loop *loop, int signum, void (*fire)(void *arg), void *arg)
{
    struct signal_watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return -ENOMEM;
    watch->loop = loop;
    watch->fire = fire;
    watch->arg = arg;
    (void)uv_signal_init(&loop->uv, &watch->uv);
    int r = uv_signal_start(&watch->uv, on_signal, signum);
    if (r < 0) {
        uv_close((uv_handle_t *)&watch->uv, free_signal);
        return hf_uv_errno(r);
    }
    hf_guest_add(loop, &watch->guest, end_signal);
    return 0;
}

/* ---- watched descriptors ---------------------------------------------------------------------------------------------- */

struct hf_loop_fd {
    struct hf_guest guest;
    uv_poll_t uv;
    struct hf_loop *loop;
    void (*fire)(void *arg);
    void *arg;
};

static void free_fd(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_loop_fd, uv));
}

static void end_fd(struct hf_guest *guest)
{
    struct hf_loop_fd *watch = hf_container_of(guest, struct hf_loop_fd, guest);

    uv_close((uv_handle_t *)&watch->uv, free_fd);
}

static void on_fd(uv_poll_t *uv, int status, int events)
{
    struct hf_loop_fd *watch = hf_container_of(uv, struct hf_loop_fd, uv);

    (void)events;
    /* A broken descriptor stays broken: told once, then not watched any more. */
    if (status < 0)
        (void)uv_poll_stop(uv);
    if (!watch->loop->closing)
        watch->fire(watch->arg);
}

int hf_loop_watch_fd(struct hf_loop *loop, int fd, bool readable, bool writable, void (*fire)(void *arg), void *arg,
                     struct hf_loop_fd **ret_watch)
{
    struct hf_loop_fd *watch = calloc(1, sizeof(*watch));

    if (watch == NULL)
        return -ENOMEM;
    watch->loop = loop;
    watch->fire = fire;
    watch->arg = arg;
    int r = uv_poll_init(&loop->uv, &watch->uv, fd);
    if (r < 0) {
        free(watch); /* uv_poll_init registers nothing when it fails */
        return hf_uv_errno(r);
    }
    r = uv_poll_start(&watch->uv, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_fd);
    if (r < 0) {
        uv_close((uv_handle_t *)&watch->uv, free_fd);
        return hf_uv_errno(r);
    }
    hf_guest_add(loop, &watch->guest, end_fd);
    *ret_watch = watch;
    return 0;
}

void hf_loop_unwatch_fd(struct hf_loop_fd *watch)
{
    if (watch == NULL)
        return;
    hf_guest_remove(&watch->guest);
    end_fd(&watch->guest);
}
