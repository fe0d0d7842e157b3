/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent on this host depends on. doctor.c gathers, rules.h judges. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/plan.h"

enum { HF_DOCTOR_TEXT = 300, HF_DOCTOR_FOLDERS = 12, HF_DOCTOR_REACH = 16 };

struct hf_doctor_folder {
    const char *path, *use; /* "/opt", "releases install here" */
    int r;                  /* 0, or -errno at the nearest existing folder */
    bool read_only, noexec;
    bool must_write, must_exec;
    uint64_t available_bytes;
};

/* A server that the node must reach, as "name:port". */
struct hf_doctor_reach {
    const char *name;
    bool resolved;
    int r;                     /* 0 or -errno */
    char text[HF_DOCTOR_TEXT]; /* resolver's error */
};

enum hf_doctor_boot_id {
    HF_DOCTOR_BOOT_ID_OWN,
    HF_DOCTOR_BOOT_ID_FOREIGN, /* mounted over the machine's own, by a container */
    HF_DOCTOR_BOOT_ID_HIDDEN,
};

struct hf_doctor_facts {
    char kernel[HF_DOCTOR_TEXT];
    bool openat2, systemd, selinux_enforcing, root, agent_runs, clock_synchronized;
    bool cgroups;
    enum hf_doctor_boot_id boot_id;
    enum hf_hostlife_reason host_life; /* what keeps an agent in its pod */
    int inotify;                       /* 0 or -errno */
    uint64_t memory_bytes;
    uint64_t unix_ns, build_unix_ns;
    struct hf_doctor_folder folders[HF_DOCTOR_FOLDERS];
    size_t n_folders;
    const char *trust_dir;
    int trust;                        /* 0 or -errno */
    size_t n_keys;                    /* <keyId>.pem */
    char trust_text[HF_DOCTOR_TEXT];  /* a fault, or "" */
    char config_text[HF_DOCTOR_TEXT]; /* a fault, or "" */
    struct {
        unsigned number;
        const char *option; /* the remedy */
        bool taken;         /* by another program */
    } ports[2];
    bool api_asked; /* options name a cluster */
    int api;        /* 0 or -errno */
    char api_text[HF_DOCTOR_TEXT];
    struct hf_doctor_reach reach[HF_DOCTOR_REACH];
    size_t n_reach;
};
