/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/own_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Cuts the last component off; false for "/". */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || path[1] == '\0')
        return false;
    slash[slash == path] = '\0';
    return true;
}

static bool is_same(const struct hf_fs_ops *fs, const char *path, const struct stat *other)
{
    struct stat st;

    return fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0 && st.st_dev == other->st_dev &&
           st.st_ino == other->st_ino;
}

/* True if the file `path` is, or would become, the program `name` in the folder of `exe`. */
static bool is_program(const struct hf_fs_ops *fs, const char *exe, const char *name, const char *path)
{
    char program[PATH_MAX], folder[PATH_MAX];
    struct stat st;

    (void)snprintf(program, sizeof(program), "%.*s%s", (int)(base_of(exe) - exe), exe, name);
    if (strcmp(program, path) == 0 || (fs->fstatat(fs->ctx, AT_FDCWD, program, &st, 0) == 0 && is_same(fs, path, &st)))
        return true;
    (void)snprintf(folder, sizeof(folder), "%s", path);
    return strcmp(base_of(path), name) == 0 && go_up(folder) && go_up(program) &&
           fs->fstatat(fs->ctx, AT_FDCWD, program, &st, 0) == 0 && is_same(fs, folder, &st);
}

/* True if `path` is a folder, or a link to one, in which the running program lies. */
static bool holds_program(const struct hf_fs_ops *fs, const char *exe, const char *path)
{
    char folder[PATH_MAX];
    struct stat st;

    (void)snprintf(folder, sizeof(folder), "%s", exe);
    while (go_up(folder) && folder[1] != '\0')
        if (strcmp(folder, path) == 0 ||
            (fs->fstatat(fs->ctx, AT_FDCWD, folder, &st, 0) == 0 && is_same(fs, path, &st)))
            return true;
    return false;
}

/* True if `path` is `folder`, or lies in it. */
static bool is_in(const struct hf_fs_ops *fs, const char *folder, const char *path)
{
    char at[PATH_MAX];
    struct stat st;
    bool exists = fs->fstatat(fs->ctx, AT_FDCWD, folder, &st, 0) == 0;

    (void)snprintf(at, sizeof(at), "%s", path);
    do
        if (strcmp(at, folder) == 0 || (exists && is_same(fs, at, &st)))
            return true;
    while (go_up(at) && at[1] != '\0');
    return false;
}

/* A file of the unit: <unit>, or one in <unit>.d. */
static bool is_unit_file(const char *unit, const char *path)
{
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof(folder), "/%s.d/", unit);
    return strcmp(base_of(path), unit) == 0 || strstr(path, folder) != NULL;
}

bool hf_own_program_is(const struct hf_fs_ops *fs, const struct hf_own_program *own, const struct hf_install *install,
                       struct hf_err *err)
{
    const char *const names[] = {own->exe != NULL ? base_of(own->exe) : "", "holdfast-tpm", "holdfast-units"};

    if (install->kind == HF_INSTALL_AGENT)
        return false;
    if (own->unit != NULL && install->restart_unit != NULL && strcmp(own->unit, install->restart_unit) == 0)
        (void)hf_err_set(err, EPERM, "install.restart.systemdUnit: '%.60s' is the unit of this agent", own->unit);
    else if (own->unit != NULL && is_unit_file(own->unit, install->path))
        (void)hf_err_set(err, EPERM, "install.path: '%.100s' belongs to the unit of this agent", install->path);
    else if (own->host_dir != NULL &&
             (is_in(fs, own->host_dir, install->path) || holds_program(fs, own->host_dir, install->path)))
        (void)hf_err_set(
            err, EPERM, "install.path: '%.100s' is where the supervisor starts this agent: only kind Agent replaces it",
            install->path);
    else if (own->exe != NULL && holds_program(fs, own->exe, install->path))
        (void)hf_err_set(err, EPERM, "install.path: '%.100s' holds this agent's program", install->path);
    else if (own->exe == NULL)
        return false;
    else
        for (size_t i = 0; i < HF_LEN(names) && err->code == 0; i++)
            if (is_program(fs, own->exe, names[i], install->path))
                (void)hf_err_set(err, EPERM, "install.path: '%.100s' is %s of this agent", install->path, names[i]);
    return err->code != 0;
}
