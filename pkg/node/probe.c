/* SPDX-License-Identifier: Apache-2.0 */
#include "node/probe.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static bool place(const struct hf_probe_root *at, const char *path, char full[PATH_MAX])
{
    return snprintf(full, PATH_MAX, "%s%s", at->root, path) < PATH_MAX;
}

static int open_at(const struct hf_probe_root *at, const char *path, int flags)
{
    char full[PATH_MAX];

    if (!place(at, path, full))
        return -1;
    return at->fs->openat(at->fs->ctx, AT_FDCWD, full, flags | O_CLOEXEC | O_NONBLOCK, 0, HF_FS_ANY);
}

bool hf_probe_text(const struct hf_probe_root *at, const char *path, char *text, size_t n)
{
    size_t have = 0;
    int fd = open_at(at, path, O_RDONLY);

    text[0] = '\0';
    if (fd < 0)
        return false;
    ssize_t got = 0;
    while (have < n - 1 && (got = at->fs->pread(at->fs->ctx, fd, text + have, n - 1 - have, have)) > 0)
        have += (size_t)got;
    (void)at->fs->close(at->fs->ctx, fd);
    while (have > 0 && (text[have - 1] == '\n' || text[have - 1] == ' ' || text[have - 1] == '\0'))
        have--;
    text[have] = '\0';
    return got >= 0;
}

bool hf_probe_link(const struct hf_probe_root *at, const char *path, char *text, size_t n)
{
    char full[PATH_MAX];

    text[0] = '\0';
    if (!place(at, path, full))
        return false;
    ssize_t got = at->fs->readlinkat(at->fs->ctx, AT_FDCWD, full, text, n - 1);
    if (got < 0)
        return false;
    text[got] = '\0';
    return true;
}

bool hf_probe_exists(const struct hf_probe_root *at, const char *path)
{
    char full[PATH_MAX];
    struct stat st;

    return place(at, path, full) && at->fs->fstatat(at->fs->ctx, AT_FDCWD, full, &st, 0) == 0;
}

struct each {
    int (*visit)(void *arg, const char *name);
    void *arg;
};

static int each_name(void *arg, const char *name, unsigned char type)
{
    const struct each *each = arg;

    (void)type;
    return each->visit(each->arg, name);
}

int hf_probe_each(const struct hf_probe_root *at, const char *folder, int (*visit)(void *arg, const char *name),
                  void *arg)
{
    struct each each = {visit, arg};
    int fd = open_at(at, folder, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return 0;
    int r = at->fs->list(at->fs->ctx, fd, each_name, &each);
    (void)at->fs->close(at->fs->ctx, fd);
    return r;
}

struct first {
    const char *prefix;
    char *name;
    size_t n;
};

static int keep_first(void *arg, const char *name)
{
    struct first *first = arg;

    if (strncmp(name, first->prefix, strlen(first->prefix)) != 0 || strlen(name) >= first->n)
        return 0;
    if (first->name[0] == '\0' || strcmp(name, first->name) < 0)
        (void)snprintf(first->name, first->n, "%s", name);
    return 0;
}

bool hf_probe_first(const struct hf_probe_root *at, const char *folder, const char *prefix, char *name, size_t n)
{
    struct first first = {prefix, name, n};

    name[0] = '\0';
    (void)hf_probe_each(at, folder, keep_first, &first);
    return name[0] != '\0';
}
