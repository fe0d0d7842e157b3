/* node/facts.h - what this machine is, read from /proc, /sys and /dev.
 *
 * Nothing here needs a right, a child process or the network. Read once at start and again each `interval` (hot-plugged
 * devices); what cannot be read is unknown, never an error. Blocks for about a millisecond. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"
#include "node/storage.h"

struct hf_facts {
    char arch[16];         /* as in kubernetes.io/arch: amd64, arm64, arm, riscv64, ... */
    char kernel[96];       /* release: "6.1.0-18-arm64"; "" unknown */
    char gpu[32];          /* "nvidia", "amd", "intel", or the driver's name ("v3d"); "" none */
    char tpm[8];           /* major version: "2", "1"; "" none */
    uint64_t memory_bytes; /* MemTotal: what the kernel left of it; 0 unknown */
    unsigned cpus;         /* online; 0 unknown */
    enum hf_storage storage;
    char *cpu_features; /* as the kernel spells them, " a b c " with a blank at both ends; NULL unknown. Owned. */
};

struct hf_facts_params {
    const struct hf_fs_ops *fs;
    const char *root;                  /* "" on a real node; see node/probe.h */
    const char *arch;                  /* NULL: what this program was built for */
    unsigned state_major, state_minor; /* device number of the state folder; 0:0 unknown */
};

/* The architecture this program was built for: also right on a 64-bit kernel with a 32-bit user land. */
const char *hf_facts_build_arch(void);

/* -ENOMEM only. *ret_facts is untouched on failure. */
HF_MUST_USE int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts);
void hf_facts_done(struct hf_facts *facts);
bool hf_facts_equal(const struct hf_facts *a, const struct hf_facts *b);

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature);

/* The 3C classification, a rule on hardware alone (a policy's static label wins over it):
 *   compute       a GPU, or at least 4 CPUs and 3.5 GiB of memory (a "4 GB" board has 3.7): can run heavy workloads
 *   compliance    else, a TPM: can prove what it is and keep keys, so data that must stay inside a boundary may be here
 *   connectivity  else: a small gateway */
const char *hf_facts_class(const struct hf_facts *facts);
