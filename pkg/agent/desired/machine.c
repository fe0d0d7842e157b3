/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/machine.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "node/devices.h"

static int statvfs_of(const struct hf_agent_env *env, const char *path, struct statvfs *ret)
{
    int fd = env->world.fs->openat(env->world.fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    if (fd < 0)
        return fd;
    int r = env->world.fs->fstatvfs(env->world.fs->ctx, fd, ret);
    (void)env->world.fs->close(env->world.fs->ctx, fd);
    return r;
}

void hf_machine_init(struct hf_machine *machine, const struct hf_agent_env *env)
{
    *machine = (struct hf_machine){.env = env};
}

void hf_machine_done(struct hf_machine *machine)
{
    hf_facts_done(&machine->facts);
}

void hf_machine_read(struct hf_machine *machine)
{
    const struct hf_agent_env *env = machine->env;
    struct hf_facts_params params = {.fs = env->world.fs, .root = env->params->facts_root, .arch = env->params->arch};
    struct hf_facts facts;
    struct stat st;

    if (env->world.fs->fstatat(env->world.fs->ctx, AT_FDCWD, env->params->home->dir, &st, 0) == 0) {
        params.state_major = major(st.st_dev);
        params.state_minor = minor(st.st_dev);
    }
    if (hf_facts_read(&params, &facts) < 0)
        return;
    if (hf_facts_has_gaps(&facts, &machine->facts)) {
        hf_facts_done(&facts);
        return;
    }
    hf_facts_done(&machine->facts);
    machine->facts = facts;
}

/* The unit's own /dev has no devices. */
static bool has_device(void *arg, const char *path)
{
    const struct hf_machine *machine = arg;
    const struct hf_agent_env *env = machine->env;
    const struct hf_probe_root sys = {env->world.fs, env->params->facts_root != NULL ? env->params->facts_root : ""};
    const char *root = env->params->pod_mode && env->params->host_root != NULL ? env->params->host_root : "";
    char full[PATH_MAX];
    struct stat st;

    return (snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
            env->world.fs->fstatat(env->world.fs->ctx, AT_FDCWD, full, &st, 0) == 0) ||
           hf_devices_has(&sys, path);
}

int hf_machine_meets(struct hf_machine *machine, const struct hf_requires *requires_, struct hf_err *err)
{
    struct hf_meets_now now = {.has_device = has_device, .arg = machine};
    struct statvfs st;

    if (statvfs_of(machine->env, machine->env->params->home->dir, &st) == 0)
        now.disk_free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return hf_meets_requires(&machine->facts, &now, requires_, err);
}
