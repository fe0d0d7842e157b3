/* SPDX-License-Identifier: Apache-2.0 */
/* A mapped file that has lost its pages stands for a disk that does not give them back: both are the same signal. */
#include "telemetry/journal/fault.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "support/check_main.h"

enum { PAGES = 3 };

static char dir[64];
static size_t page;

/* Maps PAGES pages of a file of this name, of which the disk has only the first. Returns the address. */
static volatile char *map(const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)(PAGES * page)), 0);
    ck_assert_int_eq(pwrite(fd, "first", 5, 0), 5);
    ck_assert_int_eq(pwrite(fd, "third", 5, (off_t)(2 * page)), 5);
    char *mapped = mmap(NULL, PAGES * page, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    ck_assert_int_eq(ftruncate(fd, (off_t)page), 0);
    (void)close(fd);
    (void)unlink(path); /* as a file that was vacuumed: the kernel adds " (deleted)" to its name */
    return mapped;
}

static void set_up(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/hf-fault-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    page = (size_t)sysconf(_SC_PAGESIZE);
}

static void tear_down(void)
{
    (void)rmdir(dir);
}

START_TEST(an_unreadable_page_of_a_journal_is_zeros)
{
    volatile char *mapped = map("system@1.journal");

    hf_journal_fault_begin();
    ck_assert_int_eq(mapped[0], 'f');
    ck_assert(!hf_journal_fault_end());
    hf_journal_fault_begin();
    hf_journal_fault_begin();
    ck_assert_int_eq(mapped[page + 7], 0);
    ck_assert(hf_journal_fault_end());
    ck_assert_int_eq(mapped[2 * page], 0); /* still inside */
    ck_assert_int_eq(mapped[0], 'f');
    ck_assert(hf_journal_fault_end());
    hf_journal_fault_begin();
    ck_assert_int_eq(mapped[page], 0); /* is there already */
    ck_assert(!hf_journal_fault_end());
    ck_assert_int_eq(munmap((void *)(uintptr_t)mapped, PAGES * page), 0);
}
END_TEST

static volatile char *shared;

static void *read_it(void *arg)
{
    (void)arg;
    (void)shared[page];
    return NULL;
}

static void outside(void)
{
    shared = map("system.journal");
    hf_journal_fault_begin();
    (void)shared[2 * page];
    (void)hf_journal_fault_end();
    (void)shared[page];
}

static void another_file(void)
{
    shared = map("spool");
    hf_journal_fault_begin();
    (void)shared[page];
}

static void another_thread(void)
{
    pthread_t thread;

    shared = map("system.journal");
    hf_journal_fault_begin();
    (void)!pthread_create(&thread, NULL, read_it, NULL);
    (void)pthread_join(thread, NULL);
}

static void a_signal_that_is_sent(void)
{
    hf_journal_fault_begin();
    (void)kill(getpid(), SIGBUS);
}

static void (*const deadly[])(void) = {outside, another_file, another_thread, a_signal_that_is_sent};

/* Each of these ends the process, as without the handler: by the signal, or by a handler that was there before. */
START_TEST(every_other_fault_ends_the_process)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 2);
        if (_i < 4)
            (void)signal(SIGBUS, SIG_DFL); /* instead of the handler of AddressSanitizer */
        deadly[_i % 4]();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (_i < 4)
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "%d: status %x", _i, (unsigned)status);
    else
        ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 0, "%d: status %x", _i, (unsigned)status);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_unreadable_page_of_a_journal_is_zeros);
    tcase_add_loop_test(tc, every_other_fault_ends_the_process, 0, 2 * (int)HF_LEN(deadly));
}

HF_TEST_MAIN("telemetry/journal_fault", cases)
