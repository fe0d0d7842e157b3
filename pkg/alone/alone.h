/* SPDX-License-Identifier: Apache-2.0 */
/* Runs static pods with the node's containerd while no kubelet comes (whenAlone: Start).
 *
 * A K3s agent starts neither containerd nor kubelet until its server answers. Until then, this module starts
 * containerd as a transient systemd unit, which outlives the process, and the pods with crictl; the pods end when a
 * kubelet answers. Before each step it asks anew (alone/step.h). On disk is only <state>/alone: while it exists,
 * pods or containerd may be left. Loop thread only; small reads block. */
#pragma once

#include <stddef.h>

#include "alone/step.h"
#include "codec/sha256.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/world.h"

struct hf_alone;

struct hf_alone_params {
    struct hf_world world; /* mono_ns counts from the boot */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    const char *state_dir;
    const char *node_name;
    bool on_host; /* the agent is root on the host, not in a pod */
    bool (*server_answers)(void *arg);
    void (*changed)(void *arg); /* a status may have changed; never called within a call */
    void *arg;
};

/* Copies `params`, and borrows what they refer to. */
HF_MUST_USE int hf_alone_new(const struct hf_alone_params *params, struct hf_alone **ret_alone, struct hf_err *err);
/* Leaves pods and containerd running, for the next process. */
void hf_alone_free(struct hf_alone *alone);
HF_DEFINE_CLEANUP(struct hf_alone, hf_alone_free)

/* A file that an entry with whenAlone: Start has put in place. */
struct hf_alone_file {
    const char *entry, *path;
    unsigned char sha256[HF_SHA256_BYTES];
};

/* Sets the files whose pods should run. No effect while a file differs from its hash, as during repair, or during a
 * step, after which `changed` is called. */
void hf_alone_set(struct hf_alone *alone, const struct hf_alone_file *files, size_t n);

/* Returns "Standby", "Starting", "Running", "Refused", "NoRuntime" or "NotOnHost". *ret_message: why, or ""; valid
 * until the next call. */
const char *hf_alone_status(const struct hf_alone *alone, const char *entry, const char **ret_message);
