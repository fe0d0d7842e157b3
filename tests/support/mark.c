/* SPDX-License-Identifier: Apache-2.0 */
#include "mark.h"

#include "base/macros.h"
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static const char *marked_file;
static int marked_line;
static bool shares_process;

void __wrap__mark_point(const char *file, int line)
{
    marked_file = file;
    marked_line = line;
}

static void tell(void)
{
    if (marked_file != NULL && shares_process)
        (void)dprintf(STDERR_FILENO, "%s:%d: the last check before the end\n", marked_file, marked_line);
    else if (marked_file != NULL)
        __real__mark_point(marked_file, marked_line);
    marked_file = NULL;
}

static void tell_and_die(int number)
{
    tell();
    (void)raise(number); /* SA_RESETHAND: now with its usual end */
}

void hf_mark_at_death(bool has_own_process)
{
    static const int mortal[] = {SIGABRT, SIGXCPU, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action = {.sa_handler = tell_and_die, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    size_t n = HF_LEN(mortal);

    shares_process = !has_own_process;
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(tell);
        n = 3; /* the sanitizer has handlers for the others */
    }
    for (size_t i = 0; i < n; i++)
        (void)sigaction(mortal[i], &action, NULL);
}

static void end_without_search(int status, void *had)
{
    (void)fflush(NULL);
    if (__sanitizer_get_current_allocated_bytes() == (size_t)had)
        _exit(status);
}

void hf_no_search_without_leaks(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        (void)on_exit(end_without_search, (void *)__sanitizer_get_current_allocated_bytes());
}
