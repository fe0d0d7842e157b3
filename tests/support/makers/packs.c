/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/packs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                      \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

void packs_text(struct hf_buf *out, size_t n, unsigned seed, unsigned change)
{
    static const char ends[] = " \n.,;";
    unsigned state = seed;
    size_t words = 0, stop = out->n + n;

    while (out->n < stop) {
        state = state * 1664525u + 1013904223u;
        unsigned word = state >> 20 & (state >> 9 & 0x3ff);
        if (change > 0 && ++words % change == 0)
            word += 4096;
        /* "%xw%c" by hand: a formatted print of each word was a tenth of the time of some suites. */
        char text[12], *first = text + sizeof(text);
        *--first = ends[state >> 24 & (state >> 28 & 3)];
        *--first = 'w';
        unsigned left = word * 2654435761u >> 12;
        do {
            *--first = "0123456789abcdef"[left & 15];
            left >>= 4;
        } while (left > 0);
        MUST(hf_buf_add(out, first, (size_t)(text + sizeof(text) - first)) == 0);
    }
    out->n = stop;
}

static int temporary(void)
{
    char path[] = "/tmp/holdfast-packs-XXXXXX";
    int fd = mkstemp(path);

    MUST(fd >= 0);
    (void)unlink(path);
    return fd;
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, p, n);
        MUST(wrote > 0);
        p += wrote;
        n -= (size_t)wrote;
    }
}

void packs_run(const char *command, const void *in, size_t n, struct hf_buf *out)
{
    int in_fd = temporary(), out_fd = temporary(), status = -1;
    char bytes[65536];
    ssize_t got;

    write_all(in_fd, in, n);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        if (lseek(in_fd, 0, SEEK_SET) == 0 && dup2(in_fd, 0) == 0 && dup2(out_fd, 1) == 1)
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    MUST(waitpid(child, &status, 0) == child);
    if (status != 0) {
        (void)fprintf(stderr, "'%s' failed\n", command);
        abort();
    }
    MUST(lseek(out_fd, 0, SEEK_SET) == 0);
    while ((got = read(out_fd, bytes, sizeof(bytes))) > 0)
        MUST(hf_buf_add(out, bytes, (size_t)got) == 0);
    (void)close(in_fd);
    (void)close(out_fd);
}
