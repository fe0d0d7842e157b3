/* SPDX-License-Identifier: Apache-2.0 */
/* support/fakes/simcri.h - a node's container runtime behind `crictl`, `systemd-run` and `systemctl`, for pkg/alone:
 * the world of a simhost. Sandboxes and containers outlive the agent and containerd; a reboot stops them, and leaves
 * their records. As with containerd, two sandboxes of a pod, or two containers of a name in a sandbox, cannot be.
 *
 * With `k3s`, the node's containerd is the kubelet's, which takes ours for its own while that runs; else it is
 * containerd.service, which waits for the end of ours. */
#pragma once

#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"

enum { HF_SIMCRI_MAX = 64 };

struct hf_simcri_sandbox {
    char id[16], uid[96], name[128], space[64];
    bool ours, ready;
};

enum hf_simcri_state { HF_SIMCRI_CREATED, HF_SIMCRI_RUNNING, HF_SIMCRI_EXITED };

struct hf_simcri_container {
    char id[16], sandbox[16], name[64];
    enum hf_simcri_state state;
};

struct hf_simcri {
    struct hf_simfs *fs; /* whence the configurations of pods come */
    bool k3s;
    bool own;         /* our containerd runs */
    bool node, wants; /* the node's containerd runs; is to run */
    bool kubelet;     /* its port answers */
    bool breaks;      /* every start of a container fails */
    struct hf_simcri_sandbox sandboxes[HF_SIMCRI_MAX];
    struct hf_simcri_container containers[HF_SIMCRI_MAX];
    size_t n_sandboxes, n_containers;
    unsigned ids;
    char verbs[4096]; /* what was run, in order, but for looks: "systemd-run runp create start " */
    /* Asked before a command has its effect, and after it. False: the effect or the answer is lost. NULL: never. */
    bool (*before)(void *arg);
    bool (*after)(void *arg);
    void *arg;
};

struct hf_simhost_world hf_simcri_world(struct hf_simcri *cri);
/* The node's containerd starts if it is to, and nothing is in its way. */
void hf_simcri_turn(struct hf_simcri *cri);
void hf_simcri_reboot(struct hf_simcri *cri);
/* The kubelet's own instance of a pod, in place of a former one. */
void hf_simcri_run_twin(struct hf_simcri *cri, const char *space, const char *name);
/* Running containers in sandboxes that are ours, or are not. */
size_t hf_simcri_running(const struct hf_simcri *cri, bool ours);
/* Sandboxes of ours, in any state. */
size_t hf_simcri_left(const struct hf_simcri *cri);
void hf_simcri_crash(struct hf_simcri *cri); /* all that runs ends */
