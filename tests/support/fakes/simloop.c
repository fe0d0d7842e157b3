/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simloop.h"

#include <assert.h>
#include <errno.h>

#include "base/list.h"
#include "support/fakes/fiber.h"

enum {
    PAUSE_EACH = 8,       /* one call of hf_simproc_pause() in so many pauses */
    LONG_PAUSE_EACH = 50, /* one pause in so many is long: */
    LONG_PAUSE = 50,      /* so many times job_pause at most */
};

/* One thing that will happen; lives inside a timer, a job or a posted call. */
struct event {
    uint64_t at;
    uint64_t tie; /* order within one instant */
    size_t place; /* in the heap, 1-based; 0: not queued */
    void (*run)(struct event *event);
};

struct hf_simloop {
    uint64_t now;
    uint64_t asked;  /* counts events: the order when the seed is 0 */
    uint64_t random; /* splitmix64 state; 0: no random order */
    bool shuffle;
    struct event **heap; /* heap[1..n] */
    size_t n, cap;
    size_t n_procs;
    const struct hf_simproc *running; /* whose code is on the stack */
    const struct job *working;        /* whose work is on the stack */
    void (*check)(void *arg);
    void *check_arg;
};

struct hf_simproc {
    struct hf_simloop *loop;
    char *name;
    struct hf_sched_ops sched;
    struct hf_clock_ops clock;
    struct hf_rand_ops rng;
    uint64_t boot;
    uint64_t random;
    uint64_t job_delay, job_pause, lateness;
    int64_t unix_offset;
    uint64_t sync_error;
    size_t n_timers;
    struct hf_list jobs;
    bool dead;
};

struct hf_timer {
    struct event event;
    struct hf_simproc *proc;
    void (*fire)(void *arg);
    void *arg;
};

struct job {
    struct event event;
    struct hf_list link;
    struct hf_simproc *proc;
    struct hf_job *job;
    struct hf_fiber *fiber; /* of work that has begun and has not ended */
    bool worked;
};

struct posted {
    struct event event;
    void (*fire)(void *arg);
    void *arg;
};

/* splitmix64 (Steele, Lea, Flood, 2014): small, and good enough to pick orders and delays. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)next_random(state) * bound) >> 64);
}

/* ---- the heap ----------------------------------------------------------------------------------------------------- */

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void put(struct hf_simloop *loop, size_t place, struct event *event)
{
    loop->heap[place] = event;
    event->place = place;
}

static void sift_up(struct hf_simloop *loop, size_t place)
{
    struct event *event = loop->heap[place];

    for (; place > 1 && earlier(event, loop->heap[place / 2]); place /= 2)
        put(loop, place, loop->heap[place / 2]);
    put(loop, place, event);
}

