/* node/facts.h - facts about this machine, read from /proc, /sys and /dev.
 *
 * Reading needs no privilege, no child process and no network. Read the facts at start and again at each `interval`,
 * because devices may be hot-plugged. If a file cannot be read, the fact is unknown; this is not an error. Blocks for
 * about a millisecond. Threads: any. Memory: hf_facts owns its strings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"
#include "node/storage.h"

struct hf_facts {
    char arch[16];         /* as in kubernetes.io/arch: amd64, arm64, arm, riscv64, ... */
    char kernel[96];       /* release: "6.1.0-18-arm64"; "" if unknown */
    char gpu[32];          /* "nvidia", "amd", "intel", or the driver's name ("v3d"); "" if none */
    char tpm[8];           /* major version: "2", "1"; "" if none */
    uint64_t memory_bytes; /* MemTotal, which excludes the kernel's own part; 0 if unknown */
    unsigned cpus;         /* number of online processors; 0 if unknown */
    enum hf_storage storage;
    char *cpu_features; /* in the kernel's spelling, " a b c " with a blank at both ends; NULL if unknown */
};

struct hf_facts_params {
    const struct hf_fs_ops *fs;
    const char *root;                  /* "" on a real node; see node/probe.h */
    const char *arch;                  /* NULL: the architecture of this build */
    unsigned state_major, state_minor; /* device number of the state folder; both 0 if unknown */
};

/* Returns the architecture of this build, which is right even for a 32-bit user land on a 64-bit kernel. */
const char *hf_facts_build_arch(void);

/* Fails with -ENOMEM only; *ret_facts is then untouched. */
HF_MUST_USE int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts);
void hf_facts_done(struct hf_facts *facts);
bool hf_facts_equal(const struct hf_facts *a, const struct hf_facts *b);

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature);

/* Returns the 3C class, the value of a detected label (node/labels.h). The first class that fits the hardware wins; a
 * static label of the policy overrides it:
 *
 *   compute       a GPU, or at least 4 CPUs and 3.5 GiB of memory (a "4 GB" board has 3.7): can run heavy workloads
 *   compliance    a TPM: can prove its identity and keep keys, so it may hold data of a compliance boundary
 *   connectivity  any other hardware, such as a small gateway */
const char *hf_facts_class(const struct hf_facts *facts);
