/* SPDX-License-Identifier: Apache-2.0 */
/* A library for LD_PRELOAD: a wall clock that lies. The file in SHIFTED_CLOCK holds int64_t: the seconds by which the
 * clock is ahead; 1 if the kernel says that a time server keeps it; and, if the file has a third number, the seconds
 * that the machine has slept (CLOCK_BOOTTIME counts them, CLOCK_MONOTONIC does not). A test changes the file at any
 * time.
 *
 *     cc -shared -fPIC -o shifted-clock.so shifted-clock.c */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shared(void)
{
    static const volatile int64_t *words;
    const char *path = getenv("SHIFTED_CLOCK");
    int fd;

    if (words != NULL || path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return words;
    void *mapped = mmap(NULL, 3 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (mapped != MAP_FAILED)
        words = mapped;
    return words;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    long r = syscall(SYS_clock_gettime, id, now);
    const volatile int64_t *words = shared();

    if (r == 0 && words != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += words[0] + words[2];
    if (r == 0 && words != NULL && id == CLOCK_BOOTTIME)
        now->tv_sec += words[2];
    return (int)r;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec at;
    int r = clock_gettime(CLOCK_REALTIME, &at);

    (void)zone;
    now->tv_sec = at.tv_sec;
    now->tv_usec = (suseconds_t)(at.tv_nsec / 1000);
    return r;
}

time_t time(time_t *now)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    if (now != NULL)
        *now = at.tv_sec;
    return at.tv_sec;
}

int adjtimex(struct timex *state)
{
    const volatile int64_t *words = shared();

    memset(state, 0, sizeof(*state));
    if (words != NULL && words[1] != 0)
        return TIME_OK;
    state->status = STA_UNSYNC;
    return TIME_ERROR;
}
