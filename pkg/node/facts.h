/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about this machine from /proc, /sys and /dev, without privilege, child process or network.
 *
 * Blocks for about a millisecond. A fact whose file is not readable is unknown ("", 0, NULL). struct hf_facts owns its
 * strings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"
#include "node/storage.h"

struct hf_facts {
    char arch[16];         /* as in kubernetes.io/arch */
    char kernel[96];       /* "6.1.0-18-arm64" */
    char gpu[32];          /* "nvidia", "amd", "intel", or a driver such as "v3d" */
    char tpm[8];           /* "2" or "1" (also if the kernel does not tell) */
    uint64_t memory_bytes; /* MemTotal */
    unsigned cpus;         /* present, also offline */
    enum hf_storage storage;
    char *cpu_features; /* from /proc/cpuinfo: " a b c " */
};

struct hf_facts_params {
    const struct hf_fs_ops *fs;
    const char *root;                  /* for "/" (node/probe.h) */
    const char *arch;                  /* NULL: this program's */
    unsigned state_major, state_minor; /* st_dev of the state folder; 0, 0: unknown */
};

/* Right also for 32-bit programs on a 64-bit kernel. */
const char *hf_facts_build_arch(void);

/* -E2BIG: more than 16 KiB of CPU features. *ret_facts is then unchanged. */
HF_MUST_USE int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts);
void hf_facts_done(struct hf_facts *facts);

/* `now` lacks what every machine has: a file was not readable. A label from it would disappear, and a policy that
 * selects by this label with it. */
bool hf_facts_has_gaps(const struct hf_facts *now, const struct hf_facts *before);

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature);

/* The 3C class, a label (node/labels.h); the first that fits:
 *
 *   compute       a GPU, or at least 4 CPUs and 3.5 GiB (a "4 GB" board has 3.7 GiB)
 *   compliance    a TPM
 *   connectivity  all else */
const char *hf_facts_class(const struct hf_facts *facts);
