/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the node's containerd, its configuration, and crictl. Threads: any; blocks, unless pure. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_alone_place {
    const char *containerd;
    const char *config;
    const char *socket;       /* used if the configuration names none */
    const char *root, *state; /* containerd's folders for data and state; NULL: as configured */
    const char *crictl;
    const char *path; /* PATH of containerd, for runc, shims, CNI plugins */
    const char *unit; /* containerd's systemd unit; NULL: the K3s agent starts it */
};

/* Finds the place of this node, a static object. NULL: none; *err says what is missing. */
const struct hf_alone_place *hf_alone_place_find(const struct hf_fs_ops *fs, struct hf_err *err);

/* The parent of our control groups, as containerd's cgroup driver wants it. */
const char *hf_alone_place_cgroup_parent(const struct hf_fs_ops *fs, const struct hf_alone_place *place);
/* Writes `address` from [grpc] of the configuration, or else the place's socket. */
void hf_alone_place_socket(const struct hf_fs_ops *fs, const struct hf_alone_place *place, char *socket, size_t n);

/* Whether there is a line `SystemdCgroup = true`, outside comments. Pure. */
bool hf_alone_place_is_systemd(const char *config);
/* Finds `address = "/..."` in [grpc]. False: none, or too long. Pure. */
bool hf_alone_place_address(const char *config, char *address, size_t n);
