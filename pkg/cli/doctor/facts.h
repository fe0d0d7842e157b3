/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent on this host depends on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/plan.h"

enum { HF_DOCTOR_TEXT = 300, HF_DOCTOR_FOLDERS = 12, HF_DOCTOR_REACH = 16 };

struct hf_doctor_folder {
    const char *path, *use; /* "/opt", "releases" */
    int r;                  /* 0, or -errno at the nearest existing folder */
    bool read_only, noexec;
    bool must_write, must_exec;
    uint64_t available_bytes;
};

/* A server that the node must reach, as "name:port". */
struct hf_doctor_reach {
    const char *name;
    bool resolved;
    int r; /* 0 or -errno */
    char text[HF_DOCTOR_TEXT];
};

enum hf_doctor_boot_id {
    HF_DOCTOR_BOOT_ID_OWN,
    HF_DOCTOR_BOOT_ID_FOREIGN, /* a container mounts its own over the machine's */
    HF_DOCTOR_BOOT_ID_HIDDEN,
};

struct hf_doctor_facts {
    char kernel[HF_DOCTOR_TEXT];
    bool openat2, systemd, selinux_enforcing, root, agent_runs, clock_synchronized;
    bool cgroups;
    enum hf_doctor_boot_id boot_id;
    enum hf_hostlife_reason host_life; /* why an agent must stay in its pod */
    int inotify;
    uint64_t memory_bytes;
    uint64_t unix_ns, build_unix_ns;
    struct hf_doctor_folder folders[HF_DOCTOR_FOLDERS];
    size_t n_folders;
    const char *trust_dir;
    int trust;
    size_t n_keys;
    char trust_text[HF_DOCTOR_TEXT];
    char config_text[HF_DOCTOR_TEXT]; /* the configuration's first fault, or "" */
    struct {
        unsigned number;
        const char *option; /* the remedy, with the agent's option */
        bool taken;
    } ports[2];
    bool api_asked;
    int api;
    char api_text[HF_DOCTOR_TEXT];
    struct hf_doctor_reach reach[HF_DOCTOR_REACH];
    size_t n_reach;
};
