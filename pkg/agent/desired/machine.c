#include "agent/desired/machine.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

static int statvfs_of(const struct hf_agent_env *env, const char *path, struct statvfs *ret)
{
    int fd = env->fs->openat(env->fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    if (fd < 0)
        return fd;
    int r = env->fs->fstatvfs(env->fs->ctx, fd, ret);
    (void)env->fs->close(env->fs->ctx, fd);
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

const char *hf_machine_disk(const struct hf_machine *machine, size_t i)
{
    const struct hf_agent_params *params = machine->env->params;

    if (i >= HF_MACHINE_MAX_DISKS)
        return NULL;
    return i == 0 ? params->home->dir : params->roots[i - 1];
}

static void log_level(const struct hf_machine *machine, const char *path, enum hf_disk_level level, unsigned used)
{
    hf_log(machine->env->log,
           level == HF_DISK_OK        ? HF_LOG_INFO
           : level == HF_DISK_WARNING ? HF_LOG_WARNING
                                      : HF_LOG_ERROR,
           "disk.level", HF_S("path", path), HF_S("fullness", hf_disk_level_name(level)), HF_D("usedPercent", used));
}

static void read_disks(struct hf_machine *machine)
{
    const char *path;

    for (size_t i = 0; (path = hf_machine_disk(machine, i)) != NULL; i++) {
        struct statvfs st;
        unsigned used = statvfs_of(machine->env, path, &st) < 0 ? 0 : hf_disk_used_percent(&st);
        enum hf_disk_level level =
            hf_disk_judge(used, HF_DISK_WARN_PERCENT, HF_DISK_CRITICAL_PERCENT, machine->disk_levels[i]);
        machine->disk_used[i] = used;
        if (level != machine->disk_levels[i])
            log_level(machine, path, level, used);
        machine->disk_levels[i] = level;
    }
}

void hf_machine_read(struct hf_machine *machine)
{
    const struct hf_agent_env *env = machine->env;
    struct hf_facts_params params = {.fs = env->fs, .root = env->params->facts_root, .arch = env->params->arch};
    struct hf_facts facts;
    struct stat st;

    if (env->fs->fstatat(env->fs->ctx, AT_FDCWD, env->params->home->dir, &st, 0) == 0) {
        params.state_major = major(st.st_dev);
        params.state_minor = minor(st.st_dev);
    }
    read_disks(machine);
    if (hf_facts_read(&params, &facts) < 0)
        return;
    hf_facts_done(&machine->facts);
    machine->facts = facts;
}

static bool has_device(void *arg, const char *path)
{
    const struct hf_machine *machine = arg;
    const struct hf_agent_env *env = machine->env;
    const char *root = env->params->pod_mode && env->params->host_root != NULL ? env->params->host_root : "";
    char full[PATH_MAX];
    struct stat st;

    return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
           env->fs->fstatat(env->fs->ctx, AT_FDCWD, full, &st, 0) == 0;
}

int hf_machine_meets(struct hf_machine *machine, const struct hf_requires *requires_, struct hf_err *err)
{
    struct hf_meets_now now = {.has_device = has_device, .arg = machine};
    struct statvfs st;

    if (statvfs_of(machine->env, machine->env->params->home->dir, &st) == 0)
        now.disk_free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return hf_meets_requires(&machine->facts, &now, requires_, err);
}
