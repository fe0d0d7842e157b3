/* SPDX-License-Identifier: Apache-2.0 */
/* node/facts.h - reads facts about this machine from /proc, /sys and /dev.
 *
 * Reading the facts needs no privilege, no child process and no network, and blocks for about a millisecond. The agent
 * reads the facts at its start and again once per SyncPolicy `interval`, because devices may be plugged in or removed.
 * If a file is not readable, its fact is unknown; this is not an error. Threads: any. Memory: a struct hf_facts owns
 * its strings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"
#include "node/storage.h"

struct hf_facts {
    char arch[16];   /* processor architecture, as in kubernetes.io/arch, such as "amd64" or "arm64" */
    char kernel[96]; /* release of the kernel, such as "6.1.0-18-arm64"; "" if unknown */
    /* kind of GPU: "nvidia", "amd", "intel", or the name of the driver such as "v3d"; "" if there is none */
    char gpu[32];
    /* major version of the TPM, "2" or "1" (also "1" if the kernel does not report it); "" if there is none */
    char tpm[8];
    /* MemTotal of /proc/meminfo in bytes, which excludes memory that the kernel reserves (0 means unknown) */
    uint64_t memory_bytes;
    /* number of processors that are present, also those that the kernel has taken offline, for example because they are
     * hot (0 means unknown) */
    unsigned cpus;
    enum hf_storage storage;
    /* names of the CPU features as in /proc/cpuinfo, in the form " a b c " with a blank at both ends; NULL if
     * unknown */
    char *cpu_features;
};

struct hf_facts_params {
    const struct hf_fs_ops *fs;
    const char *root; /* folder that stands for "/", "" on a real node (node/probe.h) */
    /* processor architecture to report; NULL means the architecture of this program */
    const char *arch;
    unsigned state_major, state_minor; /* device number of the state folder's file system (0 and 0 mean unknown) */
};

/* Returns the processor architecture for which this program was built. Unlike the architecture of the kernel, this
 * architecture is right also on a system with a 64-bit kernel and 32-bit programs. */
const char *hf_facts_build_arch(void);

/* Reads all facts. Returns 0, -ENOMEM, or -E2BIG if the list of CPU features is longer than 16 KiB. On failure,
 * *ret_facts is unchanged. */
HF_MUST_USE int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts);
void hf_facts_done(struct hf_facts *facts);
bool hf_facts_equal(const struct hf_facts *a, const struct hf_facts *b);

/* Returns true if `now` does not know something that `before` knows and every machine has: a file could not be read.
 * Labels that follow such facts would go, and with them a policy that selects the node by these labels. */
bool hf_facts_has_gaps(const struct hf_facts *now, const struct hf_facts *before);

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature);

/* Returns the class of the node: "compute", "compliance" or "connectivity" (the 3C class). The class is the value of a
 * detected label (node/labels.h). A static label of the policy can override the class. The node has the first of these
 * classes that fits its hardware:
 *
 *   compute       has a GPU, or at least 4 CPUs and 3.5 GiB of memory (a "4 GB" board has 3.7 GiB), so it can run heavy
 *                 workloads
 *   compliance    has a TPM, which can prove the node's identity and keep keys, so the node may hold data of a
 *                 compliance boundary
 *   connectivity  has any other hardware, such as a small gateway */
const char *hf_facts_class(const struct hf_facts *facts);
