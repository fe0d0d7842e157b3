/* SPDX-License-Identifier: Apache-2.0 */
/* ST_RDONLY of statvfs() is set for both, and the agent sees most mounts read-only (ProtectSystem=). Linux 6.12 and
 * later do not set it when ext4 stops writes (errors=remount-ro); 6.15 has the option emergency_ro. So this reads the
 * file system's options at the end of a line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#include "node/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/view.h"

/* A node with hundreds of pods has thousands of mounts. Later ones are unknown. */
enum { USUAL_BYTES = 1 << 14, MOUNTS_BYTES = 1 << 20, FDINFO_BYTES = 512 };

/* hf_probe_text() takes the white space off the end. */
static bool is_full(const char *text, size_t n)
{
    return strlen(text) + 8 > n;
}

char *hf_mounts_read(const struct hf_probe_root *at)
{
    /* A longer table is read again from its start: it may have changed meanwhile. */
    for (size_t n = USUAL_BYTES;; n = n * 8 < MOUNTS_BYTES ? n * 8 : MOUNTS_BYTES) {
        char *text = malloc(n);
        if (text == NULL)
            return NULL;
        bool read = hf_probe_text(at, "/proc/self/mountinfo", text, n);
        if (read && (n == MOUNTS_BYTES || !is_full(text, n)))
            return text;
        free(text);
        if (!read)
            return NULL;
    }
}

static bool has_option(struct hf_view options, const char *option)
{
    struct hf_view one;

    while (hf_view_split(&options, ',', &one))
        if (hf_view_eq(one, option))
            return true;
    return false;
}

/* "... - <type> <source> <options>" */
static enum hf_mounts_state state_of_line(struct hf_view line)
{
    struct hf_view word = {line.p, 0};

    const char *end = memmem(line.p, line.n, " - ", 3);
    if (end == NULL)
        return HF_MOUNTS_UNKNOWN;
    line = (struct hf_view){end + 3, line.n - (size_t)(end + 3 - line.p)};
    for (int i = 0; i < 3; i++)
        if (!hf_view_split(&line, ' ', &word))
            return HF_MOUNTS_UNKNOWN;
    return has_option(word, "ro") || has_option(word, "emergency_ro") ? HF_MOUNTS_READ_ONLY : HF_MOUNTS_WRITABLE;
}

enum hf_mounts_state hf_mounts_of_id(const char *mounts, unsigned id)
{
    struct hf_view rest = hf_view_of(mounts), line;
    char start[16];

    int n = snprintf(start, sizeof(start), "%u ", id);
    while (hf_view_split(&rest, '\n', &line))
        if (line.n > (size_t)n && memcmp(line.p, start, (size_t)n) == 0)
            return state_of_line(line);
    return HF_MOUNTS_UNKNOWN;
}

enum hf_mounts_state hf_mounts_of_fd(const struct hf_probe_root *at, const char *mounts, int fd)
{
    char path[40], text[FDINFO_BYTES];
    unsigned id;

    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    if (mounts == NULL || !hf_probe_text(at, path, text, sizeof(text)))
        return HF_MOUNTS_UNKNOWN;
    const char *found = strstr(text, "mnt_id:");
    if (found == NULL || sscanf(found, "mnt_id: %u", &id) != 1) /* NOLINT(cert-err34-c): the kernel's own number */
        return HF_MOUNTS_UNKNOWN;
    return hf_mounts_of_id(mounts, id);
}
