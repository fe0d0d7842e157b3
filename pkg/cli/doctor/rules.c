/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/macros.h"

#define MIB (1024ull * 1024)

enum { LITTLE_MEMORY_MIB = 256, LITTLE_DISK_MIB = 64 };

struct judge {
    void (*tell)(void *arg, const struct hf_doctor_finding *finding);
    void *arg;
};

static void HF_PRINTF(5, 6) say(const struct judge *judge, const char *check, enum hf_doctor_result result,
                                const char *remedy, const char *format, ...)
{
    struct hf_doctor_finding finding = {.check = check, .result = result, .remedy = remedy};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(finding.detail, sizeof(finding.detail), format, args);
    va_end(args);
    judge->tell(judge->arg, &finding);
}

static void kernel(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->openat2)
        say(judge, "kernel", HF_DOCTOR_OK, "", "Linux %s", facts->kernel);
    else
        say(judge, "kernel", HF_DOCTOR_FAILED, "upgrade to Linux 5.6 or later, or allow the system call in the sandbox",
            "Linux %s lacks openat2, with which the agent opens paths: no release is installed (KernelTooOld)",
            facts->kernel);
    if (facts->inotify < 0)
        say(judge, "inotify", HF_DOCTOR_WARNING, "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches",
            "no watch to be had (%s): drift and new keys are noticed only once per interval",
            strerror(-facts->inotify));
    if (!facts->cgroups)
        say(judge, "cgroups", HF_DOCTOR_WARNING, "mount /sys/fs/cgroup",
            "not mounted: the memory of pods is not watched");
}

static void boots(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->boot_id == HF_DOCTOR_BOOT_ID_HIDDEN)
        say(judge, "boots", HF_DOCTOR_WARNING, "let the agent read /proc/sys/kernel/random/boot_id",
            "the boot id is hidden: health.probationBoots judges nothing, and install.reboot sees no reboot");
    else if (facts->boot_id == HF_DOCTOR_BOOT_ID_FOREIGN)
        say(judge, "boots", HF_DOCTOR_WARNING, "expect a verdict after a boot from an agent on the machine itself only",
            "the boot id is a container's, not the machine's: health.probationBoots judges no boot of the machine, and "
            "starts of the container only if each has a new id");
}

static void memory(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    bool little = facts->memory_bytes < LITTLE_MEMORY_MIB * MIB;

    say(judge, "memory", little ? HF_DOCTOR_WARNING : HF_DOCTOR_OK,
        little ? "expect whole files where a delta needs more memory (DeltaUnfit)" : "", "%llu MiB%s",
        (unsigned long long)(facts->memory_bytes / MIB),
        little ? ": a node skips a delta for which it lacks memory, and fetches the whole file" : "");
}

static void system_manager(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->systemd)
        say(judge, "systemd", HF_DOCTOR_OK, "", "runs");
    else
        say(judge, "systemd", HF_DOCTOR_WARNING, "let releases restart their program by exec, as agent.yaml allows",
            "does not run here: a release with restart.systemdUnit waits (SystemdUnavailable), and no unit is read for "
            "telemetry");
    if (facts->selinux_enforcing)
        say(judge, "SELinux", HF_DOCTOR_WARNING,
            "watch `ausearch -m avc` during the first update, and give the folder of releases a type that may run",
            "enforcing: a file that a release installs may get a label that forbids to run it");
}

/* Without systemd, system_manager() has said what there is to say. */
static void host_life(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    enum hf_hostlife_reason reason = facts->host_life;

    if (reason == HF_HOSTLIFE_NO_REASON && facts->selinux_enforcing)
        say(judge, "host mode", HF_DOCTOR_OK, "",
            "works here if SELinux lets the pod label programs as bin_t; else the agent stays in its pod (%s)",
            hf_hostlife_reason_name(HF_HOSTLIFE_R_NO_LABELS));
    else if (reason == HF_HOSTLIFE_NO_REASON)
        say(judge, "host mode", HF_DOCTOR_OK, "", "works here: a DaemonSet's pod can install the agent as a service");
    else if (reason == HF_HOSTLIFE_R_ALREADY_ON_HOST)
        say(judge, "host mode", HF_DOCTOR_OK, "",
            "a holdfast-agent.service is here; a DaemonSet's pod leaves it alone");
    else if (reason != HF_HOSTLIFE_R_NO_SYSTEMD)
        say(judge, "host mode", HF_DOCTOR_WARNING,
            "expect an agent of a DaemonSet to stay in its pod here, which starts only when the API server answers",
            "%s: %s", hf_hostlife_reason_name(reason), hf_hostlife_reason_message(reason));
}

static void clock_of(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    char now[HF_TIME_TEXT];

    hf_format_time(facts->unix_ns, now);
    if (facts->build_unix_ns != 0 && facts->unix_ns < facts->build_unix_ns)
        say(judge, "clock", HF_DOCTOR_FAILED, "set the clock, and keep it right (chrony, systemd-timesyncd)",
            "%s is before this program was built: certificates look as if they were not valid yet", now);
    else if (!facts->clock_synchronized)
        say(judge, "clock", HF_DOCTOR_WARNING, "run a time service (chrony, systemd-timesyncd)",
            "%s, and no time server keeps it right: releases near their expiry and windows may wait (ClockUnsure)",
            now);
    else
        say(judge, "clock", HF_DOCTOR_OK, "", "%s, synchronized", now);
}

