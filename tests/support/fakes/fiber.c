/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/fiber.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK = 1 << 20, GUARD = 1 << 16, SPARE = 4, LAST = 1 << 14 /* bytes of the frames that end a fiber */ };

/* One side of a switch, as AddressSanitizer has to know it (common_interface_defs.h). */
struct side {
    ucontext_t context;
    void *fake_stack;
    const void *bottom;
    size_t size;
};

struct hf_fiber {
    struct side inside, outside;
    unsigned char *stack; /* the guard, then STACK bytes */
    void (*run)(void *arg);
    void *arg;
    bool ended;
};

static _Thread_local struct hf_fiber *running;
/* Stacks of fibers that have ended. To map a new one for each fiber takes longer than most fibers. */
static _Thread_local unsigned char *spare[SPARE];
static _Thread_local size_t n_spare;

static void leave_side(struct side *from, struct side *to, bool ended)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(ended ? NULL : &from->fake_stack, to->bottom, to->size);
#else
    (void)ended;
#endif
    if (swapcontext(&from->context, &to->context) != 0)
        abort();
}

static void enter_side(struct side *side, struct side *from)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(side->fake_stack, &from->bottom, &from->size);
#else
    (void)side;
    (void)from;
#endif
}

static void begin(void)
{
    struct hf_fiber *fiber = running;

    enter_side(&fiber->inside, &fiber->outside);
    fiber->run(fiber->arg);
    fiber->ended = true;
    leave_side(&fiber->inside, &fiber->outside, true);
    abort(); /* an ended fiber is never resumed */
}

static unsigned char *take_stack(void)
{
    if (n_spare > 0)
        return spare[--n_spare];
    unsigned char *stack =
        mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD, PROT_NONE) != 0)
        abort();
    return stack;
}

static void leave_stack(unsigned char *stack)
{
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(stack + GUARD + STACK - LAST, LAST); /* what has returned has done so itself */
#endif
    if (n_spare < SPARE)
        spare[n_spare++] = stack;
    else
        (void)munmap(stack, GUARD + STACK);
}

struct hf_fiber *hf_fiber_new(void (*run)(void *arg), void *arg)
{
    struct hf_fiber *fiber = calloc(1, sizeof(*fiber));

    if (fiber == NULL)
        abort();
    fiber->run = run;
    fiber->arg = arg;
    fiber->stack = take_stack();
    if (getcontext(&fiber->inside.context) != 0)
        abort();
    fiber->inside.bottom = fiber->stack + GUARD;
    fiber->inside.size = STACK;
    fiber->inside.context.uc_stack.ss_sp = fiber->stack + GUARD;
    fiber->inside.context.uc_stack.ss_size = STACK;
    makecontext(&fiber->inside.context, begin, 0);
    /* Else AddressSanitizer's swapcontext() forgets, twice a switch, what it knows of this stack: the frames of a
     * fiber that waits are unguarded then, and the forgetting took most of the time of the simulation's jobs. */
    fiber->inside.context.uc_stack.ss_size = 0;
    return fiber;
}

bool hf_fiber_resume(struct hf_fiber *fiber)
{
    struct hf_fiber *before = running;

    running = fiber;
    leave_side(&fiber->outside, &fiber->inside, false);
    enter_side(&fiber->outside, &fiber->inside);
    running = before;
    if (!fiber->ended)
        return false;
    leave_stack(fiber->stack);
    free(fiber);
    return true;
}

void hf_fiber_leave(void)
{
    struct hf_fiber *fiber = running;

    assert(fiber != NULL);
    leave_side(&fiber->inside, &fiber->outside, false);
    enter_side(&fiber->inside, &fiber->outside);
}
