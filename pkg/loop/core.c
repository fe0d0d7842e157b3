/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/core.h"

#include <errno.h>

#include "os/memory.h"

/* ---- tasks and guests -------------------------------------------------------------------------------------------- */

void hf_loop_task_init(struct hf_loop_task *task, void (*run)(struct hf_loop_task *task))
{
    hf_list_init(&task->link);
    task->run = run;
}

/* A task posted while tasks run waits for the next turn, so that two that post each other do not starve the others. */
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
        struct hf_loop_task *task = hf_container_of(first, struct hf_loop_task, link);
        task->run(task);
    }
    if (loop->closing || hf_list_empty(&loop->tasks))
        (void)uv_idle_stop(&loop->idle);
}

void hf_loop_task_post(struct hf_loop *loop, struct hf_loop_task *task)
{
    if (!hf_list_empty(&task->link))
        return;
    hf_list_append(&loop->tasks, &task->link);
    (void)uv_idle_start(&loop->idle, run_tasks);
}

void hf_loop_task_drop(struct hf_loop_task *task)
{
    hf_list_remove(&task->link);
}

void hf_loop_guest_add(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest))
{
    guest->end = end;
    hf_list_append(&loop->guests, &guest->link);
}

void hf_loop_guest_remove(struct hf_loop_guest *guest)
{
    hf_list_remove(&guest->link);
}

void hf_loop_guest_end_last(struct hf_loop *loop, struct hf_loop_guest *guest, void (*end)(struct hf_loop_guest *guest))
{
    guest->end = end;
    hf_list_append(&loop->last, &guest->link);
}

/* ---- small uv helpers -------------------------------------------------------------------------------------------- */

int hf_loop_errno(int r)
{
    /* Errnos are below 134. uv's own errors begin at -3000 (names that do not resolve) and -4000 (end of file and
     * the like). */
    if (r > -1000)
        return r;
    return r > -4000 ? -EHOSTUNREACH : -EIO;
}

uint64_t hf_loop_delay_ms(struct hf_loop *loop, uint64_t delay_ns)
{
    static const uint64_t century_ns = 100ull * 365 * 86400 * HF_NS_PER_S;

    uv_update_time(&loop->uv);
    /* uv rounds the current time down to whole milliseconds: compute from the exact time, and round the end up. */
    uint64_t due_ms = (uv_hrtime() + HF_MIN(delay_ns, century_ns) + HF_NS_PER_MS - 1) / HF_NS_PER_MS;
    uint64_t now_ms = uv_now(&loop->uv);
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

enum { TRIM_AFTER_MS = 10000, TRIM_SPARE_BYTES = 256 * 1024 };

/* Shortest period of whole trims if there is little to return: what they take of the code comes back from disk. */
#define TRIM_PERIOD_NS (600 * HF_NS_PER_S)

static void on_trim(uv_timer_t *timer)
{
    struct hf_loop *loop = hf_container_of(timer, struct hf_loop, trim);
    uint64_t now_ns = uv_hrtime();

    if (loop->trimmed_ns != 0 && now_ns - loop->trimmed_ns < TRIM_PERIOD_NS && hf_memory_spare() < TRIM_SPARE_BYTES) {
        hf_memory_trim_heap();
        return;
    }
    loop->trimmed_ns = now_ns;
    hf_memory_trim();
}

void hf_loop_worked(struct hf_loop *loop)
{
    if (!loop->closing && !uv_is_active((const uv_handle_t *)&loop->trim))
        (void)uv_timer_start(&loop->trim, on_trim, TRIM_AFTER_MS, 0);
}