static void folder(const struct judge *judge, const struct hf_doctor_folder *folder)
{
    const unsigned long long free_mib = (unsigned long long)(folder->available_bytes / MIB);

    if (folder->r < 0)
        say(judge, "folder", folder->must_write ? HF_DOCTOR_FAILED : HF_DOCTOR_WARNING,
            "see the error; as root this command sees more", "%s (%s): %s", folder->path, folder->use,
            strerror(-folder->r));
    else if (folder->read_only)
        say(judge, "folder", folder->must_write ? HF_DOCTOR_FAILED : HF_DOCTOR_WARNING,
            folder->must_write ? "mount it writable, or move it (--state-dir, --storage-dir)"
                               : "mount it writable, or set updateRoots in agent.yaml to folders that are",
            "%s (%s) is on a read-only file system", folder->path, folder->use);
    else if (folder->must_exec && folder->noexec)
        say(judge, "folder", HF_DOCTOR_WARNING,
            "mount it without noexec, or set updateRoots in agent.yaml to other folders",
            "%s (%s) is mounted noexec: installed programs do not start from there", folder->path, folder->use);
    else if (free_mib < LITTLE_DISK_MIB)
        say(judge, "folder", HF_DOCTOR_WARNING, "free space", "%s (%s) has %llu MiB free", folder->path, folder->use,
            free_mib);
    else
        say(judge, "folder", HF_DOCTOR_OK, "", "%s (%s), %llu MiB free", folder->path, folder->use, free_mib);
}

static void keys(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->trust < 0 && facts->trust != -ENOENT)
        say(judge, "keys", HF_DOCTOR_FAILED,
            "give the folder and its files to root, without write permission for others", "%s", facts->trust_text);
    else if (facts->n_keys == 0)
        say(judge, "keys", HF_DOCTOR_FAILED,
            "sudo install -D -m 0644 release-2026.pem /etc/holdfast/trust.d/release-2026.pem",
            "%s has no key: every release is refused (NoTrustedKeys)%s%s", facts->trust_dir,
            facts->trust == 0 && facts->trust_text[0] != '\0' ? "; " : "", facts->trust == 0 ? facts->trust_text : "");
    else if (facts->trust_text[0] != '\0')
        say(judge, "keys", HF_DOCTOR_WARNING, "mend or remove the file", "%s: %s", facts->trust_dir, facts->trust_text);
    else
        say(judge, "keys", HF_DOCTOR_OK, "", "%zu in %s", facts->n_keys, facts->trust_dir);
}

static void configuration(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->config_text[0] != '\0')
        say(judge, "agent.yaml", HF_DOCTOR_FAILED, "correct it; holdfast-agent --check-config checks it alone", "%s",
            facts->config_text);
}

static void ports(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    for (size_t i = 0; i < HF_LEN(facts->ports); i++)
        if (facts->ports[i].taken)
            say(judge, "port", HF_DOCTOR_FAILED, facts->ports[i].option,
                "%u of 127.0.0.1 is taken by another program: the agent does not start", facts->ports[i].number);
}

static void servers(const struct judge *judge, const struct hf_doctor_facts *facts)
{
    if (facts->api_asked)
        say(judge, "API server", facts->api < 0 ? HF_DOCTOR_FAILED : HF_DOCTOR_OK,
            facts->api < 0 ? "see the error; docs/reference/symptoms.md tells by which reason to look where" : "", "%s",
            facts->api < 0 ? facts->api_text : "answers, and accepts the credential");
    for (size_t i = 0; i < facts->n_reach; i++) {
        const struct hf_doctor_reach *reach = &facts->reach[i];
        if (!reach->resolved)
            say(judge, "server", HF_DOCTOR_FAILED, "check the name, and the name servers in /etc/resolv.conf", "%s: %s",
                reach->name, reach->text);
        else if (reach->r < 0)
            say(judge, "server", HF_DOCTOR_FAILED, "check the route, the firewall and the port", "%s: %s", reach->name,
                strerror(-reach->r));
        else
            say(judge, "server", HF_DOCTOR_OK, "", "%s is in reach", reach->name);
    }
}

void hf_doctor_judge(const struct hf_doctor_facts *facts,
                     void (*tell)(void *arg, const struct hf_doctor_finding *finding), void *arg)
{
    const struct judge judge = {.tell = tell, .arg = arg};

    if (!facts->root)
        say(&judge, "user", HF_DOCTOR_WARNING, "run it as root, as the agent runs",
            "not root: some checks see less than the agent");
    kernel(&judge, facts);
    boots(&judge, facts);
    memory(&judge, facts);
    system_manager(&judge, facts);
    host_life(&judge, facts);
    clock_of(&judge, facts);
    for (size_t i = 0; i < facts->n_folders; i++)
        folder(&judge, &facts->folders[i]);
    keys(&judge, facts);
    configuration(&judge, facts);
    ports(&judge, facts);
    servers(&judge, facts);
}

const char *hf_doctor_result_name(enum hf_doctor_result result)
{
    static const char *const names[] = {"ok", "warning", "FAILED"};

    return names[result];
}
