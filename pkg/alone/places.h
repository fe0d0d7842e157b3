/* SPDX-License-Identifier: Apache-2.0 */
/* The node's containerd, its configuration, crictl. Threads: any; blocks, unless pure. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"

struct hf_alone_place {
    const char *containerd;
    const char *config;
    const char *socket;       /* if the configuration names none */
    const char *root, *state; /* folders of the node's containerd; NULL: as configured */
    const char *crictl;
    const char *path; /* containerd's PATH, for runc, shims, CNI plugins */
    const char *unit; /* of the node's containerd; NULL: the K3s agent starts it */
};

/* NULL: none; *err says what is missing. Static. */
const struct hf_alone_place *hf_alone_place_find(const struct hf_fs_ops *fs, struct hf_err *err);

/* The parent of our control groups, in the form that containerd's cgroup driver wants. */
const char *hf_alone_place_cgroup_parent(const struct hf_fs_ops *fs, const struct hf_alone_place *place);
/* Writes `address` in [grpc] of the configuration, or else the place's socket. */
void hf_alone_place_socket(const struct hf_fs_ops *fs, const struct hf_alone_place *place, char *socket, size_t n);

/* Is there a line `SystemdCgroup = true`, outside comments? Pure. */
bool hf_alone_place_is_systemd(const char *config);
/* False: no `address = "/..."` in [grpc], or too long. Pure. */
bool hf_alone_place_address(const char *config, char *address, size_t n);
