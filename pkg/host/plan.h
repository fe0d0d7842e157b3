/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what the agent's pod does with its host. Pure; cases: tests/golden/host_plan.txt. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

/* Where the agent lives (--host-life). */
enum hf_hostlife {
    HF_HOSTLIFE_OFF,  /* where it was started */
    HF_HOSTLIFE_AUTO, /* on the host if that works, else in the pod */
    HF_HOSTLIFE_HOST, /* on the host or not at all */
    HF_HOSTLIFE_POD,  /* in the pod; an agent on the host is removed */
};

enum hf_hostlife_has {
    HF_HOSTLIFE_BUILD = 1 << 0,
    HF_HOSTLIFE_SYSTEMD = 1 << 1,
    HF_HOSTLIFE_UNSUITABLE = 1 << 2,   /* os-release names a system for which services cannot be installed */
    HF_HOSTLIFE_FOREIGN_UNIT = 1 << 3, /* a holdfast-agent.service that no pod installed */
    HF_HOSTLIFE_IN_MEMORY = 1 << 4,
    HF_HOSTLIFE_UNITS_READ_ONLY = 1 << 5,
    HF_HOSTLIFE_NOEXEC = 1 << 6,
    HF_HOSTLIFE_NO_LABELS = 1 << 7,  /* SELinux refuses the labels that systemd needs */
    HF_HOSTLIFE_MARK = 1 << 8,       /* an earlier pod left the record `persisted` */
    HF_HOSTLIFE_OTHER_BOOT = 1 << 9, /* that record is of an earlier boot */
    HF_HOSTLIFE_UNIT = 1 << 10,
    HF_HOSTLIFE_SLOT = 1 << 11,        /* agent (`current`) and supervisor are there */
    HF_HOSTLIFE_SAME = 1 << 12,        /* unit and environment are as this pod writes them */
    HF_HOSTLIFE_FORGOT = 1 << 13,      /* an earlier start found that the place does not persist */
    HF_HOSTLIFE_POD_SECRETS = 1 << 14, /* the pod has credentials as files that the host lacks */
    HF_HOSTLIFE_OPEN_FOLDER = 1 << 15, /* others than root may write to the state folder or host/ */
};
enum { HF_HOSTLIFE_FACTS = 16 };

struct hf_hostlife_facts {
    unsigned has;
    uint64_t free_bytes, needed_bytes;
};

enum hf_hostlife_act {
    HF_HOSTLIFE_STAY_POD,
    HF_HOSTLIFE_INSTALL,
    HF_HOSTLIFE_REFRESH,
    HF_HOSTLIFE_WATCH,
    HF_HOSTLIFE_REMOVE, /* then STAY_POD */
};

/* X(enumerator, "name", "message"): reasons of condition HostLife. */
#define HF_HOSTLIFE_REASONS(X)                                                                                         \
    X(INSTALLED, "Installed", "the agent runs on the host; that it survives a reboot is known after the next one")     \
    X(PERSISTS, "Persists", "the agent runs on the host, and did so after a reboot")                                   \
    X(NO_BUILD, "NoHostBuild", "the image has no build for hosts: use one that has")                                   \
    X(POD_SECRETS, "PodSecrets",                                                                                       \
      "the pod has credentials of downloads as a Secret, which the host has not: write them to the host, and unset "   \
      "artifacts.fromSecret")                                                                                          \
    X(UNSUITABLE, "UnsuitableSystem", "this operating system runs no services of others")                              \
    X(NO_SYSTEMD, "NoSystemd", "systemd's manager does not answer on the system bus")                                  \
    X(ALREADY_ON_HOST, "AlreadyOnHost",                                                                                \
      "the host has a holdfast-agent.service that the pod did not install: remove one of the two")                     \
    X(NOT_PERSISTENT, "NotPersistent", "the state folder or /etc/systemd/system does not outlive a reboot")            \
    X(UNITS_READ_ONLY, "UnitFolderReadOnly", "/etc/systemd/system cannot be written")                                  \
    X(NO_EXEC, "NoExec", "the state folder is mounted noexec: mount it without")                                       \
    X(OPEN_FOLDER, "OpenFolder",                                                                                       \
      "others than root may write to the state folder or its host/, from which root would run the agent: remove "      \
      "host/, chown root, chmod go-w")                                                                                 \
    X(NO_LABELS, "LabelsRefused", "SELinux does not let the pod label programs for systemd")                           \
    X(NO_SPACE, "NoSpace", "too little space is left in the state folder")                                             \
    X(FAILED, "InstallFailed", "the installation failed")                                                              \
    X(GONE, "HostAgentGone", "the agent on the host has not run for a minute: see systemctl status holdfast-agent")

enum hf_hostlife_reason {
    HF_HOSTLIFE_NO_REASON,
#define HF_HOSTLIFE_REASON_ROW(enumerator, name, message) HF_HOSTLIFE_R_##enumerator,
    HF_HOSTLIFE_REASONS(HF_HOSTLIFE_REASON_ROW)
#undef HF_HOSTLIFE_REASON_ROW
        HF_HOSTLIFE_REASON_COUNT
};

const char *hf_hostlife_reason_name(unsigned reason);
const char *hf_hostlife_reason_message(enum hf_hostlife_reason reason);
bool hf_hostlife_reason_is_on_host(enum hf_hostlife_reason reason);

struct hf_hostlife_plan {
    enum hf_hostlife_act act;
    enum hf_hostlife_reason reason; /* why STAY_POD or REMOVE; NO_REASON if `life` is OFF or POD */
};

struct hf_hostlife_plan hf_hostlife_plan(enum hf_hostlife life, const struct hf_hostlife_facts *facts);

const char *hf_hostlife_act_name(enum hf_hostlife_act act);
HF_MUST_USE int hf_hostlife_parse(const char *text, enum hf_hostlife *ret_life);