static void sift_down(struct hf_simloop *loop, size_t place)
{
    struct event *event = loop->heap[place];

    for (size_t child; (child = place * 2) <= loop->n; place = child) {
        if (child < loop->n && earlier(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!earlier(loop->heap[child], event))
            break;
        put(loop, place, loop->heap[child]);
    }
    put(loop, place, event);
}

static void dequeue(struct hf_simloop *loop, struct event *event)
{
    size_t place = event->place;

    if (place == 0)
        return;
    event->place = 0;
    struct event *last = loop->heap[loop->n--];
    if (last == event)
        return;
    put(loop, place, last);
    sift_up(loop, place);
    sift_down(loop, last->place);
}

static void enqueue(struct hf_simloop *loop, struct event *event, uint64_t delay_ns)
{
    dequeue(loop, event);
    event->at = delay_ns > UINT64_MAX - loop->now ? UINT64_MAX : loop->now + delay_ns;
    event->tie = loop->shuffle ? next_random(&loop->random) : loop->asked++;
    if (loop->n + 2 > loop->cap) {
        loop->cap = loop->cap == 0 ? 64 : loop->cap * 2;
        loop->heap = reallocarray(loop->heap, loop->cap, sizeof(struct event *));
        assert(loop->heap != NULL);
    }
    put(loop, ++loop->n, event);
    sift_up(loop, loop->n);
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

struct hf_simloop *hf_simloop_new(uint64_t seed)
{
    struct hf_simloop *loop = calloc(1, sizeof(*loop));

    assert(loop != NULL);
    loop->random = seed;
    loop->shuffle = seed != 0;
    return loop;
}

static void run_posted(struct event *event)
{
    struct posted *posted = hf_container_of(event, struct posted, event);
    void (*fire)(void *arg) = posted->fire;
    void *arg = posted->arg;

    free(posted);
    fire(arg);
}

void hf_simloop_free(struct hf_simloop *loop)
{
    if (loop == NULL)
        return;
    assert(loop->n_procs == 0);
    for (size_t i = 1; i <= loop->n; i++) {
        assert(loop->heap[i]->run == run_posted);
        free(hf_container_of(loop->heap[i], struct posted, event));
    }
    free(loop->heap);
    free(loop);
}

uint64_t hf_simloop_now_ns(const struct hf_simloop *loop)
{
    return loop->now;
}

uint64_t hf_simloop_below(struct hf_simloop *loop, uint64_t bound)
{
    return below(&loop->random, bound);
}

bool hf_simloop_step(struct hf_simloop *loop)
{
    if (loop->n == 0)
        return false;
    struct event *event = loop->heap[1];
    assert(event->at >= loop->now);
    loop->now = event->at;
    dequeue(loop, event);
    event->run(event); /* frees it, maybe */
    loop->running = NULL;
    if (loop->check != NULL)
        loop->check(loop->check_arg);
    return true;
}

static bool due(const struct hf_simloop *loop, uint64_t end)
{
    return loop->n > 0 && loop->heap[1]->at <= end;
}

size_t hf_simloop_run_for(struct hf_simloop *loop, uint64_t ns)
{
    uint64_t end = loop->now + ns;
    size_t ran = 0;

    for (; due(loop, end); ran++)
        (void)hf_simloop_step(loop);
    loop->now = end;
    return ran;
}

bool hf_simloop_run_until(struct hf_simloop *loop, bool (*met)(void *arg), void *arg, uint64_t ns)
{
    uint64_t end = loop->now + ns;

    while (!met(arg)) {
        if (!due(loop, end)) {
            loop->now = end;
            return false;
        }
        (void)hf_simloop_step(loop);
    }
    return true;
}

void hf_simloop_after_each(struct hf_simloop *loop, void (*check)(void *arg), void *arg)
{
    loop->check = check;
    loop->check_arg = arg;
}

void hf_simloop_post(struct hf_simloop *loop, uint64_t delay_ns, void (*fire)(void *arg), void *arg)
{
    struct posted *posted = calloc(1, sizeof(*posted));

    assert(posted != NULL);
    *posted = (struct posted){.event = {.run = run_posted}, .fire = fire, .arg = arg};
    enqueue(loop, &posted->event, delay_ns);
}

/* ---- timers ------------------------------------------------------------------------------------------------------- */

static void run_timer(struct event *event)
{
    struct hf_timer *timer = hf_container_of(event, struct hf_timer, event);

    timer->proc->loop->running = timer->proc;
    timer->fire(timer->arg);
}

static struct hf_timer *sim_timer_new(void *ctx, void (*fire)(void *arg), void *arg)
{
    struct hf_simproc *proc = ctx;
    struct hf_timer *timer = calloc(1, sizeof(*timer));

    assert(timer != NULL);
    *timer = (struct hf_timer){.event = {.run = run_timer}, .proc = proc, .fire = fire, .arg = arg};
    proc->n_timers++;
    return timer;
}

static void sim_timer_arm(void *ctx, struct hf_timer *timer, uint64_t delay_ns)
{
    struct hf_simproc *proc = ctx;

    assert(timer->proc == proc);
    if (proc->lateness != 0 && delay_ns < HF_NEVER - proc->lateness)
        delay_ns += below(&proc->loop->random, proc->lateness + 1);
    if (!proc->dead)
        enqueue(proc->loop, &timer->event, delay_ns);
}

static void sim_timer_disarm(void *ctx, struct hf_timer *timer)
{
    struct hf_simproc *proc = ctx;

    dequeue(proc->loop, &timer->event);
}

static void sim_timer_free(void *ctx, struct hf_timer *timer)
{
    struct hf_simproc *proc = ctx;

    if (timer == NULL)
        return;
    assert(timer->proc == proc);
    dequeue(proc->loop, &timer->event);
    proc->n_timers--;
    free(timer);
}

/* ---- jobs --------------------------------------------------------------------------------------------------------- */

static uint64_t job_delay(struct hf_simproc *proc)
{
    return proc->loop->shuffle ? below(&proc->loop->random, proc->job_delay + 1) : 0;
}

/* Mostly short, now and then as long as a card that tidies up. */
static uint64_t job_pause(struct hf_simproc *proc)
{
    uint64_t longest =
        below(&proc->loop->random, LONG_PAUSE_EACH) == 0 ? proc->job_pause * LONG_PAUSE : proc->job_pause;

    return below(&proc->loop->random, longest + 1);
}

static void work(void *arg)
{
    struct job *job = arg;

    atomic_store(&job->job->begun, true);
    job->job->work(job->job);
}

/* Works until the end, or until the work pauses. */
static void go_on(struct job *job)
{
    struct hf_simloop *loop = job->proc->loop;

    if (job->proc->job_pause == 0) {
        job->worked = true;
        work(job);
        return;
    }
    loop->working = job;
    if (job->fiber == NULL)
        job->fiber = hf_fiber_new(work, job);
    job->worked = hf_fiber_resume(job->fiber);
    if (job->worked)
        job->fiber = NULL;
    loop->working = NULL;
}

int hf_simproc_pause(void *arg)
{
    struct hf_simproc *proc = arg;
    struct hf_simloop *loop = proc->loop;

    if (loop->working == NULL || loop->working->proc != proc)
        return 0;
    if (!proc->dead && below(&loop->random, PAUSE_EACH) == 0)
        hf_fiber_leave();
    return proc->dead ? -EIO : 0;
}

static void run_job(struct event *event)
{
    struct job *job = hf_container_of(event, struct job, event);
    struct hf_simproc *proc = job->proc;
    struct hf_job *caller = job->job;

    proc->loop->running = proc;
    if (!job->worked) {
        go_on(job);
        enqueue(proc->loop, &job->event, job->worked ? job_delay(proc) : job_pause(proc));
        return;
    }
    hf_list_remove(&job->link);
    free(job);
    caller->impl = NULL;
    caller->done(caller, 0);
}

static int sim_submit(void *ctx, struct hf_job *caller)
{
    struct hf_simproc *proc = ctx;

    if (proc->dead)
        return -ECANCELED;
    struct job *job = calloc(1, sizeof(*job));
    assert(job != NULL);
    *job = (struct job){.event = {.run = run_job}, .proc = proc, .job = caller};
    hf_list_append(&proc->jobs, &job->link);
    caller->impl = job;
    atomic_store(&caller->begun, false);
    enqueue(proc->loop, &job->event, job_delay(proc));
    return 0;
}

/* ---- processes ---------------------------------------------------------------------------------------------------- */

static uint64_t sim_mono_ns(void *ctx)
{
    const struct hf_simproc *proc = ctx;

    return proc->loop->now - proc->boot + 5 * HF_NS_PER_S;
}

static uint64_t sim_unix_ns(void *ctx)
{
    const struct hf_simproc *proc = ctx;

    return HF_SIM_UNIX_START + proc->loop->now + (uint64_t)proc->unix_offset;
}

static uint64_t sim_sync_error_ns(void *ctx)
{
    const struct hf_simproc *proc = ctx;

    return proc->sync_error;
}

static uint64_t sim_u64(void *ctx)
{
    struct hf_simproc *proc = ctx;

    return next_random(&proc->random);
}

struct hf_simproc *hf_simproc_new(struct hf_simloop *loop, const char *name)
{
    struct hf_simproc *proc = calloc(1, sizeof(*proc));

    assert(proc != NULL);
    proc->loop = loop;
    proc->name = strdup(name);
    proc->boot = loop->now;
    proc->random = next_random(&loop->random);
    proc->job_delay = HF_NS_PER_MS;
    hf_list_init(&proc->jobs);
    proc->clock = (struct hf_clock_ops){
        .ctx = proc, .mono_ns = sim_mono_ns, .unix_ns = sim_unix_ns, .sync_error_ns = sim_sync_error_ns};
    proc->rng = (struct hf_rand_ops){.ctx = proc, .u64 = sim_u64};
    proc->sched = (struct hf_sched_ops){
        .ctx = proc,
        .timer_new = sim_timer_new,
        .timer_arm = sim_timer_arm,
        .timer_disarm = sim_timer_disarm,
        .timer_free = sim_timer_free,
        .submit = sim_submit,
    };
    loop->n_procs++;
    return proc;
}

/* Timers stay in the heap of a dead process until freed; taking them out here needs no list of them. */
static void forget_timers(struct hf_simproc *proc)
{
    struct hf_simloop *loop = proc->loop;

    for (size_t i = 1; i <= loop->n;) {
        struct event *event = loop->heap[i];
        if (event->run == run_timer && hf_container_of(event, struct hf_timer, event)->proc == proc) {
            dequeue(loop, event);
            i = 1; /* the heap moved */
        } else {
            i++;
        }
    }
}

void hf_simproc_kill(struct hf_simproc *proc)
{
    if (proc->dead)
        return;
    assert(proc->loop->running != proc);
    proc->dead = true;
    forget_timers(proc);
    while (!hf_list_empty(&proc->jobs)) {
        struct job *job = hf_container_of(proc->jobs.next, struct job, link);
        struct hf_job *caller = job->job;
        if (job->fiber != NULL)
            go_on(job);
        int cancelled = !job->worked;
        dequeue(proc->loop, &job->event);
        hf_list_remove(&job->link);
        free(job);
        caller->impl = NULL;
        caller->done(caller, cancelled);
    }
}

void hf_simproc_set_boot(struct hf_simproc *proc, uint64_t boot_ns)
{
    proc->boot = boot_ns;
}

void hf_simproc_free(struct hf_simproc *proc)
{
    if (proc == NULL)
        return;
    hf_simproc_kill(proc);
    assert(proc->n_timers == 0);
    proc->loop->n_procs--;
    free(proc->name);
    free(proc);
}

bool hf_simproc_dead(const struct hf_simproc *proc)
{
    return proc->dead;
}

const char *hf_simproc_name(const struct hf_simproc *proc)
{
    return proc->name;
}

const struct hf_sched_ops *hf_simproc_sched(struct hf_simproc *proc)
{
    return &proc->sched;
}

const struct hf_clock_ops *hf_simproc_clock(struct hf_simproc *proc)
{
    return &proc->clock;
}

const struct hf_rand_ops *hf_simproc_rand(struct hf_simproc *proc)
{
    return &proc->rng;
}

struct hf_world hf_simproc_world(struct hf_simproc *proc, const struct hf_fs_ops *fs)
{
    return (struct hf_world){
        .fs = fs, .clock = hf_simproc_clock(proc), .rng = hf_simproc_rand(proc), .sched = &proc->sched};
}

void hf_simproc_set_job_delay(struct hf_simproc *proc, uint64_t max_ns)
{
    proc->job_delay = max_ns;
}

void hf_simproc_set_pauses(struct hf_simproc *proc, uint64_t max_ns)
{
    proc->job_pause = max_ns;
}

void hf_simproc_set_lateness(struct hf_simproc *proc, uint64_t max_ns)
{
    proc->lateness = max_ns;
}

void hf_simproc_set_sync_error(struct hf_simproc *proc, uint64_t error_ns)
{
    proc->sync_error = error_ns;
}

void hf_simproc_set_unix_offset(struct hf_simproc *proc, int64_t off_ns)
{
    proc->unix_offset = off_ns;
}

size_t hf_simproc_timers(const struct hf_simproc *proc)
{
    return proc->n_timers;
}

size_t hf_simproc_jobs(const struct hf_simproc *proc)
{
    size_t n = 0;

    for (const struct hf_list *it = proc->jobs.next; it != &proc->jobs; it = it->next)
        n++;
    return n;
}
