/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/journal/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/encoding/hex.h"

enum { MAX_LINE = PATH_MAX + 128 };

/* The program is linked statically with this file, so an access of these needs no allocation, also in a handler. */
static _Thread_local volatile sig_atomic_t depth, replaced;

static struct sigaction before; /* constant once the handler is installed */
static uintptr_t page_bytes;

/* ---- in the handler: only system calls and pure functions -------------------------------------------------------- */

static const char *take_hex(const char *text, uintptr_t *ret)
{
    *ret = 0;
    for (; hf_hex_value(*text) >= 0; text++)
        *ret = *ret << 4 | (uintptr_t)hf_hex_value(*text);
    return text;
}

/* `line` is "<begin>-<end> <flags> <offset> <device> <inode>   <path>", the path without a blank at its start. */
static bool covers(const char *line, uintptr_t address)
{
    uintptr_t begin, end;

    line = take_hex(line, &begin);
    if (*line != '-')
        return false;
    (void)take_hex(line + 1, &end);
    return begin <= address && address < end;
}

static bool is_journal(const char *line)
{
    const char *name = strrchr(line, '/');

    return name != NULL && strstr(name, ".journal") != NULL;
}

/* Returns true if the address belongs to the mapping of a journal file. */
static bool is_of_journal(uintptr_t address)
{
    char bytes[4096], line[MAX_LINE];
    size_t used = 0;
    bool found = false, is = false;
    ssize_t n;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (!found && (n = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n && !found; i++) {
            if (bytes[i] != '\n') {
                if (used < sizeof(line) - 1)
                    line[used++] = bytes[i];
                continue;
            }
            line[used] = '\0';
            used = 0;
            found = covers(line, address);
            is = found && is_journal(line);
        }
    (void)close(fd);
    return is;
}

static bool replace_page(uintptr_t address)
{
    void *page = (void *)(address & ~(page_bytes - 1)); /* NOLINT(performance-no-int-to-ptr): the kernel's number */
    const void *zeros = mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    return zeros == page;
}

static void on_sigbus(int signal_number, siginfo_t *info, HF_UNUSED void *context)
{
    int saved = errno;
    uintptr_t address = (uintptr_t)info->si_addr;

    if (depth > 0 && info->si_code == BUS_ADRERR && is_of_journal(address) && replace_page(address)) {
        replaced = 1;
    } else {
        /* An access comes again on return. A signal that was sent does not. */
        (void)sigaction(signal_number, &before, NULL);
        if (info->si_code <= 0 || info->si_code == BUS_MCEERR_AO)
            (void)raise(signal_number);
    }
    errno = saved;
}

/* ---- around ------------------------------------------------------------------------------------------------------ */

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART};

    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, NULL, &before);
    (void)sigaction(SIGBUS, &action, NULL);
}

void hf_journal_fault_begin(void)
{
    if (page_bytes == 0)
        install();
    if (depth == 0)
        replaced = 0;
    depth++;
}

bool hf_journal_fault_end(void)
{
    depth--;
    return replaced != 0;
}
