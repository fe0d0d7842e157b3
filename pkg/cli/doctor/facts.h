/* SPDX-License-Identifier: Apache-2.0 */
/* cli/doctor/facts.h - what a host is like, as far as an agent on it depends on that. doctor.c gathers the facts,
 * rules.h judges them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_DOCTOR_TEXT = 300, HF_DOCTOR_FOLDERS = 12, HF_DOCTOR_REACH = 16 };

struct hf_doctor_folder {
    const char *path, *use; /* "/opt" and "releases install here" */
    int r;                  /* 0, or -errno of a look at the path or at the nearest folder above it that exists */
    bool read_only, noexec; /* mount options */
    bool must_write, must_exec;
    uint64_t available_bytes;
};

/* A server that the node must reach: "name:port". */
struct hf_doctor_reach {
    const char *name;
    bool resolved;
    int r;                     /* of connect(): 0 or -errno */
    char text[HF_DOCTOR_TEXT]; /* the resolver's error */
};

struct hf_doctor_facts {
    char kernel[HF_DOCTOR_TEXT]; /* release of the kernel */
    bool openat2;
    bool systemd, selinux_enforcing;
    int inotify;  /* 0, or -errno: no watch to be had */
    bool cgroups; /* version 2 or 1 */
    uint64_t memory_bytes;
    bool root;
    uint64_t unix_ns, build_unix_ns; /* the time now, and of this program's build (0: unknown) */
    bool clock_synchronized;
    struct hf_doctor_folder folders[HF_DOCTOR_FOLDERS];
    size_t n_folders;
    const char *trust_dir;
    int trust;                        /* 0, or -errno: the folder cannot be opened */
    size_t n_keys;                    /* files <keyId>.pem */
    char trust_text[HF_DOCTOR_TEXT];  /* error, or what is wrong with the folder; "" if nothing */
    char config_text[HF_DOCTOR_TEXT]; /* what is wrong with agent.yaml; "" if nothing */
    bool agent_runs;
    struct {
        unsigned number;
        const char *option; /* of holdfast-agent, which changes it */
        bool taken;         /* and no agent runs */
    } ports[2];
    bool api_asked; /* there is a kubeconfig */
    int api;        /* 0, or -errno of a request to the API server */
    char api_text[HF_DOCTOR_TEXT];
    struct hf_doctor_reach reach[HF_DOCTOR_REACH];
    size_t n_reach;
};
