/* SPDX-License-Identifier: Apache-2.0 */
/* emulated.c - what an emulator of user programs (qemu-user before version 9) lacks of Linux, for the agent's tests
 * under it.
 *
 * Preloaded into the emulated agent, or linked into a static one of musl. Two calls differ:
 * - openat2(2) is unknown to the emulator. Here it opens one component of the path after the other and follows no
 *   link.
 * - madvise(2) does nothing. The agent reads /proc/self/smaps to find pages that it may drop. The emulator shows its
 *   own addresses there, so that the agent would drop others. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int madvise(void *start, size_t n, int advice)
{
    (void)start, (void)n, (void)advice;
    return 0;
}

/* Opens `path`, in which no component may be a link. The caller owns `fd`; returns a descriptor or -1 with errno. */
static int open_plain(int dirfd, char *path, const struct open_how *how)
{
    int at = dirfd, fd = -1;
    char *rest = path, *name;

    if (*rest == '/') {
        if ((how->resolve & RESOLVE_BENEATH) != 0) {
            errno = EXDEV;
            return -1;
        }
        at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    while ((name = strsep(&rest, "/")) != NULL && at >= -100) {
        while (rest != NULL && *rest == '/')
            rest++;
        int last = rest == NULL || *rest == '\0';
        int flags = last ? (int)how->flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        if (*name == '\0' && !last)
            continue;
        if (strcmp(name, "..") == 0) {
            errno = EXDEV;
            fd = -1;
        } else {
            fd = openat(at, *name == '\0' ? "." : name, flags, (mode_t)how->mode);
            if (fd < 0 && errno == ENOTDIR && !last)
                errno = ELOOP;
        }
        int why = errno;
        if (at != dirfd)
            (void)close(at);
        errno = why;
        if (last || fd < 0)
            return fd;
        at = fd;
    }
    return fd;
}

/* musl's own way into the kernel; in no other program. Returns -errno. */
extern __attribute__((weak)) long __syscall_cp(long number, long a, long b, long c, long d, long e, long f);

long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list words;

    va_start(words, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(words, long);
    va_end(words);
    if (number == SYS_openat2) {
        const struct open_how *how = (const void *)a[2];
        char path[4096];
        if (how->resolve == 0)
            return openat((int)a[0], (const char *)a[1], (int)how->flags, (mode_t)how->mode);
        if (strlen((const char *)a[1]) >= sizeof(path)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        return open_plain((int)a[0], strcpy(path, (const char *)a[1]), how);
    }
    if (__syscall_cp != NULL) {
        long r = __syscall_cp(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        errno = r < 0 ? (int)-r : errno;
        return r < 0 ? -1 : r;
    }
    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
