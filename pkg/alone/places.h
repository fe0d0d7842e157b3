/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node has its containerd, its configuration and crictl. Threads: any; blocks on the disk. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_alone_place {
    const char *containerd; /* program */
    const char *config;
    const char *socket;       /* unless its configuration has another one */
    const char *root, *state; /* folders, as the node's own containerd is started with; NULL: by its configuration */
    const char *crictl;
    const char *path; /* PATH of containerd, which finds runc, shims and CNI plugins there */
    const char *unit; /* of the node's own containerd; NULL: the kubelet brings it */
};

/* NULL: this node has none of them; *err says what is missing. */
const struct hf_alone_place *hf_alone_place_find(const struct hf_fs_ops *fs, struct hf_err *err);

/* The parent of our control groups, as the cgroup driver in the configuration of containerd wants it. */
const char *hf_alone_place_cgroup_parent(const struct hf_fs_ops *fs, const struct hf_alone_place *place);
/* The socket of containerd: `address` of the table [grpc] in its configuration, or the place's. */
void hf_alone_place_socket(const struct hf_fs_ops *fs, const struct hf_alone_place *place, char *socket, size_t n);

/* `SystemdCgroup = true` is in the text, not in a comment. Pure. */
bool hf_alone_place_is_systemd(const char *config);
/* False: the text has no `address = "/..."` in [grpc], or it is too long. Pure. */
bool hf_alone_place_address(const char *config, char *address, size_t n);
