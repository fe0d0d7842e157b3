/* SPDX-License-Identifier: Apache-2.0 */
/* A library for LD_PRELOAD: User-Mode Linux on processors whose registers take more room than it has. With AMX, a
 * process has 11,008 bytes of them; Debian 12's linux.uml keeps fewer for each process of the guest, and Linux refuses
 * to set a part (EFAULT, which ends the guest's first process). What linux.uml does not know stays as it is.
 *
 *     cc -shared -fPIC -o guest-registers.so guest-registers.c */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long (*ptrace_fn)(enum __ptrace_request request, ...);

/* Set the first bytes of the extended registers, and leave the others. */
static long set_part(ptrace_fn real, pid_t pid, const struct iovec *part)
{
    static char all[65536]; /* the guest has one processor, and its kernel's stacks are small */
    struct iovec whole = {all, sizeof(all)};
    long r = real(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &whole);

    if (r < 0 || part->iov_len > whole.iov_len)
        return r;
    memcpy(all, part->iov_base, part->iov_len);
    return real(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
    static ptrace_fn real;
    va_list args;

    va_start(args, request);
    pid_t pid = va_arg(args, pid_t);
    void *addr = va_arg(args, void *), *data = va_arg(args, void *);
    va_end(args);
    if (real == NULL)
        real = (ptrace_fn)dlsym(RTLD_NEXT, "ptrace");
    long r = real(request, pid, addr, data);
    if (r < 0 && request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE)
        return set_part(real, pid, data);
    return r;
}
